#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "harness/proof/diagnosis/case.hpp"
#include "harness/proof/diagnosis/facts.hpp"

/// What causes ask of a case over and over.
namespace plumbline::proof {

/// "host:ens4".
std::string place(const Sighting& sighting);
/// "rule of host's ip filter FORWARD (handle 7): ip daddr 10.0.0.0/8 drop", "policy drop of …".
std::string rule_text(const Passage& passage, const RuleMet& rule);

/// A packet that came to a node for somebody else, or was made there, and went no further.
struct Dead {
  Leg leg = Leg::forward;
  std::string node;
  const Sighting* came = nullptr;  ///< in at `node`; null: it was made there
  IpAddress source, destination;   ///< as it was at its last sighting
};
/// The first packet of the leg that ended first: the probe's where it never came to its target, else the
/// answer's. Absent: both arrived, or nothing was seen of either, or it left a node by a cable and did not
/// come in at the other end.
std::optional<Dead> died_inside(const Case& question);
/// Where an answer goes once the node has taken back what its source NAT did to the probe.
IpAddress translated_back(const Case& question, const Dead& answer);

/// Whether the probe came to its target, and nothing was seen of an answer, nor of a reason why there is
/// none: over TCP no answer to what was sent over the connection that was made.
bool taken_in_silence(const Case& question);

/// Whether `node` had the probe itself in its IP's hands, so that to its conntrack what comes back belongs to
/// a connection. Of what only crossed a bridge there, conntrack need not know.
bool passed_by(const Case& question, Facts& facts, const std::string& node);

/// The rule or policy that dropped or rejected a packet of `leg`; null: none did that we know of.
struct Stopper {
  const Passage* passage = nullptr;
  const RuleMet* rule = nullptr;
  explicit operator bool() const { return rule != nullptr; }
};
Stopper stopper(const KernelPath& kernel, Leg leg);
/// Of the forward leg, else of the reply's.
Stopper stopper(const KernelPath& kernel);

/// Whether a rule of `node` may have said "no" in the place of whoever listens there: the node has one that
/// rejects, and its kernel did not tell which rules the probe met.
bool may_have_rejected(const Case& question, Facts& facts, const std::string& node);

/// The kernel's own reason for letting go of a packet of the probe, at `node` if that is given; null: none
/// told.
const Drop* dropped(const KernelPath& kernel, std::string_view reason, std::string_view node = {});
/// How much a counter rose at `node`, by the end of its name ("IPReversePathFilter"); 0: it did not, or
/// nobody looked.
std::uint64_t rose(const KernelPath& kernel, std::string_view node, std::string_view counter);

/// Whether `node` holds `address`.
bool holds(const network::Node& node, const IpAddress& address);
/// The interface of `node`'s with an address whose network holds `address`; null: none.
const network::Interface* on_link(const network::Node& node, const IpAddress& address);

/// Whether an address means nothing outside its own site: private, shared, link-local, unique local.
bool is_private(const IpAddress& address);

/// "ip link set veth1 up  # on host": a command of a fix, and where it is to be typed.
std::string typed_on(std::string_view node, std::string_view command);

/// "4" or "6".
std::string_view version(IpFamily family);

}  // namespace plumbline::proof
