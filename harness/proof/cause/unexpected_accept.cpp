#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/firewall.hpp"

namespace plumbline::proof {

using namespace firewall;

namespace {

std::string verdict_wanted(const Case& question) {
  return question.how == "drop" ? "drop" : "reject";
}

std::vector<std::string> new_chain(const Leak& leak, const Wanted& deny) {
  const std::string hook = hook_name(leak.hook);
  return {"nft add table inet guard",
          fmt::format("nft add chain inet guard {} '{{ type filter hook {} priority filter; }}'", hook, hook),
          "nft add rule inet guard " + hook + " " + nft_rule(deny)};
}

Finding past_ip(const Leak& leak, const Case& question) {
  const bool told = !question.kernel.blind(question.guard);
  const bool v4 = question.family() == IpFamily::v4;
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format("{} passed the probe on as a frame of {}: its IP rules never saw it.",
                                leak.node, leak.bridge);
  finding.evidence = {leak.seen, told ? fmt::format("the probe was at no hook of {}", leak.node)
                                      : fmt::format("{} shows its rules no frames between ports of a bridge "
                                                    "(net.bridge.bridge-nf-call-{})",
                                                    leak.node, v4 ? "iptables" : "ip6tables")};
  // A bridge can reject only ahead of its decision where a frame goes.
  const bool rejects = question.how == "reject";
  const std::string_view hook = rejects ? "prerouting" : "forward";
  Wanted deny = like(leak.packet);
  deny.iif.clear();
  deny.oif.clear();
  deny.verdict = rejects ? "reject" : "drop";
  finding.fix = {
      "nft add table bridge guard",
      fmt::format("nft add chain bridge guard {} '{{ type filter hook {} priority 0; }}'", hook, hook),
      fmt::format("nft add rule bridge guard {} ether type {} {}", hook, v4 ? "ip" : "ip6", nft_rule(deny))};
  return finding;
}

Finding past_rules(const Leak& leak, const Case& question, Facts& facts) {
  Wanted deny = like(leak.packet);
  deny.verdict = verdict_wanted(question);
  Finding finding;
  finding.certainty = leak.traced ? Certainty::proven : Certainty::likely;
  finding.evidence = {leak.seen};
  const std::string hook = hook_name(leak.hook);
  if (leak.accepts.empty()) {
    finding.summary =
        fmt::format("Nothing filters at the hook {} of {}: no chain there stops the probe.", hook, leak.node);
    finding.fix = new_chain(leak, deny);
    return finding;
  }
  const auto by_rule = std::ranges::find(leak.accepts, false, &RulePlace::policy);
  const RulePlace& first = by_rule == leak.accepts.end() ? leak.accepts.front() : *by_rule;
  finding.summary = first.policy ? fmt::format("No rule of {} stops the probe, and its policy is accept.",
                                               first.chain_text())
                                 : fmt::format("A rule of {} accepts the probe.", first.chain_text());
  for (std::size_t i = 0; i < leak.accepts.size(); ++i) {
    for (const std::string& jump : leak.jumps[i]) finding.evidence.push_back(jump);
    finding.evidence.push_back(leak.accepts[i].to_string());
  }
  finding.fix = {insert_command(facts, first, deny)};
  finding.fix = typed_on(leak.node, question, std::move(finding.fix));
  return finding;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto leak = leaked(question, facts);
  if (!leak || leak->later || open_over_v6(question, facts)) return std::nullopt;
  if (leak->bridged) return past_ip(*leak, question);
  // Not a word about a guard that it never came to, or whose kernel told nothing.
  const bool known =
      !leak->accepts.empty() ||
      base_chains(facts, leak->node, leak->hook, leak->packet.source.family(), "filter").empty();
  if (!leak->traced && (question.kernel.blind(leak->node) == std::nullopt || !known)) return std::nullopt;
  return past_rules(*leak, question, facts);
}

}  // namespace

CauseKind unexpected_accept_cause() {
  return {"unexpected-accept",
          "A rule or policy of the guard let through what it was to stop.",
          "A packet passes a hook when every base chain there accepts it, by a rule or by its policy. So "
          "what leaks is what "
          "no rule names (a range that was forgotten, one bit too long a prefix, another interface), what an "
          "accept above "
          "names first (Docker accepts all that leaves its bridges; `ct state established` takes what began "
          "before the rule "
          "was there), or what comes by a chain that nobody thinks of. Published ports are the classic: "
          "Docker's DNAT turns "
          "them into forwarded packets, which ufw's rules for INPUT never see.",
          "The probe was seen beyond the guard or was answered, and the kernel's trace names what accepted "
          "it at the guard's "
          "hook, with the jumps that led there. A packet that crossed a bridge and met no hook at all is "
          "said to have done "
          "so. Over IPv6 alone it is [ipv6-open](#ipv6-open); with a deny further down, "
          "[forward-rule-order](#forward-rule-order).",
          "Put the deny ahead of the rule that is named:\n"
          "```\nnft insert rule inet filter forward handle 7 iifname bridge0 ip daddr 10.0.0.0/8 reject\n"
          "iptables -I DOCKER-USER -i docker0 -d 10.0.0.0/8 -j REJECT\n```\n"
          "After a change, end what is established already: `conntrack -D -s 192.168.99.11`.",
          recognise,
          CauseKind::Depth::network,
          {"not-on-bridge", "ipv6-open", "forward-rule-order", "destination-translated"}};
}

}  // namespace plumbline::proof
