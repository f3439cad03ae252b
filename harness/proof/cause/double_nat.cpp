#include <fmt/format.h>

#include <map>
#include <set>

#include "harness/proof/diagnosis/nat.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {

using namespace firewall;

namespace {

/// A node beyond the host that sent the probe on under another source than it had come with.
struct Second {
  std::string node;
  const Sighting* out = nullptr;
  IpAddress before, after;
};

std::optional<Second> translated_again(const Case& question, const Departure& out) {
  std::map<std::string, std::set<IpAddress>> came;  // to each node, by the packet's source
  for (const Sighting& sighting : question.journey.sightings) {
    if (sighting.leg != Leg::forward || !sighting.packet.ip || sighting.node == out.node) continue;
    const IpAddress& source = sighting.packet.ip->source;
    std::set<IpAddress>& sources = came[sighting.node];
    if (sighting.packet.direction != traffic::Direction::out)
      sources.insert(source);
    else if (sources.contains(out.seen) && !sources.contains(source))
      return Second{sighting.node, &sighting, out.seen, source};
  }
  return std::nullopt;
}

/// The rule that did it: met, or the one of the node's nat chains that matches.
std::optional<RulePlace> rule_of(const Case& question, const Second& second, Facts& facts) {
  const auto is_snat = [](const RuleWords& words) {
    return words.verdict == RuleWords::Verdict::masquerade || words.verdict == RuleWords::Verdict::snat;
  };
  for (const Passage& passage : question.kernel.passages) {
    if (passage.node != second.node || passage.leg != Leg::forward) continue;
    for (const RuleMet& rule : passage.rules) {
      if (is_snat(read_rule(rule.backend, rule.text))) return place_of(second.node, rule);
    }
  }
  RulePacket packet = packet_of(question, Leg::forward, second.before, second.out->packet.ip->destination);
  packet.oif = second.out->interface;
  for (const Chain* chain : base_chains(facts, second.node, Hook::postrouting, question.family(), "nat")) {
    const Decision decision = decide(facts.chains(second.node), *chain, packet);
    if (decision.rule != nullptr && decision.certain()) return place_of(second.node, decision);
  }
  return std::nullopt;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (question.promise != Case::Promise::egress) return std::nullopt;
  const auto out = departure(question, facts);
  if (!out || !question.as || out->uplink != question.via || out->seen != *question.as) return std::nullopt;
  const auto second = translated_again(question, *out);
  if (!second) return std::nullopt;
  const auto rule = rule_of(question, *second, facts);
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format("{} translates the source once more: from {} to {}.", second->node,
                                second->before.to_string(), second->after.to_string());
  finding.evidence = {fmt::format("it left {}:{} as {}", out->node, out->uplink, second->before.to_string()),
                      fmt::format("it left {} as {}", place(*second->out), second->after.to_string())};
  if (rule) {
    finding.evidence.push_back(rule->to_string());
    finding.fix = typed_on(second->node, question, std::vector<std::string>{delete_command(facts, *rule)});
  } else {
    finding.fix = typed_on(second->node, question, std::vector<std::string>{"nft -a list ruleset"});
  }
  return finding;
}

}  // namespace

CauseKind double_nat_cause() {
  return {
      "double-nat",
      "A router beyond the host translates the source once more.",
      "The host puts its own address into its containers' packets, and then the next router puts in another: "
      "a "
      "home router or provider with carrier-grade NAT (100.64.0.0/10), a cloud's NAT gateway, a virtual "
      "machine's NAT network with the container host inside. Most things work, but the far end sees the "
      "router's address: allow lists and logs name the wrong one, nothing can be published, ports run out "
      "sooner, and an idle connection dies by whichever of the two forgets it first.",
      "The probe left the host by the promised uplink with the promised source, and a node further on sent "
      "it "
      "on with another. Its rule is named where it can be read. To look oneself: compare `tcpdump` on both "
      "sides of the router, or ask a server which address it sees (`curl ifconfig.co`).",
      "Where the second translation is not meant, take it out, or exempt the host's address:\n"
      "```\nnft insert rule ip nat postrouting ip saddr 192.168.16.10 accept\n```\n"
      "Else promise the address that is seen outside (`as:`), or put the router into bridge mode.",
      recognise};
}

}  // namespace plumbline::proof
