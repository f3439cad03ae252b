#include <fmt/format.h>

#include "harness/proof/diagnosis/firewall.hpp"
#include "harness/proof/diagnosis/reasons.hpp"

namespace plumbline::proof {

using namespace firewall;

namespace {

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto found = blamed(question, facts, Blame::output_drop);
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
  finding.summary = fmt::format("{} of {} {} {}, which the node itself sends.", who, stop.place.chain_text(),
                                does, stop.what());
  finding.fix = typed_on(stop.place.node, question, accept_commands(facts, stop));
  return finding;
}

}  // namespace

CauseKind output_drop_cause() {
  return {
      "output-drop",
      "A node's own firewall drops a packet that the node itself sends.",
      "The hook output sees what the node itself sends: its own requests, and its answers. A policy of drop "
      "there is "
      "rare and thorough: hardened images, kill switches of VPN clients, and rules inside a container's or "
      "pod's own namespace (network policy agents, service meshes). A program whose datagram is dropped "
      "there "
      "gets `Operation not permitted`; a TCP connection just hangs.",
      "The kernel's trace shows the packet at the hook output (or at postrouting, sent by the node itself), "
      "and the rule "
      "or policy that stopped it; or the send failed with EPERM, and the rules leave no other outcome. To "
      "look "
      "oneself: `nft list ruleset` inside the namespace of the sender (`nsenter -t PID -n`).",
      "Accept what the node is to send:\n"
      "```\nnft insert rule inet filter output ip daddr 203.0.113.80 tcp dport 80 accept\n"
      "iptables -I OUTPUT -d 203.0.113.80 -p tcp --dport 80 -j ACCEPT\n```\n"
      "Where answers are dropped, `ct state established,related accept` belongs at the head of the chain.",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of({reasons::links(), reasons::frames(), reasons::steering(), {"pmtu-black-hole"}})};
}

}  // namespace plumbline::proof
