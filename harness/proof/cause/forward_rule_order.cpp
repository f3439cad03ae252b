#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/firewall.hpp"
#include "harness/proof/diagnosis/reasons.hpp"

namespace plumbline::proof {

using namespace firewall;

namespace {

std::optional<Finding> too_late_to_deny(const Case& question, Facts& facts) {
  const auto leak = leaked(question, facts);
  if (!leak || !leak->later) return std::nullopt;
  const auto early = std::ranges::find_if(leak->accepts, [&](const RulePlace& place) {
    return place.chain_text() == leak->later->chain_text() && !place.policy;
  });
  if (early == leak->accepts.end()) return std::nullopt;
  Finding finding;
  finding.certainty = leak->traced ? Certainty::proven : Certainty::likely;
  finding.summary = fmt::format("In {} a rule accepts the probe before the one that would {} it.",
                                early->chain_text(), leak->later->verdict);
  finding.evidence = {leak->seen, early->to_string(), "comes too late: " + leak->later->to_string()};
  Wanted deny = like(leak->packet);
  deny.verdict = leak->later->verdict;
  finding.fix = typed_on(early->node, question, {insert_command(facts, *early, deny)});
  return finding;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto found = blamed(question, facts, Blame::forward_rule_order);
  if (!found) return too_late_to_deny(question, facts);
  Finding finding = finding_of(question, *found);
  const Stop& stop = found->stop;
  finding.summary = fmt::format("In {} a rule {}s {} before the one that would accept it.",
                                stop.place.chain_text(), stop.place.verdict, stop.what());
  finding.evidence.push_back("comes too late: " + found->accepts->to_string());
  if (found->dead) finding.evidence.emplace_back("whatever that one would accept, the first one has taken");
  finding.fix = typed_on(stop.place.node, question, accept_commands(facts, stop));
  return finding;
}

}  // namespace

CauseKind forward_rule_order_cause() {
  return {
      "forward-rule-order",
      "The right rule for a packet that is to be forwarded comes after one that decides otherwise.",
      "A chain's rules are asked one after the other, and the first that accepts or drops has the last word "
      "in its chain. An exception that comes after the rule from which it excepts is never asked. That "
      "happens with `iptables -A`, which appends, where `-I` was needed; with scripts that run twice, or in "
      "another order at boot; and with tools that each add rules of their own to `FORWARD`. A deny that "
      "comes after a general accept is the same mistake and opens what was to be shut.",
      "The kernel's trace (or, without it, the rules as they are) shows the rule that decided, and later in "
      "the same chain stands one that matches the packet for certain, decides otherwise, and is at least as "
      "narrow in its addresses and ports. To look oneself: `nft -a list chain inet filter forward`, "
      "`iptables -S FORWARD`.",
      "Put the narrower rule first:\n"
      "```\nnft insert rule inet filter forward handle 7 ip daddr 192.168.16.53 udp dport 53 accept\n"
      "iptables -I FORWARD 3 -d 192.168.16.53 -p udp --dport 53 -j ACCEPT\n```\n"
      "Load rulesets as a whole (`nft -f`, `iptables-restore`), so that their order is the one in the file.",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of(
          {reasons::links(), reasons::frames(), reasons::steering(), {"pmtu-black-hole", "wrong-gateway"}})};
}

}  // namespace plumbline::proof
