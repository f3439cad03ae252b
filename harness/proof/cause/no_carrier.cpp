#include <fmt/format.h>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/hop.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

std::optional<Endpoint> peer_of(Facts& facts, const Endpoint& at) {
  const network::Node* node = facts.topology().find(at.node);
  const network::Interface* interface = node == nullptr ? nullptr : node->find_interface(at.interface);
  return interface == nullptr ? std::nullopt : interface->peer;
}

/// It was promised to be up.
std::optional<Finding> as_promised(const Case::Link& promised, Facts& facts) {
  const Endpoint at{promised.node, promised.interface};
  const auto link = facts.link(at.node, at.interface);
  if (!link || !link->up || link->running || promised.state != "up") return std::nullopt;
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary =
      fmt::format("{} has no carrier: nothing is running at the other end of its cable.", place(at));
  finding.evidence = {fmt::format("{} is UP, but not RUNNING", place(at))};
  const auto peer = peer_of(facts, at);
  finding.fix = {peer ? typed_on(peer->node, fmt::format("ip link set {} up", peer->interface))
                      : typed_on(at.node, fmt::format("ip -d link show {}", at.interface))};
  return finding;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (question.link) return as_promised(*question.link, facts);
  const auto hop = broken_hop(question, facts);
  if (!hop || !hop->route.found() || hop->route.dev.empty()) return std::nullopt;
  std::optional<Fault> broken = fault(facts, hop->way());
  bool on_the_way = broken.has_value();
  if (!broken && hop->holders.empty() && hop->unanswered()) {
    // Nobody holds the address; over IPv6 an interface that is down has none.
    for (const Way& each : hop->segment) {
      if (!broken) broken = fault(facts, each.over);
    }
  }
  if (!broken || broken->down) return std::nullopt;
  const auto peer = peer_of(facts, broken->at);
  const auto far = peer ? facts.link(peer->node, peer->interface) : std::nullopt;
  Finding finding;
  finding.certainty = on_the_way ? Certainty::proven : Certainty::likely;
  const std::string other_end = far && !far->up
                                    ? fmt::format(": {}, the other end of its cable, is down", place(*peer))
                                    : std::string(": nothing is running at the other end of its cable");
  finding.summary = fmt::format("{} has no carrier{}.", place(broken->at), other_end);
  finding.evidence = {
      fmt::format("the way of {} > {} from {} to {} goes by {}", hop->source.to_string(),
                  hop->destination.to_string(), hop->node, hop->next.to_string(), place(broken->at)),
      fmt::format("{} is UP, but not RUNNING", place(broken->at))};
  if (far && !far->up) {
    finding.evidence.push_back(fmt::format("{} is not UP", place(*peer)));
    finding.fix = {typed_on(peer->node, fmt::format("ip link set {} up", peer->interface))};
  } else {
    finding.fix = {typed_on(broken->at.node, fmt::format("ip -d link show {}", broken->at.interface))};
  }
  return finding;
}

}  // namespace

CauseKind no_carrier_cause() {
  return {
      "no-carrier",
      "An interface is up, but the other end of its cable is not.",
      "An interface that is up still needs a carrier: of a network card a plugged cable and a live switch, "
      "of a veth the other end being up too. The kernel keeps its IPv4 addresses and routes, so that all "
      "looks well, while every frame is thrown away. With containers it is mostly a veth of which one end "
      "was set up and the other was forgotten, or taken down by a network manager.",
      "The packet's way goes by this interface, which the kernel reports as `UP` without `RUNNING` "
      "(`NO-CARRIER` in `ip link`); of a veth the state of its other end is told too.",
      "```\nip link set PEER up\n```\nin the namespace that has the other end: `ip -d link show DEV` names "
      "it by its index (`eth0@if7`), and `link-netns` tells where it is. Of a network card look at the cable "
      "and at `ethtool DEV`.",
      recognise,
      CauseKind::Depth::link,
      {"link-down"}};
}

}  // namespace plumbline::proof
