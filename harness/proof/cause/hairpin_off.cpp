#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/publishing.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/routing.hpp"
#include "harness/proof/diagnosis/rule_words.hpp"

namespace plumbline::proof {
namespace {

using traffic::Direction;
using Status = traffic::ProbeOutcome::Status;

/// A packet that came to the host by a bridge's port and was sent back, by NAT, to a node behind that bridge.
struct Turned {
  const Sighting* came = nullptr;
  std::string bridge;
  IpAddress source;   ///< the sender's
  IpAddress address;  ///< the published one
  IpAddress behind;   ///< where the rule sends it
  std::string by;     ///< the rule's words; empty: only conntrack, or the packet itself, tells
};

const RuleMet* translating(const Passage& passage) {
  const auto found = std::ranges::find_if(passage.rules, [](const RuleMet& rule) {
    return firewall::read_rule(rule.backend, rule.text).translates_destination();
  });
  return found == passage.rules.end() ? nullptr : &*found;
}

/// Where the host has sent what was for `address`.
std::optional<IpAddress> translated(const Case& question, const IpAddress& address) {
  for (const Translation& known : question.kernel.translations) {
    const bool same = known.node == question.host && known.original.destination == address;
    if (same && known.destination_translated) return known.reply.source;
  }
  for (const Passage& passage : question.kernel.passages) {
    const bool later = passage.hook == Hook::forward || passage.hook == Hook::postrouting;
    if (passage.node != question.host || passage.leg != Leg::forward || !later) continue;
    if (passage.destination != address) return passage.destination;
  }
  for (const Sighting& sighting : question.journey.sightings) {
    if (sighting.leg == Leg::forward && sighting.packet.ip && sighting.packet.ip->destination != address)
      return sighting.packet.ip->destination;
  }
  // A bridge that dropped it before the next hook: only the rule's own words are left.
  for (const Passage& passage : question.kernel.passages) {
    if (passage.node != question.host || passage.leg != Leg::forward) continue;
    const RuleMet* rule = translating(passage);
    if (rule == nullptr) continue;
    if (const auto to = firewall::lead_of(rule->text).address) return to;
  }
  return std::nullopt;
}

std::optional<Turned> turned(const Case& question, Facts& facts) {
  const Sighting* came = nullptr;
  for (const Sighting& sighting : question.journey.sightings) {
    const bool in = sighting.leg == Leg::forward && sighting.node == question.host && sighting.packet.ip &&
                    sighting.packet.direction != Direction::out && sighting.interface != "lo";
    if (in && came == nullptr) came = &sighting;
  }
  const network::Node* host = facts.node(question.host);
  if (came == nullptr || host == nullptr || question.from == question.host) return std::nullopt;
  Turned found;
  found.came = came;
  found.bridge = layer3(*host, came->interface);
  found.source = came->packet.ip->source;
  found.address = came->packet.ip->destination;
  const auto behind = translated(question, found.address);
  if (found.bridge == came->interface || !behind || behind->is_loopback()) return std::nullopt;
  found.behind = *behind;
  for (const Passage& passage : question.kernel.passages) {
    if (passage.node != question.host || passage.leg != Leg::forward) continue;
    if (const RuleMet* rule = translating(passage)) found.by = rule_text(passage, *rule);
  }
  return found;
}

/// The port of the host's bridge behind which `node` is.
std::optional<std::string> port_towards(Facts& facts, const std::string& host, const std::string& bridge,
                                        const std::string& node) {
  const network::Node* known = facts.topology().find(host);
  if (known == nullptr) return std::nullopt;
  for (const network::Interface& port : known->interfaces) {
    if (port.master == bridge && port.peer && port.peer->node == node) return port.name;
  }
  return std::nullopt;
}

Finding began(const Turned& turn, const std::string& target) {
  Finding finding;
  finding.evidence = {
      fmt::format("{} > {} came in by {}", turn.source.to_string(), turn.address.to_string(),
                  place(*turn.came)),
      turn.by.empty()
          ? fmt::format("it is translated to {}, which is {} behind the same bridge", turn.behind.to_string(),
                        target)
          : fmt::format("sent on to {} ({}) by the {}", turn.behind.to_string(), target, turn.by)};
  return finding;
}

/// The bridge does not give a frame back to the port that it came from.
std::optional<Finding> by_port(const Case& question, Facts& facts, const Turned& turn,
                               const std::string& target) {
  const auto port = port_towards(facts, question.host, turn.bridge, target);
  if (!port || target != question.from || turn.came->interface != *port) return std::nullopt;
  const auto link = facts.link(question.host, *port);
  const auto nf =
      facts.sysctl(question.host, question.family() == IpFamily::v4 ? "net/bridge/bridge-nf-call-iptables"
                                                                    : "net/bridge/bridge-nf-call-ip6tables");
  // Without bridge netfilter the host routes it, and a bridge sends its own frames by any port.
  if (!link || !link->port || link->port->hairpin || nf != "1") return std::nullopt;
  for (const Sighting& sighting : question.journey.sightings) {
    const bool back = sighting.leg == Leg::forward && sighting.node == question.host &&
                      sighting.interface == *port && sighting.packet.direction == Direction::out;
    if (back) return std::nullopt;
  }
  Finding finding = began(turn, target);
  finding.summary = fmt::format(
      "{} asks for itself by {}, and {}'s port {} does not send a frame back where it came "
      "from (hairpin mode is off).",
      target, turn.address.to_string(), question.host, *port);
  finding.evidence.push_back(
      fmt::format("hairpin mode of {}:{} is off, and nothing left by it", question.host, *port));
  finding.fix = {fmt::format("ip link set dev {} type bridge_slave hairpin on", *port)};
  return finding;
}

std::string masquerade(const Case& question, Facts& facts, const Turned& turn) {
  const Prefix network = network_of(facts, turn.source);
  const bool v4 = turn.source.is_v4();
  const char* family = v4 ? "ip" : "ip6";
  for (const Chain& chain : facts.chains(question.host)) {
    if (chain.type != "nat" || chain.hook != Hook::postrouting) continue;
    const bool fits = chain.family == family || chain.family == "inet";
    if (!fits) continue;
    const bool legacy = chain.backend == RuleMet::Backend::iptables_legacy;
    if (legacy || (chain.name == "POSTROUTING" && chain.family == family)) {
      return fmt::format("{}tables{} -t nat -A POSTROUTING -s {} -d {} -j MASQUERADE", v4 ? "ip" : "ip6",
                         legacy ? "-legacy" : "", network.to_string(), network.to_string());
    }
    return fmt::format("nft add rule {} {} {} {} saddr {} {} daddr {} masquerade", chain.family, chain.table,
                       chain.name, family, network.to_string(), family, network.to_string());
  }
  return fmt::format("{}tables -t nat -A POSTROUTING -s {} -d {} -j MASQUERADE", v4 ? "ip" : "ip6",
                     network.to_string(), network.to_string());
}

/// It arrived with the sender's own source, so that the answer goes straight to the sender, or is the
/// sender's own packet.
std::optional<Finding> without_snat(const Case& question, Facts& facts, const Turned& turn,
                                    const std::string& target) {
  const Sighting* arrival = nullptr;
  for (const Sighting& sighting : question.journey.sightings) {
    const bool in = sighting.leg == Leg::forward && sighting.node == target && sighting.packet.ip &&
                    sighting.packet.direction != Direction::out &&
                    sighting.packet.ip->destination == turn.behind;
    if (in) arrival = &sighting;
  }
  if (arrival == nullptr || arrival->packet.ip->source != turn.source) return std::nullopt;
  const bool itself = target == question.from;
  bool past_the_host = false;
  for (const Sighting& sighting : question.journey.sightings) {
    const bool home = sighting.leg != Leg::forward && sighting.node == question.from && sighting.packet.ip &&
                      sighting.packet.direction != Direction::out;
    past_the_host = past_the_host || (home && sighting.packet.ip->source == turn.behind);
  }
  if (!itself && !past_the_host) return std::nullopt;
  Finding finding = began(turn, target);
  finding.certainty = Certainty::proven;
  finding.summary =
      itself
          ? fmt::format(
                "{} asks for itself by {}, and gets the packet back with its own address as the source, "
                "which it does not take.",
                target, turn.address.to_string())
          : fmt::format(
                "{} asked {}, and {} answers it directly as {}: both are behind one bridge, and {} does not "
                "translate the source.",
                question.from, turn.address.to_string(), target, turn.behind.to_string(), question.host);
  finding.evidence.push_back(
      fmt::format("it came to {} with the source {}", place(*arrival), turn.source.to_string()));
  finding.fix = {masquerade(question, facts, turn)};
  return finding;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (question.outcome.status == Status::replied || question.host.empty()) return std::nullopt;
  if (stopper(question.kernel)) return std::nullopt;
  const auto turn = turned(question, facts);
  if (!turn) return std::nullopt;
  const network::Node* target = facts.topology().owner_of(turn->behind);
  if (target == nullptr || !port_towards(facts, question.host, turn->bridge, target->name))
    return std::nullopt;
  if (auto finding = by_port(question, facts, *turn, target->name)) return finding;
  return without_snat(question, facts, *turn, target->name);
}

}  // namespace

CauseKind hairpin_off_cause() {
  return {
      "hairpin-off",
      "A published address does not work from behind the bridge to which it leads.",
      "A port published on the host's address is a DNAT rule. From outside that is enough; from a container "
      "on "
      "the same bridge the packet must turn round. Two things are needed for that. With br_netfilter on, a "
      "container that asks for itself has its frame translated inside the bridge, which sends no frame back "
      "by "
      "the port it came from unless that port has hairpin mode. And the source must be masqueraded: "
      "otherwise a "
      "neighbour answers the asker directly, from an address that the asker never asked, and a container "
      "that "
      "asks for itself sees a packet from its own address and drops it. Docker does both, or runs its "
      "userland "
      "proxy instead; of the CNI plugins, `bridge` has `hairpinMode` and `portmap` has `snat`.",
      "The packet came in by a port of the bridge, was translated to a node behind the same bridge, and "
      "either "
      "did not leave, while the port that it needs is the one it came by and has hairpin mode off; or "
      "arrived "
      "there with the sender's own source, and the answer came from an address that was not asked, or never.",
      "Look with `bridge -d link show dev veth1` (\"hairpin off\") and `conntrack -L -d ADDRESS`.\n"
      "```\nip link set dev veth1 type bridge_slave hairpin on\n"
      "nft add rule ip nat postrouting ip saddr 192.168.99.0/24 ip daddr 192.168.99.0/24 masquerade\n```\n"
      "To keep it: `\"hairpinMode\": true` in the CNI list, Docker's `\"userland-proxy\": false`.",
      recognise};
}

}  // namespace plumbline::proof
