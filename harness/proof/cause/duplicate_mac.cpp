#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/plugging.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

/// Another that nobody on the segment has.
MacAddress free_one(Facts& facts, const std::vector<Way>& segment, MacAddress mac) {
  mac.bytes[0] = static_cast<std::uint8_t>((mac.bytes[0] | 0x02U) & 0xFEU);
  for (int tries = 0; tries < 256; ++tries) {
    ++mac.bytes[5];
    const bool taken =
        std::ranges::any_of(segment, [&](const Way& way) { return mac_of(facts, way.end()) == mac; });
    if (!taken) break;
  }
  return mac;
}

bool was_seen_at(const Case& question, Leg leg, const std::string& node) {
  return std::ranges::any_of(question.journey.sightings,
                             [&](const Sighting& each) { return each.leg == leg && each.node == node; });
}

/// No single hop can be told at which it ended, as with a table that jumps: but an end has a twin.
std::optional<Finding> of_an_end(const Case& question, Facts& facts) {
  for (const std::string& name : {question.from, question.to_node}) {
    const network::Node* node = facts.node(name);
    if (node == nullptr || node->role == network::Role::host) continue;
    for (const network::Interface& interface : node->interfaces) {
      const Endpoint one{name, interface.name};
      const auto mac = mac_of(facts, one);
      if (!mac || !is_end(facts, one) || !interface.up) continue;
      const auto on = segment(facts, one);
      for (const Way& way : on) {
        const Endpoint& other = way.end();
        if (other.node == name || !is_end(facts, other) || mac_of(facts, other) != mac) continue;
        Finding finding;
        finding.summary = fmt::format("{} and {} are on one segment with the same hardware address, {}.",
                                      place(one), place(other), mac->to_string());
        finding.evidence = {fmt::format("{} of {} is on the way", mac->to_string(), place(one))};
        const Endpoint& changed = std::max(one, other);
        finding.fix = {typed_on(changed.node, fmt::format("ip link set {} address {}", changed.interface,
                                                          free_one(facts, on, *mac).to_string()))};
        return finding;
      }
    }
  }
  return std::nullopt;
}

std::optional<Finding> at_the_hop(const Case& question, Facts& facts) {
  const auto hop = broken_hop(question, facts);
  if (!hop || hop->holders.empty() || fault(facts, hop->way())) return std::nullopt;
  const auto found = twins(facts, *hop);
  if (!found || (!hop->unanswered() && !hop->left)) return std::nullopt;
  const bool both_ends = hop->out().node == found->other.node;
  const bool strayed = found->other.node != hop->node && was_seen_at(question, hop->leg, found->other.node);
  Finding finding;
  finding.certainty = both_ends || strayed ? Certainty::proven : Certainty::likely;
  finding.summary = fmt::format("{} and {} are on one segment with the same hardware address, {}.",
                                place(found->one), place(found->other), found->mac.to_string());
  finding.evidence = {fmt::format("{} > {} was to go from {} to {}", hop->source.to_string(),
                                  hop->destination.to_string(), hop->node, place(hop->way().back())),
                      neighbour_text(*hop)};
  if (strayed) finding.evidence.push_back(fmt::format("it was seen at {} instead", found->other.node));
  const MacAddress free = free_one(facts, hop->segment, found->mac);
  const Endpoint& changed = std::max(found->one, found->other);
  finding.fix = {
      typed_on(changed.node, fmt::format("ip link set {} address {}", changed.interface, free.to_string()))};
  return finding;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (!question.was_sent() || question.to.is_loopback()) return std::nullopt;
  if (auto finding = at_the_hop(question, facts)) return finding;
  using Status = traffic::ProbeOutcome::Status;
  const Status status = question.outcome.status;
  const bool lost = status == Status::timeout || status == Status::no_answer || status == Status::local_error;
  return lost && !question.journey.sightings.empty() && !stopper(question.kernel) ? of_an_end(question, facts)
                                                                                  : std::nullopt;
}

}  // namespace

CauseKind duplicate_mac_cause() {
  return {
      "duplicate-mac",
      "Two interfaces on one segment have the same hardware address.",
      "A bridge remembers for each hardware address the one port by which it was last heard, and sends "
      "frames for it there alone. With two owners the entry jumps from port to port with whoever spoke "
      "last: packets go to the wrong one, which drops them, and the two can never talk to each other. It "
      "comes from cloned virtual machines and images, from a fixed `--mac-address` or `mac_address:` in a "
      "compose file that runs twice, and from scripts that derive it from too little.",
      "The packet's sender or its next hop shares its hardware address with another node on the segment, and "
      "the packet did not get there; proven where the two are its ends, or it was seen at the wrong one. "
      "`bridge fdb show br BRIDGE` shows the entry jump, and the kernel logs `received packet on VETH with "
      "own address as source address`.",
      "```\nip link set DEV address 02:…\n```\non one of them, and take the fixed address out of its "
      "configuration, so that the kernel chooses one.",
      recognise,
      CauseKind::Depth::link};
}

}  // namespace plumbline::proof
