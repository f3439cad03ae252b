#include <fmt/format.h>

#include "harness/proof/diagnosis/firewall.hpp"
#include "harness/proof/diagnosis/reasons.hpp"

namespace plumbline::proof {

using namespace firewall;

namespace {

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto found = blamed(question, facts, Blame::missing_accept_for_replies);
  if (!found) return std::nullopt;
  const Stop& stop = found->stop;
  Finding finding = finding_of(question, *found);
  finding.summary =
      fmt::format("{} lets no answers through: {} came back and was {} there.", stop.place.chain_text(),
                  stop.what(), stop.rejects() ? "rejected" : "dropped");
  finding.evidence.push_back(fmt::format("no rule of {}'s table {} {} accepts what is established or related",
                                         stop.place.node, stop.place.family, stop.place.table));
  Wanted replies;
  replies.established = true;
  RulePlace head = stop.place;
  // A rule may stand in a chain of its own; answers are let through where all come by.
  for (const Chain* chain : base_chains(facts, head.node, stop.hook, stop.packet.source.family(), "filter")) {
    const bool same =
        chain->backend == head.backend && chain->family == head.family && chain->table == head.table;
    if (same) head.chain = chain->name;
  }
  finding.fix = typed_on(stop.place.node, question, {head_command(facts, head, replies)});
  return finding;
}

}  // namespace

CauseKind missing_accept_for_replies_cause() {
  return {
      "missing-accept-for-replies",
      "The answer is dropped, because no rule accepts what belongs to an established connection.",
      "A firewall that lets requests through must let their answers back. The usual rule for that, `ct state "
      "established,related accept`, holds for all connections that conntrack has seen begin. Where it is "
      "missing and the chain drops what it does not know, the request arrives, the server answers, and the "
      "sender hears nothing: a SYN is followed by no connection, a ping by no reply. A hand-written `INPUT` "
      "or `FORWARD` with policy DROP is the usual place.",
      "The packet that was stopped is the answer, or an ICMP error about the probe; and no rule of the table "
      "that stopped it can accept what is established. To look oneself: `tcpdump` on either side of the "
      "node shows the answer coming in and not going out.",
      "Accept answers ahead of everything else:\n"
      "```\nnft insert rule inet filter forward ct state established,related accept\n"
      "iptables -I FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n```\n"
      "Mind both families: `iptables` is IPv4 alone, and `ip6tables` needs its own.",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of({reasons::links(), reasons::frames(), reasons::steering(), {"pmtu-black-hole"}})};
}

}  // namespace plumbline::proof
