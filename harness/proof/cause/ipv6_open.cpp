#include <fmt/format.h>

#include "harness/proof/diagnosis/firewall.hpp"

namespace plumbline::proof {

using namespace firewall;

namespace {

std::vector<std::string> shut(const OpenV6& open, const Case& question, Facts& facts) {
  Wanted deny = like(open.leak.packet);
  deny.verdict = question.how == "drop" || question.how == "reject" ? question.how : open.v4.verdict;
  if (!open.leak.accepts.empty()) return {insert_command(facts, open.leak.accepts.front(), deny)};
  const std::string hook = hook_name(open.leak.hook);
  return {"nft add table ip6 guard",
          fmt::format("nft add chain ip6 guard {} '{{ type filter hook {} priority filter; }}'", hook, hook),
          fmt::format("nft add rule ip6 guard {} {}", hook, nft_rule(deny))};
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto open = open_over_v6(question, facts);
  if (!open) return std::nullopt;
  Finding finding;
  finding.certainty = open->leak.traced ? Certainty::proven : Certainty::likely;
  finding.summary = fmt::format("{} stops this over IPv4 alone: over IPv6 the way to {} is open.",
                                open->leak.node, question.to_node);
  finding.evidence = {open->leak.seen,
                      fmt::format("over IPv4, {} > {}: {}", open->v4_packet.source.to_string(),
                                  open->v4_packet.destination.to_string(), open->v4.to_string())};
  for (const RulePlace& accepts : open->leak.accepts)
    finding.evidence.push_back("over IPv6: " + accepts.to_string());
  if (open->leak.accepts.empty())
    finding.evidence.push_back(fmt::format("no chain at the hook {} sees IPv6", hook_name(open->leak.hook)));
  finding.fix = typed_on(open->leak.node, question, shut(*open, question, facts));
  return finding;
}

}  // namespace

CauseKind ipv6_open_cause() {
  return {
      "ipv6-open",
      "What the guard stops over IPv4 gets through over IPv6.",
      "The two families have rules of their own: what `iptables` or a table `ip` says holds for IPv4 alone, "
      "and in a table "
      "`inet` a rule with `ip daddr` does, too. A target with addresses of both families is then shut at one "
      "door and open "
      "at the other, and programs prefer IPv6. It happens when a host is given IPv6 later than its firewall, "
      "when a "
      "script calls `iptables` and never `ip6tables`, and with Docker before 27, which filtered no IPv6 "
      "unless told to.",
      "The probe over IPv6 got past the guard, and the same probe to the same node over IPv4 is stopped by a "
      "rule or "
      "policy that is about IPv4 alone. A rule that accepts this very IPv6 address is taken to be meant, and "
      "is "
      "[unexpected-accept](#unexpected-accept). To look oneself: compare `iptables-save` with "
      "`ip6tables-save`.",
      "Say it for IPv6 as well, best in a table `inet`, where rules without addresses hold for both:\n"
      "```\nip6tables -I FORWARD -i bridge0 -d fc00::/7 -j REJECT\n"
      "nft add rule inet filter forward iifname bridge0 ip6 daddr fc00::/7 reject\n```\n"
      "Let neighbour discovery (ICMPv6) pass the hooks input and output, or IPv6 stops working altogether.",
      recognise};
}

}  // namespace plumbline::proof
