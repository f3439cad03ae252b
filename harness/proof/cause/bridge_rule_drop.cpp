#include <fmt/format.h>

#include "harness/proof/diagnosis/firewall.hpp"

namespace plumbline::proof {

using namespace firewall;

namespace {

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto found = blamed(question, facts, Blame::bridge_rule_drop);
  if (!found) return std::nullopt;
  const Stop& stop = found->stop;
  Finding finding = finding_of(question, *found);
  const char* who = stop.place.policy ? "The policy" : "A rule";
  const char* done = stop.rejects() ? "rejects" : "drops";
  if (found->wrong_way) {
    finding.summary = fmt::format("{} of {} {} the probe, which was to be {}.", who, stop.place.chain_text(),
                                  done, question.how == "drop" ? "dropped" : "rejected");
    Wanted other = like(stop.packet);
    other.verdict = question.how;
    finding.fix = typed_on(stop.place.node, question, {insert_command(facts, stop.place, other)});
    return finding;
  }
  finding.summary =
      fmt::format("{} of {} {} {} to {} in the bridge, before IP sees it.", who, stop.place.chain_text(),
                  done, stop.what(), stop.packet.destination.to_string());
  finding.fix = typed_on(stop.place.node, question, accept_commands(facts, stop));
  return finding;
}

}  // namespace

CauseKind bridge_rule_drop_cause() {
  return {
      "bridge-rule-drop",
      "A rule or policy of nftables' bridge family stops a frame that a bridge is to pass.",
      "A bridge has hooks of its own, at which it looks at frames: between two of its ports (forward), to "
      "the "
      "host (prerouting, input) and from it (output, postrouting). Chains of tables of the family `bridge` "
      "sit "
      "there, ebtables' among them, and neither `table inet` nor iptables shows them. libvirt's nwfilter, "
      "Proxmox' firewall and OpenStack write such rules against forged addresses; one that is too wide parts "
      "containers of one and the same bridge, or the bridge from its host.",
      "The kernel's trace names the rule by its handle and in nft's words, at a hook `bridge forward` or the "
      "like. What a bridge sends to several ports it copies, and the end of one copy proves nothing where "
      "another went on. To look oneself: `nft -a list ruleset`, "
      "`ebtables-legacy -L` for what the trace cannot see; `nft monitor trace` shows a frame's way.",
      "Narrow the rule, or accept the exception ahead of it; ports are named here, not the bridge:\n"
      "```\nnft insert rule bridge filter forward handle 7 iifname veth1 oifname veth2 accept\n```\n"
      "Change it where it comes from, too: whatever tool wrote it will write it again.",
      recognise};
}

}  // namespace plumbline::proof
