#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/nat.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"
#include "harness/proof/diagnosis/routing.hpp"
#include "harness/proof/diagnosis/rule_words.hpp"

namespace plumbline::proof {
namespace {

constexpr std::array<std::string_view, 3> kReasons{"IP_LOCAL_SOURCE", "IP_INVALID_SOURCE", "IP_LOCALNET"};

bool is_on(Facts& facts, const std::string& node, std::string_view interface, std::string_view switch_name) {
  for (const std::string_view each : {std::string_view("all"), interface}) {
    if (facts.sysctl(node, fmt::format("net/ipv4/conf/{}/{}", each, switch_name)) == "1") return true;
  }
  return false;
}

bool nobodys(const IpAddress& source) {
  static const Prefix kThisNetwork = Prefix::parse("0.0.0.0/8").value();
  return source.is_multicast() || source.is_unspecified() || kThisNetwork.contains(source) ||
         source == IpAddress::v4({255, 255, 255, 255});
}

/// Why nobody outside may have this source. Empty: anybody may.
std::string offence(Facts& facts, const network::Node& node, const std::string& iif,
                    const IpAddress& source) {
  if (nobodys(source)) return "no sender can have that address";
  if (source.is_loopback()) {
    const bool allowed = source.is_v4() && is_on(facts, node.name, iif, "route_localnet");
    return allowed ? std::string() : fmt::format("loopback addresses do not come from outside");
  }
  // IPv6 takes its own addresses from outside.
  if (!source.is_v4() || !holds(node, source) || is_on(facts, node.name, iif, "accept_local")) return {};
  return fmt::format("it is {}'s own address", node.name);
}

/// Who gave it that source, and the rule if the kernel told.
struct Origin {
  std::string node;
  bool translated = false;
  const Passage* passage = nullptr;
  const RuleMet* rule = nullptr;
};

bool translates(const RuleMet& rule) {
  return firewall::read_rule(rule.backend, rule.text).translates_source();
}

Origin origin_of(const Case& question, const Sighting& arrival) {
  Origin origin{question.from, false, nullptr, nullptr};
  const IpAddress& source = arrival.packet.ip->source;
  std::optional<IpAddress> before;
  for (const Sighting& sighting : question.journey.sightings) {
    if (sighting.leg != arrival.leg || !sighting.packet.ip) continue;
    if (before && *before != source && sighting.packet.ip->source == source) {
      origin.node = sighting.node;
      origin.translated = true;
      break;
    }
    before = sighting.packet.ip->source;
    if (&sighting == &arrival) break;
  }
  for (const Passage& passage : question.kernel.passages) {
    const bool otherwise = passage.leg == arrival.leg && passage.source != source;
    if (!otherwise || (origin.translated && passage.node != origin.node)) continue;
    const auto rule = std::ranges::find_if(passage.rules, translates);
    if (rule == passage.rules.end()) continue;
    origin.node = passage.node;
    origin.translated = true;
    origin.passage = &passage;
    origin.rule = &*rule;
  }
  return origin;
}

/// A packet of a loopback address that passed its sender's last hook on its way to somebody else. Null: none.
const Passage* sent_out(const Case& question, const std::string& node) {
  const auto& passages = question.kernel.passages;
  const auto found = std::ranges::find_if(passages, [&](const Passage& passage) {
    return passage.node == node && passage.leg == Leg::forward && !passage.bridge &&
           passage.hook == Hook::postrouting && passage.source.is_v4() && passage.source.is_loopback() &&
           !passage.destination.is_loopback() && !passage.oif.empty() && passage.oif != "lo" &&
           passage.verdict == "accept" && std::ranges::none_of(passage.rules, translates);
  });
  return found == passages.end() ? nullptr : &*found;
}

/// A node's own packet to one of its 127.0.0.0/8 that is sent out with such a source: it must be translated.
std::vector<std::string> translate(const Case& question, Facts& facts, const std::string& node,
                                   const std::string& oif, const IpAddress& source,
                                   const IpAddress& destination) {
  firewall::Departure leaving;
  leaving.node = node;
  leaving.uplink = oif;
  leaving.own = leaving.seen = source;
  leaving.destination = destination;
  return firewall::typed_on(node, question, firewall::translate_commands(facts, leaving, std::nullopt));
}

std::vector<std::string> mend(const Case& question, Facts& facts, const Origin& origin,
                              const IpAddress& source) {
  if (origin.rule != nullptr && origin.rule->backend == RuleMet::Backend::nftables) {
    return {on(origin.node, question,
               fmt::format("nft delete rule {} {} {} handle {}", origin.rule->family, origin.rule->table,
                           origin.rule->chain, origin.rule->number))};
  }
  if (origin.rule != nullptr) {
    const char* program = origin.rule->family == "ip6" ? "ip6tables-legacy" : "iptables-legacy";
    return {on(origin.node, question,
               fmt::format("{} -t {} -D {} {}", program, origin.rule->table, origin.rule->chain,
                           origin.rule->number))};
  }
  const network::Node* node = origin.translated ? nullptr : facts.node(origin.node);
  if (node == nullptr) return {};
  if (source.is_v4() && source.is_loopback()) {
    const Passage* out = sent_out(question, origin.node);
    if (out == nullptr) return {};
    return translate(question, facts, origin.node, out->oif, source, out->destination);
  }
  for (const network::Interface& interface : node->interfaces) {
    for (const InterfaceAddress& held : interface.addresses) {
      if (held.address != source || source.is_loopback()) continue;
      return {
          on(node->name, question, fmt::format("ip addr del {} dev {}", held.to_string(), interface.name))};
    }
  }
  return {};
}

std::optional<Finding> judge(const Case& question, Facts& facts, const Sighting& arrival) {
  const network::Node* node = facts.node(arrival.node);
  const IpAddress& source = arrival.packet.ip->source;
  if (node == nullptr || arrival.interface == "lo") return std::nullopt;
  // What a node sends to itself by way of another is a matter of hairpins; not so what only passes it again.
  const bool own = arrival.leg == Leg::forward && arrival.node == question.from;
  if (own && holds(*node, arrival.packet.ip->destination)) return std::nullopt;
  const std::string iif = layer3(*node, arrival.interface);
  const Drop* drop = nullptr;
  for (const std::string_view reason : kReasons) {
    if (drop == nullptr) drop = dropped(question.kernel, reason, arrival.node);
  }
  const std::string why = offence(facts, *node, iif, source);
  if (why.empty()) return std::nullopt;
  RouteQuestion in{arrival.packet.ip->destination, source, iif, 0};
  const int refused = source.is_v4() ? facts.route(arrival.node, in).error : 0;
  if (drop == nullptr && source.is_v4() && refused != EINVAL) return std::nullopt;
  const Origin origin = origin_of(question, arrival);
  Finding finding;
  finding.certainty = drop != nullptr || refused == EINVAL ? Certainty::proven : Certainty::likely;
  finding.summary = fmt::format(
      "{} takes no packet from {} on {}: {}{}.", arrival.node, source.to_string(), iif, why,
      origin.translated ? fmt::format("; {} put it in as the source", origin.node) : std::string());
  finding.evidence = {fmt::format("{} > {} came in by {} and was seen no more", source.to_string(),
                                  arrival.packet.ip->destination.to_string(), place(arrival))};
  if (refused == EINVAL) {
    finding.evidence.push_back(fmt::format("the kernel of {} refuses to route a packet from {} on {}",
                                           arrival.node, source.to_string(), iif));
  }
  if (drop != nullptr) finding.evidence.push_back("the kernel's reason for the drop: " + drop->reason);
  if (origin.rule != nullptr)
    finding.evidence.push_back("translated by the " + rule_text(*origin.passage, *origin.rule));
  finding.fix =
      own ? std::vector<std::string>{on(node->name, question,
                                        fmt::format("sysctl -w net.ipv4.conf.{}.accept_local=1", iif))}
          : mend(question, facts, origin, source);
  return finding;
}

/// Any interface by which it can be asked for the address takes packets from 127.0.0.0/8.
bool takes_loopback(Facts& facts, const network::Node& node, const IpAddress& address) {
  return std::ranges::any_of(node.interfaces, [&](const network::Interface& interface) {
    const bool near = std::ranges::any_of(
        interface.addresses, [&](const InterfaceAddress& held) { return held.network().contains(address); });
    return near && is_on(facts, node.name, interface.name, "route_localnet");
  });
}

/// The node asks its link for the next hop in the name of 127.0.0.1, and whoever is asked takes that for
/// forged.
std::optional<Finding> unanswered(const Case& question, Facts& facts) {
  const Passage* out = sent_out(question, question.from);
  if (out == nullptr || question.journey.left(question.from) != nullptr) return std::nullopt;
  const bool asking = std::ranges::any_of(facts.neighbours(question.from), [&](const NeighbourFact& known) {
    using State = kernel::netlink::NeighbourState;
    return known.dev == out->oif && known.address == out->destination &&
           (known.state == State::incomplete || known.state == State::failed);
  });
  const network::Node* other = facts.topology().owner_of(out->destination);
  if (!asking || other == nullptr || takes_loopback(facts, *other, out->destination)) return std::nullopt;
  const std::string source = out->source.to_string();
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format("{} sends to {} by {} as {}, from which nobody outside takes a packet.",
                                question.from, out->destination.to_string(), out->oif, source);
  finding.evidence = {fmt::format("{} > {} passed postrouting of {}, and no rule there translated it", source,
                                  out->destination.to_string(), question.from),
                      fmt::format("{} asks {} for its hardware address in vain: {} takes no question of {}",
                                  question.from, out->destination.to_string(), other->name, source)};
  finding.fix = translate(question, facts, question.from, out->oif, out->source, out->destination);
  return finding;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  using Status = traffic::ProbeOutcome::Status;
  if (stopper(question.kernel) || question.outcome.status == Status::replied) return std::nullopt;
  if (auto finding = unanswered(question, facts)) return finding;
  for (const Leg leg : {Leg::reply, Leg::forward}) {
    const Sighting* arrival = came_last(question, leg);
    if (arrival != nullptr) return judge(question, facts, *arrival);
  }
  return std::nullopt;
}

}  // namespace

CauseKind martian_source_cause() {
  return {
      "martian-source",
      "The packet's source is an address that cannot come from there.",
      "A kernel drops what claims to come from itself (its own address, seen from outside), from "
      "127.0.0.0/8, "
      "from a multicast or broadcast address, without any ICMP error. One comes to it by a container or a "
      "neighbour that was given the host's own address, by a SNAT rule that puts in the receiver's address, "
      "or by a port that was published on 127.0.0.1 with `route_localnet` and without a masquerade, so that "
      "the container sees 127.0.0.1 as the sender.",
      "The packet came in and was seen no more, no rule dropped it, its source is one of these, and the "
      "kernel refuses it in its own lookup (EINVAL), or names the drop (IP_LOCAL_SOURCE, IP_INVALID_SOURCE, "
      "IP_LOCALNET). Or it passed its sender's last hook with a source of 127.0.0.0/8, no rule translated "
      "it, "
      "and the neighbour does not answer ARP that names such a sender.",
      "Look with `sysctl -w net.ipv4.conf.all.log_martians=1` and `dmesg`: it says \"martian source\". Take "
      "the "
      "address from the one that should not have it, or the rule that puts it in:\n"
      "```\nip addr del 192.168.16.10/24 dev eth0\nnft delete rule ip nat postrouting handle 7\n```\n"
      "What leaves with 127.0.0.1 needs a masquerade: `iptables -t nat -A POSTROUTING -s 127.0.0.0/8 -o "
      "bridge0 "
      "-j MASQUERADE`.\n"
      "`accept_local=1` takes own addresses from outside: for load balancers with direct return, not as a "
      "remedy.",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of({reasons::links(),
                       reasons::frames(),
                       reasons::steering(),
                       reasons::translation(),
                       {"hairpin-off"}})};
}

}  // namespace plumbline::proof
