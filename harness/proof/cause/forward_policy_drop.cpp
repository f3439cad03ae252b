#include <fmt/format.h>

#include "harness/proof/diagnosis/firewall.hpp"
#include "harness/proof/diagnosis/reasons.hpp"

namespace plumbline::proof {

using namespace firewall;

namespace {

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto found = blamed(question, facts, Blame::forward_policy_drop);
  if (!found) return std::nullopt;
  const Stop& stop = found->stop;
  Finding finding = finding_of(question, *found);
  if (found->wrong_way) {
    finding.summary = fmt::format("No rule rejects the probe: the policy of {} drops it in silence.",
                                  stop.place.chain_text());
    Wanted reject = like(stop.packet);
    reject.verdict = "reject";
    finding.fix = typed_on(stop.place.node, question, {insert_command(facts, stop.place, reject)});
    return finding;
  }
  finding.summary = fmt::format("No rule of {} accepts {}, from {} to {}, and its policy is drop.",
                                stop.place.chain_text(), stop.what(), stop.packet.iif, stop.packet.oif);
  finding.fix = typed_on(stop.place.node, question, accept_commands(facts, stop));
  return finding;
}

}  // namespace

CauseKind forward_policy_drop_cause() {
  return {
      "forward-policy-drop",
      "No rule accepts a packet that is to be forwarded, and the chain's policy drops it.",
      "A base chain at the hook forward ends with a policy. Where that is drop, whatever no rule accepts "
      "is dropped in silence. Docker sets the policy of `FORWARD` to DROP where it switches forwarding on, "
      "ufw does "
      "so by default: networks that somebody else made beside them, a bridge by hand, libvirt's or LXC's, "
      "lose their way out by that. Every base chain at the hook must accept a packet: an accept in one "
      "table does not make up for a drop in another.",
      "The kernel's trace shows the packet at the end of a base chain whose policy is drop; or the packet "
      "came in and never left, and no rule of the chain can have matched it. To look oneself: "
      "`nft list chains` and `iptables -S FORWARD` show policies, `nft monitor trace` the way of a packet.",
      "Accept the way that is meant to be open, and the answers on their way back:\n"
      "```\nnft add rule inet filter forward iifname bridge0 oifname ens4 ip daddr 203.0.113.80 tcp dport 80 "
      "accept\n"
      "nft insert rule inet filter forward ct state established,related accept\n```\n"
      "The fix names what was asked for and nothing else; `iifname bridge0 oifname ens4 accept` opens the "
      "whole "
      "way, for every target that no rule before denies.\n\n"
      "With Docker on the host, put rules of your own into its chain `DOCKER-USER`, which Docker leaves "
      "alone. To keep rules over a reboot, write them into /etc/nftables.conf or use "
      "`netfilter-persistent save`.",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of(
          {reasons::links(), reasons::frames(), reasons::steering(), {"pmtu-black-hole", "wrong-gateway"}})};
}

}  // namespace plumbline::proof
