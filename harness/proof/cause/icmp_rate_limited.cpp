#include <fmt/format.h>

#include <charconv>

#include "harness/proof/diagnosis/firewall.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {

using namespace firewall;

namespace {

/// How many errors the kernel has kept back, by whichever of its counters.
std::uint64_t kept_back(const KernelPath& kernel, const std::string& node, bool v4) {
  if (!v4) return rose(kernel, node, "Icmp6OutRateLimitHost");
  return rose(kernel, node, "IcmpOutRateLimitHost") + rose(kernel, node, "IcmpOutRateLimitGlobal");
}

/// The mask without "destination unreachable", which is bit 3.
std::string without_unreachable(const std::optional<std::string>& mask) {
  unsigned bits = 0;
  if (mask) std::from_chars(mask->data(), mask->data() + mask->size(), bits);
  return std::to_string(bits & ~(1U << 3));
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto found = blamed(question, facts, Blame::icmp_rate_limited);
  if (!found) return std::nullopt;
  const Stop& stop = found->stop;
  const bool v4 = stop.packet.source.is_v4();
  const std::string key = v4 ? "net.ipv4.icmp_ratemask" : "net.ipv6.icmp.ratelimit";
  const auto limit = facts.sysctl(stop.place.node, v4 ? "net/ipv4/icmp_ratemask" : "net/ipv6/icmp/ratelimit");
  const std::uint64_t count = kept_back(question.kernel, stop.place.node, v4);
  Finding finding = finding_of(question, *found);
  finding.certainty = count != 0 ? Certainty::proven : Certainty::likely;
  finding.summary = fmt::format(
      "{} rejected the probe, but sent no ICMP error: its kernel limits how many it sends.", stop.place.node);
  finding.evidence.push_back(fmt::format("no ICMP error was seen leaving {}", stop.place.node));
  finding.evidence.push_back(
      fmt::format("{} of {} is {}", key, stop.place.node, limit.value_or("not known")));
  if (count != 0) finding.evidence.push_back(fmt::format("{} ICMP errors were kept back meanwhile", count));
  finding.fix = typed_on(stop.place.node, question,
                         {fmt::format("sysctl -w {}={}", key, v4 ? without_unreachable(limit) : "0")});
  return finding;
}

}  // namespace

CauseKind icmp_rate_limited_cause() {
  return {
      "icmp-rate-limited",
      "A rule rejects, but the kernel's limit on ICMP errors swallows the answer.",
      "A `reject` answers with an ICMP error, and the kernel sends only so many of these: one a second to "
      "each peer "
      "after a burst of six (`net.ipv4.icmp_ratelimit`, in milliseconds), and only so many a second in all "
      "(`net.ipv4.icmp_msgs_per_sec`, of which older kernels have one for the whole machine). Whoever knocks "
      "often, a "
      "client that tries again, a port scan, a test suite, sees a reject turn into silence and waits for its "
      "time-out.",
      "The kernel's trace shows a rule that rejects by ICMP, the sender heard nothing, no ICMP error was "
      "seen or "
      "traced anywhere, and destination unreachable is among what is "
      "limited (bit 3 of `net.ipv4.icmp_ratemask`; for IPv6, `net.ipv6.icmp.ratelimit` is not 0). It is "
      "proven where the counter `OutRateLimitHost` or "
      "`OutRateLimitGlobal` rose. To look oneself: `nstat -az | grep RateLimit`.",
      "Refuse TCP by resets, which have no limit, or lift it where the peers are your own:\n"
      "```\nnft insert rule inet filter forward meta l4proto tcp iifname bridge0 ip daddr 10.0.0.0/8 reject "
      "with tcp reset\n"
      "sysctl -w net.ipv4.icmp_ratemask=6160 net.ipv6.icmp.ratelimit=0\n```",
      recognise};
}

}  // namespace plumbline::proof
