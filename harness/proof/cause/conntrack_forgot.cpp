#include <fmt/format.h>

#include <charconv>

#include "harness/proof/diagnosis/nat.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"

namespace plumbline::proof {

using namespace firewall;

namespace {

/// How long an entry lives that has not been answered.
std::string setting(const Case& question) {
  const auto protocol = protocol_of(question);
  const std::string_view which = protocol == std::uint16_t{17}  ? "udp"
                                 : protocol == std::uint16_t{6} ? "tcp_timeout_syn_sent"
                                 : question.to.is_v4()          ? "icmp"
                                                                : "icmpv6";
  return which.starts_with("tcp") ? fmt::format("nf_conntrack_{}", which)
                                  : fmt::format("nf_conntrack_{}_timeout", which);
}

std::optional<std::uint64_t> seconds(Facts& facts, const std::string& node, const std::string& name) {
  const auto text = facts.sysctl(node, "net/netfilter/" + name);
  std::uint64_t value = 0;
  if (!text) return std::nullopt;
  const auto [end, problem] = std::from_chars(text->data(), text->data() + text->size(), value);
  return problem == std::errc{} && end != text->data() ? std::optional(value) : std::nullopt;
}

/// The probe as it left by the uplink.
const Sighting* leaving(const Case& question, const Departure& out) {
  for (const Sighting& sighting : question.journey.sightings) {
    const bool there = sighting.is(Leg::forward, out.node, traffic::Direction::out) && sighting.packet.ip;
    if (there && sighting.interface == out.uplink && sighting.packet.ip->source == out.seen) return &sighting;
  }
  return nullptr;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (!question.wanted_through() || stopper(question.kernel)) return std::nullopt;
  const auto out = departure(question, facts);
  if (!out || !out->translated()) return std::nullopt;
  const Sighting* left = leaving(question, *out);
  const Sighting* back = question.journey.first(Leg::reply, out->node, traffic::Direction::in);
  if (left == nullptr || back == nullptr || !back->packet.ip || back->packet.ip->destination != out->seen)
    return std::nullopt;
  if (question.journey.first(Leg::reply, out->node, traffic::Direction::out) != nullptr) return std::nullopt;
  const std::string name = setting(question);
  const auto lives = seconds(facts, out->node, name);
  const std::uint64_t took = back->time_ns > left->time_ns ? back->time_ns - left->time_ns : 0;
  if (!lives || took < *lives * 1'000'000'000) return std::nullopt;
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary =
      fmt::format("{} had forgotten the flow when its answer came, and took it for its own.", out->node);
  finding.evidence = {fmt::format("{} came in by {} {:.3f} ms after the probe had left", "the answer",
                                  place(*back), static_cast<double>(took) / 1e6),
                      fmt::format("net.netfilter.{} of {} is {} s", name, out->node, *lives),
                      "the answer went no further"};
  finding.fix = {
      fmt::format("sysctl -w net.netfilter.{}={}", name, name.find("tcp") == std::string::npos ? 30 : 120)};
  return finding;
}

}  // namespace

CauseKind conntrack_forgot_cause() {
  return {
      "conntrack-forgot",
      "Conntrack forgot a flow before its answer came, so that NAT does not turn the answer back.",
      "NAT knows what to do with an answer only while conntrack has the flow's entry. An entry that nobody "
      "has "
      "answered yet lives for 30 seconds (UDP, ping) or two minutes (a SYN) unless it is told otherwise; "
      "guides "
      "for busy hosts shorten that, to save memory. What answers later than that (a slow resolver, a "
      "satellite, "
      "a queue) finds no entry: the host takes the answer for one to itself and refuses it, and the "
      "container "
      "waits in vain.",
      "The probe left translated, its answer came in for the host's own address and went no further, no rule "
      "stopped it, and it came later than an unanswered entry of its kind lives. To look oneself: "
      "`sysctl -a | grep nf_conntrack_.*timeout`, `conntrack -E`.",
      "```\nsysctl -w net.netfilter.nf_conntrack_udp_timeout=30\n```\n"
      "and take the shorter value out of /etc/sysctl.d. Where entries are too many, see "
      "[conntrack-full](#conntrack-full).",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of({reasons::links(), reasons::frames(), reasons::steering(), {"wrong-snat-address"}})};
}

}  // namespace plumbline::proof
