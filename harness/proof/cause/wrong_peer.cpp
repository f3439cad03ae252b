#include <fmt/format.h>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/hop.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (!question.link || !question.link->peer) return std::nullopt;
  const Endpoint at{question.link->node, question.link->interface};
  const network::Node* node = facts.topology().find(at.node);
  const network::Interface* interface = node == nullptr ? nullptr : node->find_interface(at.interface);
  if (interface == nullptr || interface->peer == question.link->peer) return std::nullopt;
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format("The other end of {} is {}, not {}.", place(at),
                                interface->peer ? place(*interface->peer) : "nowhere that is known",
                                place(*question.link->peer));
  // By its own word: who has the end that is wanted.
  for (const network::Node& each : facts.topology().nodes) {
    for (const network::Interface& other : each.interfaces) {
      if (other.peer != question.link->peer || (each.name == at.node && other.name == at.interface)) continue;
      finding.evidence.push_back(
          fmt::format("the other end of {}:{} is {}", each.name, other.name, place(*other.peer)));
      if (each.name != at.node) continue;
      finding.fix = {
          typed_on(at.node, fmt::format("ip link set {} down name {}.old", at.interface, at.interface)),
          typed_on(at.node, fmt::format("ip link set {} down name {} up", other.name, at.interface)),
          typed_on(at.node, fmt::format("ip link set {}.old name {} up", at.interface, other.name))};
    }
  }
  if (interface->peer)
    finding.evidence.insert(finding.evidence.begin(),
                            fmt::format("peer of {}: {}", place(at), place(*interface->peer)));
  if (finding.fix.empty()) finding.fix = {typed_on(at.node, fmt::format("ip -d link show {}", at.interface))};
  return finding;
}

}  // namespace

CauseKind wrong_peer_cause() {
  return {
      "wrong-peer",
      "The other end of a cable is not where it should be.",
      "A veth is a cable with two ends. Which end is whose is told by numbers alone (`eth0@if7`), so that "
      "two of "
      "them are easily taken for one another: by a script that counts names up while another does too, by an "
      "end "
      "moved into the wrong namespace, by an interface that was renamed. What is bound to the name (a port's "
      "settings, a rule, a limit, a capture) then meets another container's traffic, though everybody "
      "reaches "
      "everybody.",
      "The kernel's own numbers (the peer's index, and the namespace's) lead from the interface to another "
      "one "
      "than promised. `ip -d link show DEV` shows `@if7` and `link-netns`, `ip link` in that namespace who "
      "is 7.",
      "Plug it in rightly: rename the ends, or move them.\n"
      "```\nip link set veth1 down name veth1.old\nip link set veth2 down name veth1 up\n"
      "ip link set eth0 netns CONTAINER\n```",
      recognise,
      CauseKind::Depth::link,
      {"interface-missing"}};
}

}  // namespace plumbline::proof
