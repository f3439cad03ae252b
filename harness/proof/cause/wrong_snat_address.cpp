#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/nat.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"

namespace plumbline::proof {

using namespace firewall;

namespace {

/// Nobody can answer to an address that nobody holds: on the uplink's own network, or anywhere.
bool is_nobodys(const Departure& out, const network::Node& host, Facts& facts) {
  const auto& nodes = facts.topology().nodes;
  if (std::ranges::any_of(nodes, [&](const network::Node& each) { return holds(each, out.seen); }))
    return false;
  const network::Interface* near = on_link(host, out.seen);
  return (near != nullptr && near->name == out.uplink) || facts.topology().owner_of(out.seen) == nullptr;
}

/// Somebody whose own address it is got the packet, and takes it for forged; IPv6 takes such packets. Null:
/// nobody did.
const Sighting* came_to_its_holder(const Case& question, const Departure& out, Facts& facts) {
  if (!out.seen.is_v4()) return nullptr;
  for (const Sighting& each : question.journey.sightings) {
    const bool in = each.leg == Leg::forward && each.packet.direction == traffic::Direction::in;
    if (!in || !each.packet.ip || each.packet.ip->source != out.seen || each.node == out.node) continue;
    const network::Node* node = facts.node(each.node);
    if (node != nullptr && holds(*node, out.seen)) return &each;
  }
  return nullptr;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (!question.wanted_through() || blamed(question, facts)) return std::nullopt;
  const auto out = departure(question, facts);
  if (!out || !out->translated()) return std::nullopt;
  const bool promised = source_promised_otherwise(question, *out);
  const network::Node* node = facts.node(out->node);
  const bool foreign = node != nullptr && !holds(*node, out->seen);
  const bool unanswered = question.outcome.status == traffic::ProbeOutcome::Status::timeout &&
                          question.journey.first(Leg::reply, out->node, traffic::Direction::in) == nullptr;
  if (!promised && !(foreign && unanswered && question.promise != Case::Promise::egress)) return std::nullopt;
  const SourceNat nat = source_nat(question, *out, facts);
  if (nat.kind != SourceNat::Kind::covers) return std::nullopt;
  const Sighting* holder = came_to_its_holder(question, *out, facts);
  Finding finding;
  finding.certainty = promised || (foreign && (holder != nullptr || is_nobodys(*out, *node, facts)))
                          ? Certainty::proven
                          : Certainty::likely;
  finding.summary = promised
                        ? fmt::format("{} sends the probe out by {} as {} instead of {}.", out->node,
                                      out->uplink, out->seen.to_string(), question.as->to_string())
                        : fmt::format("{} sends the probe out by {} as {}, which is no address of its own.",
                                      out->node, out->uplink, out->seen.to_string());
  finding.evidence = {fmt::format("seen leaving {}:{} as {} > {}", out->node, out->uplink,
                                  out->seen.to_string(), out->destination.to_string()),
                      nat.place->to_string()};
  if (holder != nullptr) {
    finding.evidence.push_back(
        fmt::format("{} holds {} itself, and got the packet", holder->node, out->seen.to_string()));
  }
  if (nat.words.verdict == RuleWords::Verdict::masquerade)
    finding.evidence.push_back(fmt::format("masquerade takes the first address of {}", out->uplink));
  finding.fix = translate_commands(facts, *out, promised ? question.as : std::nullopt);
  return finding;
}

}  // namespace

CauseKind wrong_snat_address_cause() {
  return {
      "wrong-snat-address",
      "Source NAT gives packets an address that is not the promised one, or not the host's.",
      "`snat to ADDRESS` writes that address into every packet, whoever holds it: after the host was "
      "renumbered, or with a "
      "rule copied from another one, answers go to somebody else. `masquerade` takes the primary address of "
      "the interface "
      "that the packet leaves by, which on one with several addresses may not be the one that peers expect "
      "(an allow list, "
      "a floating address of keepalived's).",
      "The probe was seen on the uplink with an address that is neither its sender's nor the promised one; "
      "or, without such a "
      "promise, with one that the host does not hold, and no answer came back to the host. The rule of the "
      "nat chains that "
      "translates it is named. To look oneself: `nft list chain ip nat postrouting`, `conntrack -L -s "
      "192.168.99.11`.",
      "```\nnft insert rule ip nat postrouting ip saddr 192.168.99.0/24 oifname ens4 snat to 192.168.16.10\n"
      "iptables -t nat -I POSTROUTING -s 192.168.99.0/24 -o ens4 -j SNAT --to-source 192.168.16.10\n```\n"
      "Then delete the old rule, and with `conntrack -D -s 192.168.99.11` the flows that still go by it.",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of({reasons::links(), reasons::frames(), reasons::steering()})};
}

}  // namespace plumbline::proof
