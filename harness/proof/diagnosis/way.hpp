#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/ip.hpp"
#include "harness/network/topology/model.hpp"
#include "harness/proof/diagnosis/facts.hpp"

/// What cables and addresses offer, whatever became of a packet: who is on a link, and the way from one node
/// to another.
namespace plumbline::proof {

/// Whether `interface` speaks for its node: what is only a port of a bridge does not.
bool speaks(const network::Interface& interface);
/// Interfaces on the cable or bridged segment that `end` is plugged into, itself left out.
std::vector<network::Endpoint> on_the_link_of(Facts& facts, const network::Endpoint& end);
/// The one of them that has `address`.
std::optional<network::Endpoint> holder_on_link(Facts& facts, const network::Endpoint& end,
                                                const IpAddress& address);
/// Whether `node` passes on what is for others; also where nobody can say.
bool forwards(Facts& facts, std::string_view node, IpFamily family);

/// A first step towards somewhere.
struct NextRouter {
  std::string dev;
  std::optional<IpAddress> via;  ///< absent: it is on link
  std::string node;              ///< who has `via`
};
/// The first step of a shortest way from `from` to `to` through nodes that forward, as the cables are; by
/// `dev`, if given. Routers that the world names for an interface come first. Absent: there is none.
std::optional<NextRouter> first_hop(Facts& facts, const std::string& from, const std::string& to,
                                    IpFamily family, std::string_view dev = {});
/// "ip route add 192.168.16.0/24 via 198.18.0.1 dev eth0", with -6 where it is needed. `to` of length 0:
/// "default".
std::string add_route(const Prefix& to, const NextRouter& hop, std::uint32_t table = network::kMainTable);

}  // namespace plumbline::proof
