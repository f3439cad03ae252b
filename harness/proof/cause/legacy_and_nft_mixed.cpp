#include <fmt/format.h>

#include "harness/proof/diagnosis/firewall.hpp"
#include "harness/proof/diagnosis/reasons.hpp"

namespace plumbline::proof {

using namespace firewall;

namespace {

std::string_view name_of(RuleMet::Backend backend) {
  return backend == RuleMet::Backend::iptables_legacy ? "iptables-legacy" : "nf_tables";
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto found = blamed(question, facts, Blame::legacy_and_nft_mixed);
  if (!found) return std::nullopt;
  const Stop& stop = found->stop;
  Finding finding = finding_of(question, *found);
  const std::string_view other = found->wrong_way ? "rejects" : "accepts";
  finding.summary = fmt::format("{} has rules in both back ends, and they disagree: {} {} {}, {} {}s it.",
                                stop.place.node, name_of(found->accepts->backend), other, stop.what(),
                                name_of(stop.place.backend), stop.place.verdict);
  finding.evidence.push_back(fmt::format("{} it in vain: {}", other, found->accepts->to_string()));
  if (found->wrong_way) {
    // The one that rejects is to have the last word.
    finding.fix = typed_on(stop.place.node, question,
                           std::vector<std::string>{insert_command(facts, stop.place, like(stop.packet))});
    return finding;
  }
  finding.fix = typed_on(stop.place.node, question, accept_commands(facts, stop));
  return finding;
}

}  // namespace

CauseKind legacy_and_nft_mixed_cause() {
  return {"legacy-and-nft-mixed",
          "iptables-legacy and nf_tables both hold rules, and one drops what the other accepts.",
          "The kernel has two packet filters side by side: the old ip_tables (`iptables-legacy`) and "
          "nf_tables (`nft`, and "
          "`iptables-nft`, which is what `iptables` is on most distributions today). A packet must pass "
          "both, and an accept "
          "in one does not lift a drop in the other. It comes about when the alternative for `iptables` is "
          "switched on a "
          "running host, when a container (kube-proxy, a CNI agent, an old image) brings the other flavour "
          "of the tool, or "
          "when nftables is used beside an old Docker. Each tool lists its own rules alone, so all looks "
          "right in either.",
          "One back end stopped the packet, and at the same hook a rule of the other matches it for certain "
          "and accepts it, or would have rejected it as promised. "
          "To look oneself: `iptables-legacy-save`, `iptables-nft-save` and `nft list ruleset`.",
          "Choose one back end, and empty the other:\n"
          "```\nupdate-alternatives --set iptables /usr/sbin/iptables-nft\n"
          "iptables-legacy -P FORWARD ACCEPT\niptables-legacy -F\n```\n"
          "Then restart whatever wrote into the old one, so that it writes its rules anew.",
          recognise,
          CauseKind::Depth::network,
          reasons::any_of({reasons::links(), reasons::frames(), reasons::steering(), {"pmtu-black-hole"}})};
}

}  // namespace plumbline::proof
