#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "harness/proof/diagnosis/nat.hpp"
#include "harness/proof/diagnosis/publishing.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"

namespace plumbline::proof {

using namespace firewall;

namespace {

/// The rule that turned the packet at the hook, and to where.
struct Turned {
  const Passage* passage = nullptr;
  RulePlace rule;
  IpAddress to;
};
std::optional<Turned> turned_at(const Case& question, Hook hook) {
  for (const Passage& passage : question.kernel.passages) {
    if (passage.leg != Leg::forward || passage.bridge || passage.hook != hook) continue;
    for (const RuleMet& rule : passage.rules) {
      if (!read_rule(rule.backend, rule.text).translates_destination()) continue;
      const Lead lead = lead_of(rule.text);
      if (lead.address) return Turned{&passage, place_of(passage.node, rule), *lead.address};
    }
  }
  return std::nullopt;
}

/// The packet came to no hook of the node's behind the routing.
bool ends_there(const Case& question, const Passage& at) {
  return std::ranges::none_of(question.kernel.passages, [&](const Passage& passage) {
    const bool behind =
        passage.hook == Hook::input || passage.hook == Hook::forward || passage.hook == Hook::postrouting;
    return passage.node == at.node && passage.leg == Leg::forward && !passage.bridge && behind;
  });
}

/// The setting of an interface is off unless one of both is on.
bool is_off(Facts& facts, const std::string& node, const std::string& interface) {
  const auto own = facts.sysctl(node, fmt::format("net/ipv4/conf/{}/route_localnet", interface));
  const auto all = facts.sysctl(node, "net/ipv4/conf/all/route_localnet");
  return own == "0" && all.value_or("0") == "0";
}

/// No rule translates what leaves so, for certain: the answer would be for 127.0.0.1 then.
bool lacks_masquerade(const Case& question, Facts& facts, const std::string& node, const RulePacket& packet) {
  Departure leaving;
  leaving.node = node;
  leaving.uplink = packet.oif;
  leaving.own = leaving.seen = packet.source;
  leaving.destination = packet.destination;
  leaving.packet = packet;
  const auto kind = source_nat(question, leaving, facts).kind;
  return kind != SourceNat::Kind::covers && kind != SourceNat::Kind::doubt;
}

Finding found(Facts& facts, const Case& question, const Turned& turned, const std::string& interface) {
  const std::string& node = turned.passage->node;
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.evidence = {turned.rule.to_string(),
                      fmt::format("net.ipv4.conf.{}.route_localnet of {} is 0", interface, node)};
  RouteQuestion asked{turned.to, turned.passage->source, turned.passage->iif, 0};
  if (facts.route(node, asked).error == EINVAL) {
    finding.evidence.push_back(fmt::format("the kernel of {} refuses to route {} > {}", node,
                                           turned.passage->source.to_string(), turned.to.to_string()));
  }
  const Drop* drop = dropped(question.kernel, "IP_LOCALNET", node);
  if (drop == nullptr) drop = dropped(question.kernel, "NETFILTER_DROP", node);
  if (drop != nullptr) finding.evidence.push_back("the kernel's reason for the drop: " + drop->reason);
  return finding;
}

/// Its own packet to 127.0.0.1, which a rule of the hook output turned to somebody else: the source stays.
std::optional<Finding> going_out(const Case& question, Facts& facts) {
  const auto turned = turned_at(question, Hook::output);
  if (!turned || !turned->passage->source.is_loopback() || turned->to.is_loopback()) return std::nullopt;
  const std::string& node = turned->passage->node;
  const std::string oif = facts.route(node, {turned->to, {}, {}, 0}).dev;
  if (oif.empty() || oif == "lo" || !ends_there(question, *turned->passage) || !is_off(facts, node, oif))
    return std::nullopt;
  Finding finding = found(facts, question, *turned, oif);
  finding.summary = fmt::format(
      "{} lets nothing from {} out by {}: route_localnet is off there, and the port of {} leads to {}.", node,
      turned->passage->source.to_string(), oif, question.to.to_string(), turned->to.to_string());
  finding.fix = {fmt::format("sysctl -w net.ipv4.conf.{}.route_localnet=1", oif)};
  RulePacket packet = packet_of(question, Leg::forward, turned->passage->source, turned->to);
  packet.oif = oif;
  if (lacks_masquerade(question, facts, node, packet)) {
    finding.evidence.push_back(fmt::format("no rule of {} translates what leaves by {} from {}", node, oif,
                                           packet.source.to_string()));
    Departure leaving;
    leaving.node = node;
    leaving.uplink = oif;
    leaving.own = packet.source;
    for (std::string& command : translate_commands(facts, leaving, std::nullopt))
      finding.fix.push_back(std::move(command));
  }
  finding.fix = typed_on(node, question, std::move(finding.fix));
  return finding;
}

/// A packet from outside that a rule turned to an address of 127.0.0.0/8.
std::optional<Finding> coming_in(const Case& question, Facts& facts) {
  const auto turned = turned_at(question, Hook::prerouting);
  if (!turned || !turned->to.is_loopback() || turned->passage->iif.empty() || turned->passage->iif == "lo")
    return std::nullopt;
  const std::string& node = turned->passage->node;
  const std::string& iif = turned->passage->iif;
  if (!ends_there(question, *turned->passage) || !is_off(facts, node, iif)) return std::nullopt;
  Finding finding = found(facts, question, *turned, iif);
  finding.summary = fmt::format(
      "{} takes nothing that comes in by {} to {}, to which a rule turns it: route_localnet is off.", node,
      iif, turned->to.to_string());
  // Switched on, it would let neighbours on the link reach whatever listens on 127.0.0.1 alone.
  finding.evidence.push_back(fmt::format(
      "to be reached by {} the server is to listen on an address of {}'s own: the rule can lead to "
      "that, or be a REDIRECT",
      iif, node));
  finding.fix = typed_on(node, question, look_commands(turned->rule, {}));
  return finding;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  using Status = traffic::ProbeOutcome::Status;
  if (!question.wanted_through() || question.family() != IpFamily::v4 || stopper(question.kernel) ||
      question.outcome.status == Status::replied)
    return std::nullopt;
  auto finding = going_out(question, facts);
  return finding ? finding : coming_in(question, facts);
}

}  // namespace

CauseKind route_localnet_off_cause() {
  return {
      "route-localnet-off",
      "A rule turns a packet from or to 127.0.0.1 across an interface that lets no such address pass.",
      "Addresses of 127.0.0.0/8 stay within their node: the kernel routes nothing with such a source out, "
      "and "
      "takes nothing for one in, unless the interface's `route_localnet` is on. A port of 127.0.0.1 that a "
      "rule "
      "of the hook output leads to a container (CNI's portmap without `snat`, `iptables -t nat -A OUTPUT -d "
      "127.0.0.1 … -j DNAT`) keeps its source 127.0.0.1, and ends there. So does a port of the host's "
      "address "
      "that is turned to a server on 127.0.0.1. Nothing is logged and no rule drops it: the trace ends "
      "behind "
      "the rule that translates. IPv6 has no such setting.",
      "The kernel's trace tells the rule that turned the packet, from 127.0.0.0/8 to somebody else or to "
      "there "
      "from outside; no later hook of that node saw it, and `route_localnet` of the interface and of `all` "
      "is "
      "0. To look oneself: `ip route get 192.168.99.11 from 127.0.0.1` says \"Invalid argument\".",
      "For what goes out to a container:\n```\nsysctl -w net.ipv4.conf.bridge0.route_localnet=1\n"
      "iptables -t nat -A POSTROUTING -s 127.0.0.0/8 -o bridge0 -j MASQUERADE\n```\n"
      "Without the masquerade the container would answer to its own 127.0.0.1. For what comes in "
      "leave "
      "it off: `route_localnet` on an uplink lets "
      "neighbours there reach what listens on 127.0.0.1 alone. Let the server listen on the host's "
      "address, and lead the port there, or use `REDIRECT`. A proxy (`docker-proxy`) needs none of it.",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of({reasons::links(), reasons::steering()})};
}

}  // namespace plumbline::proof
