#include <fmt/format.h>

#include "harness/proof/diagnosis/firewall.hpp"
#include "harness/proof/diagnosis/reasons.hpp"

namespace plumbline::proof {

using namespace firewall;

namespace {

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto found = blamed(question, facts, Blame::input_drop);
  if (!found) return std::nullopt;
  const Stop& stop = found->stop;
  Finding finding = finding_of(question, *found);
  const char* who = stop.place.policy ? "The policy" : "A rule";
  const char* does = stop.rejects() ? "rejects" : "drops";
  if (found->wrong_way) {
    finding.summary = fmt::format("{} of {} {} the probe, which was to be {}.", who, stop.place.chain_text(),
                                  does, question.how == "drop" ? "dropped" : "rejected");
    Wanted other = like(stop.packet);
    other.verdict = question.how;
    finding.fix = typed_on(stop.place.node, question, {insert_command(facts, stop.place, other)});
    return finding;
  }
  finding.summary = fmt::format("{} of {} {} {}, which is for the node itself.", who, stop.place.chain_text(),
                                does, stop.what());
  finding.fix = typed_on(stop.place.node, question, accept_commands(facts, stop));
  return finding;
}

}  // namespace

CauseKind input_drop_cause() {
  return {
      "input-drop",
      "A node's own firewall drops a packet that is for the node itself.",
      "The hook input sees what is for the node itself: its gateway address, its resolver, its published "
      "ports. A "
      "policy of drop there (ufw, firewalld, a cloud image) shuts out containers as well as strangers: they "
      "reach the internet, but not the host, and a resolver on the bridge (dnsmasq, aardvark-dns, "
      "systemd-resolved) "
      "stays mute. Docker opens FORWARD for its networks and never INPUT. For IPv6 mind that neighbour "
      "discovery "
      "is ICMPv6 and passes here, too: without it nothing else arrives.",
      "The kernel's trace shows the packet at the hook input (or at prerouting, for an address of the node's "
      "own), and "
      "the rule or policy that stopped it; or it came in, nobody got it, and the rules leave no other "
      "outcome. "
      "To look oneself: `iptables -S INPUT`, `nft list ruleset`, ufw's log lines `[UFW BLOCK]`.",
      "Accept what the containers need, by the bridge it comes in:\n"
      "```\nnft add rule inet filter input iifname bridge0 udp dport 53 accept\n"
      "iptables -I INPUT -i bridge0 -p udp --dport 53 -j ACCEPT\nufw allow in on bridge0 to any port "
      "53\n```\n"
      "With firewalld, put the bridge into the zone `trusted` or one of its own.",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of({reasons::links(), reasons::frames(), reasons::steering(), {"pmtu-black-hole"}})};
}

}  // namespace plumbline::proof
