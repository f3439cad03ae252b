#include <fmt/format.h>

#include "harness/proof/diagnosis/nat.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"

namespace plumbline::proof {

using namespace firewall;

namespace {

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (!question.wanted_through() || blamed(question, facts)) return std::nullopt;
  const auto out = departure(question, facts);
  if (!out || out->translated()) return std::nullopt;
  const bool promised = source_promised_otherwise(question, *out);
  const bool other_promise = question.promise == Case::Promise::egress && !promised;
  if (other_promise || (!promised && !(is_private(out->own) && no_way_back(question, *out, facts))))
    return std::nullopt;
  const SourceNat nat = source_nat(question, *out, facts);
  if (nat.kind != SourceNat::Kind::none && nat.kind != SourceNat::Kind::exempt) return std::nullopt;
  Finding finding;
  finding.certainty = promised ? Certainty::proven : Certainty::likely;
  finding.summary = fmt::format("{} does not translate what leaves by {}: the probe went out as {}.",
                                out->node, out->uplink, out->own.to_string());
  finding.evidence = {fmt::format("seen leaving {}:{} as {} > {}", out->node, out->uplink,
                                  out->seen.to_string(), out->destination.to_string())};
  finding.evidence.push_back(
      nat.place ? "exempted by " + nat.place->to_string()
                : fmt::format("no rule of {}'s nat chains at postrouting matches it", out->node));
  if (!promised)
    finding.evidence.push_back(
        fmt::format("beyond {} there is no way back to {}", out->node, out->own.to_string()));
  finding.fix = translate_commands(facts, *out, promised ? question.as : std::nullopt);
  return finding;
}

}  // namespace

CauseKind missing_masquerade_cause() {
  return {
      "missing-masquerade",
      "A container's packets leave the host with an address that nobody outside knows the way back to.",
      "Containers have addresses of their own, and beyond the host nobody routes to them. Their packets must "
      "leave with the "
      "host's address, which is what `masquerade` (or `snat`) at the hook postrouting does; conntrack turns "
      "the answers "
      "back. Without it a request arrives and its answer goes astray. It happens with a bridge made by hand, "
      "with "
      "`nft flush ruleset` or a restart of firewalld under a running Docker, and with networks for which it "
      "is switched off (Docker's `com.docker.network.bridge.enable_ip_masquerade=false`, CNI's `ipMasq: "
      "false`). "
      "IPv6 needs rules of its own.",
      "The probe was seen leaving by the host's uplink with its sender's address, which was to be another; "
      "or that is a "
      "private address, the probe came further, and the last node of its way has no route back to it. No "
      "rule of the nat "
      "chains matches it, or one exempts it. To look oneself: `tcpdump -ni ens4 net 192.168.99.0/24` must "
      "show nothing.",
      "```\nnft add table ip nat\nnft add chain ip nat postrouting '{ type nat hook postrouting priority "
      "srcnat; }'\n"
      "nft add rule ip nat postrouting ip saddr 192.168.99.0/24 oifname ens4 masquerade\n"
      "iptables -t nat -A POSTROUTING -s 192.168.99.0/24 -o ens4 -j MASQUERADE\n```\n"
      "Or route the containers' network to the host in the routers beyond, and leave addresses as they are.",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of({reasons::links(), reasons::frames(), reasons::steering(), {"nat-leak"}})};
}

}  // namespace plumbline::proof
