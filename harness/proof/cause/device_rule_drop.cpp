#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/firewall.hpp"

namespace plumbline::proof {

using namespace firewall;

namespace {

/// Who of the chains of the device at which it was dropped did it, where its rules leave no doubt.
std::optional<Stop> dropped_by_device(const Case& question, const Drop& drop, Facts& facts) {
  Stop stop;
  stop.leg = drop.leg;
  stop.packet = packet_of(question, drop.leg, drop.source, drop.destination);
  const auto& chains = facts.chains(drop.node);
  for (const Chain& chain : chains) {
    const bool sits_there = std::ranges::find(chain.devices, drop.interface) != chain.devices.end();
    if (chain.family != "netdev" || !sits_there) continue;
    const Decision decision = decide(chains, chain, stop.packet);
    if (!decision.certain() || !decision.stops()) continue;
    stop.place = place_of(drop.node, decision);
    return stop;
  }
  return std::nullopt;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (!question.was_sent() || !question.wanted_through() || stopper(question.kernel)) return std::nullopt;
  for (const Drop& drop : question.kernel.drops) {
    if (drop.reason != "NETFILTER_DROP") continue;
    const auto stop = dropped_by_device(question, drop, facts);
    if (!stop) continue;
    const bool told = !question.kernel.blind(drop.node);
    Finding finding;
    finding.certainty = told ? Certainty::proven : Certainty::likely;
    finding.summary = fmt::format("{} of {} drops {} to {} at {}, before or behind all that IP sees.",
                                  stop->place.policy ? "The policy" : "A rule", stop->place.chain_text(),
                                  stop->what(), drop.destination.to_string(), drop.interface);
    finding.evidence = {fmt::format("{} dropped it at {}: {} in {}{}", drop.node, drop.interface, drop.reason,
                                    drop.function, told ? ", and no rule at IP's hooks did" : ""),
                        stop->place.to_string()};
    // Such chains know no connections: without its source, whoever sends from that port would pass.
    Wanted pass = like(stop->packet);
    pass.source = drop.source;
    finding.fix = typed_on(drop.node, question, {insert_command(facts, stop->place, pass)});
    finding.opens = Finding::Barrier{drop.node, true};
    return finding;
  }
  return std::nullopt;
}

}  // namespace

CauseKind device_rule_drop_cause() {
  return {"device-rule-drop",
          "A rule or policy of nftables' netdev family drops the packet at a device.",
          "Chains of the family `netdev` sit at a device itself: `ingress` before, `egress` behind all that "
          "bridges, "
          "IP and conntrack do. They are made against floods and forged addresses, for macvlans, and by some "
          "network "
          "plugins. Neither `iptables -L` nor `nft list table inet filter` shows them, no trace reaches "
          "them, and "
          "`tcpdump` still sees what `ingress` then drops.",
          "The kernel says that a firewall dropped the packet (`NETFILTER_DROP`, told to root alone), no "
          "rule at the "
          "hooks of IP or of bridges did, and a chain of the device has a rule that drops it for certain. To "
          "look "
          "oneself: `nft -a list ruleset netdev`.",
          "Let it pass ahead of the rule that is named:\n"
          "```\nnft insert rule netdev guard ingress-ens4 handle 3 ip saddr 203.0.113.80 accept\n```\n"
          "Such chains know no connections: answers need rules of their own.",
          recognise};
}

}  // namespace plumbline::proof
