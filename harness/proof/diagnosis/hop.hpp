#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/proof/diagnosis/case.hpp"
#include "harness/proof/diagnosis/facts.hpp"
#include "harness/proof/diagnosis/reading.hpp"

/// Links as causes see them: what one interface can reach by cables and bridges, and the hop at which a
/// packet's way ended.
namespace plumbline::proof {

using network::Endpoint;

/// "host:ens4".
std::string place(const Endpoint& at);

/// An interface to which frames from another may come, and by what: both ends are in `over`, and the ends of
/// cables, ports and bridges between them, in order.
struct Way {
  std::vector<Endpoint> over;

  const Endpoint& end() const { return over.back(); }
};

/// All that is on one segment with `from`, itself first, then by the number of interfaces between. Ports are
/// among them. Whether anything is up is another matter.
std::vector<Way> segment(Facts& facts, const Endpoint& from);
/// Whether frames for the node end there: no port of a bridge.
bool is_end(Facts& facts, const Endpoint& at);
/// The interface as it is now, with its addresses; null: it is not there.
const network::Interface* interface_at(Facts& facts, const Endpoint& at);

/// Where `address` is configured, and not refused by duplicate address detection: every place there is.
std::vector<Endpoint> holders(Facts& facts, const IpAddress& address);
/// Those ends of `segment` where somebody would answer for `address`: IPv4 is answered for by whatever
/// interface of a node that holds it, or has a local route over it.
std::vector<Way> holders_on(Facts& facts, const std::vector<Way>& segment, const IpAddress& address);

/// The first sighting of the leg's packet by which `node` got it to route or to deliver it: on no port of a
/// bridge. Null: there is none.
const Sighting* taken_in(const Case& question, Facts& facts, Leg leg, std::string_view node);

/// A node that had a packet, and the next one, which never got it.
struct Hop {
  Leg leg = Leg::forward;
  std::string node;
  IpAddress source, destination;  ///< as it leaves `node`
  RouteAnswer route;              ///< where there is none, all that follows is empty
  IpAddress next;                 ///< whose hardware address `node` needs: the router's, or `destination`
  std::vector<Way> segment;       ///< of route.dev
  std::vector<Way> holders;       ///< of `next` on it
  std::vector<Endpoint> trunk;    ///< by which all ways go, to the first node there
  std::optional<NeighbourFact> neighbour;  ///< what `node` knows of `next`
  bool left = false;                       ///< it was seen leaving `node`
  bool asked = false;                      ///< the taps saw `node` ask for `next`, and no answer come to it
  bool refused = false;  ///< `node` said that it cannot reach its neighbour: to its own sender, or by ICMP

  Endpoint out() const { return {node, route.dev}; }
  /// `node` asked for `next` in vain.
  bool unanswered() const;
  /// The way to whoever should answer: to the holder, else the trunk.
  std::vector<Endpoint> way() const;
};

/// The hop at which the probe's way ended, or the answer's where the probe arrived. Absent: there is none to
/// be found, as where a rule stopped the packet, it was delivered, or nothing says how it was addressed.
std::optional<Hop> broken_hop(const Case& question, Facts& facts);

/// The first interface of a way by which no frame gets; absent: all are up and have a carrier.
struct Fault {
  Endpoint at;
  bool down = false;  ///< else it has no carrier
};
std::optional<Fault> fault(Facts& facts, const std::vector<Endpoint>& way);

/// "container-one:eth0 - host:veth1 - host:bridge0".
std::string way_text(const std::vector<Endpoint>& way);

/// Where the question for the next hop's hardware address was last seen, and an answer, if the taps saw any.
std::vector<std::string> questions_seen(const Case& question, const Hop& hop);

/// "container-one's neighbour 192.168.99.1 dev eth0: incomplete", or what else is known of it.
std::string neighbour_text(const Hop& hop);

}  // namespace plumbline::proof
