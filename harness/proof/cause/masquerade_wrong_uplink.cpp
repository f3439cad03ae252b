#include <fmt/format.h>

#include "harness/proof/diagnosis/nat.hpp"
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
  if (other_promise || (!promised && !no_way_back(question, *out, facts))) return std::nullopt;
  const SourceNat nat = source_nat(question, *out, facts);
  if (nat.kind != SourceNat::Kind::other_uplink) return std::nullopt;
  Finding finding;
  finding.certainty = promised ? Certainty::proven : Certainty::likely;
  finding.summary =
      fmt::format("{} translates what leaves by another interface than {}, by which the probe left as {}.",
                  out->node, out->uplink, out->own.to_string());
  finding.evidence = {fmt::format("seen leaving {}:{} as {} > {}", out->node, out->uplink,
                                  out->seen.to_string(), out->destination.to_string()),
                      nat.place->to_string()};
  finding.fix = translate_commands(facts, *out, promised ? question.as : std::nullopt);
  return finding;
}

}  // namespace

CauseKind masquerade_wrong_uplink_cause() {
  return {"masquerade-wrong-uplink",
          "Source NAT is bound to another uplink than the one by which packets leave.",
          "A rule `oifname ens4 masquerade` holds for that interface alone. When the packets leave by "
          "another (a second uplink, a "
          "policy route, a VPN that became the default route, an interface renamed from eth0 to ens4), it "
          "never matches, and they "
          "go out with the container's own address. Docker's rule is the other way about (`! -o docker0`) "
          "and holds for every "
          "uplink; hand-made ones and those of many guides name one.",
          "The probe left by one interface with its sender's address, and a rule of the nat chains matches "
          "it in all but the "
          "interface that it leaves by. If a promise names the uplink, the probe left by that one: otherwise "
          "it is the route "
          "that is wrong. To look oneself: `ip route get 203.0.113.80 from 192.168.99.11 iif bridge0` and "
          "`nft list ruleset`.",
          "Translate at every uplink, or by what the packets do not leave by:\n"
          "```\nnft add rule ip nat postrouting ip saddr 192.168.99.0/24 oifname != bridge0 masquerade\n"
          "iptables -t nat -A POSTROUTING -s 192.168.99.0/24 ! -o bridge0 -j MASQUERADE\n```",
          recognise,
          CauseKind::Depth::network,
          reasons::any_of({reasons::links(), reasons::frames(), reasons::steering()})};
}

}  // namespace plumbline::proof
