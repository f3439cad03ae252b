#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/nat.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {

using namespace firewall;

namespace {

/// A rule that the probe met and that keeps it from conntrack, without which there is no NAT.
std::optional<RulePlace> kept_from_conntrack(const Case& question, Facts& facts, const Departure& out) {
  for (const Passage& passage : question.kernel.passages) {
    if (passage.node != out.node || passage.leg != Leg::forward) continue;
    for (const RuleMet& rule : passage.rules) {
      if (rule.text.find("notrack") != std::string::npos || rule.text.find("NOTRACK") != std::string::npos)
        return place_of(passage.node, rule);
    }
  }
  for (const Chain* chain : base_chains(facts, out.node, Hook::prerouting, out.own.family(), "filter")) {
    for (const Chain::Rule& rule : chain->rules) {
      const RuleWords words = read_rule(chain->backend, rule.text);
      RulePacket packet = out.packet;
      packet.oif.clear();
      if (rule.text.find("notrack") == std::string::npos ||
          matches_but_for_interfaces(words, packet) != Match::yes)
        continue;
      RulePlace place = place_of(out.node, Decision{chain, &rule, words.verdict, {}, {}});
      return place;
    }
  }
  return std::nullopt;
}

/// Whether it is a container's: held by one, or of a network that the host serves by another interface.
bool is_containers(const Departure& out, Facts& facts) {
  const network::Node* owner = facts.topology().owner_of(out.seen);
  if (owner != nullptr) return owner->role == network::Role::container;
  const network::Node* host = facts.node(out.node);
  const network::Interface* serves = host == nullptr ? nullptr : on_link(*host, out.seen);
  return serves != nullptr && serves->name != out.uplink;
}

Finding found(const Departure& out, const SourceNat& nat, Facts& facts, const Case& question) {
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.evidence = {fmt::format("seen leaving {}:{} as {} > {}", out.node, out.uplink, out.seen.to_string(),
                                  out.destination.to_string())};
  finding.summary = fmt::format("A packet left {} by {} with the container's own address {}.", out.node,
                                out.uplink, out.seen.to_string());
  if (nat.kind != SourceNat::Kind::covers) {
    finding.evidence.push_back(nat.place ? "not translated by " + nat.place->to_string()
                                         : fmt::format("no rule of {}'s nat chains matches it", out.node));
    finding.fix = translate_commands(facts, out, std::nullopt);
    return finding;
  }
  finding.evidence.push_back("not translated, though this rule matches it: " + nat.place->to_string());
  if (const auto rule = kept_from_conntrack(question, facts, out)) {
    finding.evidence.push_back("kept from conntrack, and so from NAT, by " + rule->to_string());
    finding.fix = {delete_command(facts, *rule)};
  } else {
    finding.fix = {fmt::format("conntrack -D -s {}", out.own.to_string())};
  }
  return finding;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto out = departure(question, facts);
  if (!out || out->translated()) return std::nullopt;
  const SourceNat nat = source_nat(question, *out, facts);
  if (question.promise == Case::Promise::silent) {
    if (nat.kind == SourceNat::Kind::doubt || !is_containers(*out, facts)) return std::nullopt;
    return found(*out, nat, facts, question);
  }
  if (!source_promised_otherwise(question, *out) || nat.kind != SourceNat::Kind::covers) return std::nullopt;
  return found(*out, nat, facts, question);
}

}  // namespace

CauseKind nat_leak_cause() {
  return {
      "nat-leak",
      "Packets with a container's own address get out by the uplink.",
      "NAT rests on conntrack: only the first packet of a flow meets the rules, and the rest follow its "
      "entry. What has no "
      "entry, or an old one, leaves as it is: packets that `notrack` exempts, flows that began before the "
      "rule was there, "
      "a FIN or RST that comes after its entry is gone, which conntrack calls invalid. Beyond the host such "
      "packets are "
      "noise at best: providers and clouds drop them or count them as spoofed, and they tell the inner "
      "network's addresses.",
      "A frame on the uplink has a container's address as its source. If a rule of the nat chains matches it "
      "all the same, "
      "that is named, and any rule that kept the packet from conntrack; if none does, that is said. To look "
      "oneself: "
      "`tcpdump -ni ens4 src net 192.168.99.0/24`, `conntrack -L -s 192.168.99.11`.",
      "Drop what is invalid before it leaves, and end old flows after a change of rules:\n"
      "```\nnft insert rule inet filter forward ct state invalid drop\nconntrack -D -s 192.168.99.11\n```\n"
      "Where nothing translates at all, see [missing-masquerade](#missing-masquerade).",
      recognise};
}

}  // namespace plumbline::proof
