#include <fmt/format.h>

#include "harness/proof/diagnosis/firewall.hpp"
#include "harness/proof/diagnosis/reasons.hpp"

namespace plumbline::proof {

using namespace firewall;

namespace {

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto found = blamed(question, facts, Blame::bridge_netfilter);
  if (!found) return std::nullopt;
  const Stop& stop = found->stop;
  const std::string key =
      fmt::format("net.bridge.bridge-nf-call-{}", stop.packet.source.is_v4() ? "iptables" : "ip6tables");
  Finding finding = finding_of(question, *found);
  finding.summary =
      fmt::format("{} hands frames between ports of {} to {}, which {} {}.", stop.place.node, found->bridge,
                  stop.place.chain_text(), stop.rejects() ? "rejects" : "drops", stop.what());
  finding.evidence.push_back(fmt::format("{} of {} is 1", key, stop.place.node));
  Wanted bridged;
  bridged.iif = bridged.oif = found->bridge;
  finding.fix = typed_on(stop.place.node, question, {insert_command(facts, stop.place, bridged)});
  return finding;
}

}  // namespace

CauseKind bridge_netfilter_cause() {
  return {
      "bridge-netfilter",
      "Frames between two ports of one bridge are dropped by IP's FORWARD chain.",
      "With the kernel's br_netfilter, frames that a bridge passes from one port to another also meet the IP "
      "rules of the hook forward, as if they were routed from the bridge to itself. Docker and Kubernetes "
      "load "
      "the module and switch it on for all bridges of the host. A FORWARD chain that drops by policy then "
      "parts "
      "containers of one and the same bridge, which need no router at all: ARP works between them, IP does "
      "not.",
      "The packet was stopped at the hook forward, in and out by one bridge; its sender sent it straight to "
      "its "
      "neighbour, by no router; and `net.bridge.bridge-nf-call-iptables` (for IPv6 `-ip6tables`) is 1. To "
      "look "
      "oneself: `sysctl net.bridge` and `lsmod | grep br_netfilter`.",
      "Accept what stays on the bridge, in each family:\n"
      "```\nnft insert rule inet filter forward iifname bridge0 oifname bridge0 accept\n"
      "iptables -I FORWARD -i bridge0 -o bridge0 -j ACCEPT\n```\n"
      "Or switch it off, if nothing on the host rests on it (Kubernetes' kube-proxy does):\n"
      "```\nsysctl -w net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0\n```",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of({reasons::links(), reasons::frames(), reasons::steering()})};
}

}  // namespace plumbline::proof
