#include <fmt/format.h>

#include "harness/proof/diagnosis/firewall.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"

namespace plumbline::proof {

using namespace firewall;

namespace {

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto found = blamed(question, facts, Blame::conntrack_invalid_drop);
  if (!found) return std::nullopt;
  const Stop& stop = found->stop;
  Finding finding = finding_of(question, *found);
  finding.summary =
      fmt::format("To conntrack of {} {} belongs to no connection, and a rule of {} {}s what is invalid.",
                  stop.place.node, stop.what(), stop.place.chain_text(), stop.place.verdict);
  for (const Passage& passage : question.kernel.passages) {
    if (passage.node != stop.place.node) continue;
    for (const RuleMet& rule : passage.rules) {
      const bool untracks =
          rule.text.find("notrack") != std::string::npos || rule.text.find("NOTRACK") != std::string::npos;
      if (!untracks) continue;
      finding.evidence.push_back("kept from conntrack by " + rule_text(passage, rule));
      finding.fix =
          typed_on(stop.place.node, question, {delete_command(facts, place_of(passage.node, rule))});
      return finding;
    }
  }
  Wanted wanted = like(stop.packet);
  // By its port alone, whoever sends from that one would come to any.
  if (stop.leg != Leg::forward) wanted.source = stop.packet.source;
  finding.fix = typed_on(stop.place.node, question, {insert_command(facts, stop.place, wanted)});
  return finding;
}

}  // namespace

CauseKind conntrack_invalid_drop_cause() {
  return {
      "conntrack-invalid-drop",
      "A rule drops a packet that conntrack takes to be invalid.",
      "Conntrack calls a packet invalid when it fits no connection that it knows and cannot begin one: an "
      "echo "
      "reply without its request, a SYN-ACK without its SYN, a segment outside the window. Rulesets drop "
      "those by "
      "good custom. It hits honest packets where the node sees only one half of a conversation: request and "
      "answer "
      "take different ways (two uplinks, two routers, a bridge beside a route), one half is exempted by "
      "`notrack`, or "
      "the connection is older than conntrack's memory of it.",
      "The packet was stopped by a rule about `ct state invalid`, whose match is itself the proof of how "
      "conntrack "
      "sees it. To look oneself: `conntrack -L`, `conntrack -S` (the column invalid), and "
      "`sysctl -w net.netfilter.nf_conntrack_log_invalid=255`, after which the kernel logs why.",
      "Lead both halves by one way, or track both. Where the ways must differ, accept the flow ahead of the "
      "rule:\n"
      "```\nnft insert rule inet filter forward handle 7 iifname bridge0 accept\n```\n"
      "For TCP segments outside the window alone, `sysctl -w net.netfilter.nf_conntrack_tcp_be_liberal=1`.",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of({reasons::links(), reasons::frames(), reasons::steering(), {"pmtu-black-hole"}})};
}

}  // namespace plumbline::proof
