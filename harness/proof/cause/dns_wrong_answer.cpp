#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/dns.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

std::string list(const std::vector<IpAddress>& addresses) {
  std::vector<std::string> texts;
  for (const IpAddress& address : addresses) texts.push_back(address.to_string());
  return fmt::format("{}", fmt::join(texts, ", "));
}

/// The question as a server on the asker's own loopback asked another; null: it did not, or not with the
/// same.
const Sighting* asked_on(const Case& question) {
  if (!question.to.is_loopback()) return nullptr;
  const auto& all = question.journey.sightings;
  const auto found = std::ranges::find_if(all, [&](const Sighting& each) {
    return each.leg == Leg::forward && each.packet.ip && !each.packet.ip->destination.is_loopback();
  });
  return found == all.end() ? nullptr : &*found;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  (void)facts;
  if (!answered_by_server(question)) return std::nullopt;
  if (question.dns->status != traffic::DnsOutcome::Status::answered) return std::nullopt;
  const auto& got = question.dns->addresses;
  const auto& expected = question.expected;
  const bool same =
      std::set<IpAddress>(got.begin(), got.end()) == std::set<IpAddress>(expected.begin(), expected.end());
  if (!got.empty() && (expected.empty() || same)) return std::nullopt;
  const std::string wanted = expected.empty() ? std::string("an address") : list(expected);
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format("{} answers {} for {}, not {}.", server_text(question),
                                got.empty() ? std::string("no address") : list(got), question.name, wanted);
  finding.evidence = {"the answer is from the server that was asked, and its code is NOERROR",
                      fmt::format("expected: {}", wanted)};
  if (question.dns->truncated) finding.evidence.emplace_back("the answer is truncated");
  if (const Sighting* asked = asked_on(question)) {
    finding.evidence.push_back(fmt::format("it asked {} in turn, as {} shows",
                                           asked->packet.ip->destination.to_string(), place(*asked)));
  }
  const std::string where =
      question.to.is_loopback() ? question.from : fmt::format("{}, or anywhere", question.from);
  finding.fix = {fmt::format("dig @{} {}  # on {}: then correct the zone, or `expect:` in the spec",
                             question.to.to_string(), question.name, where)};
  return finding;
}

}  // namespace

CauseKind dns_wrong_answer_cause() {
  return {
      "dns-wrong-answer",
      "The DNS server answered with other addresses than expected.",
      "The server that was asked answered in good order, but with something else: a record that was changed "
      "or is still cached, another view of a split-horizon zone (internal and external clients get "
      "different answers, and NAT may make a container look like one or the other), a wildcard record, or "
      "a server that rewrites answers, such as a filter or a captive portal. An answer without addresses "
      "means that the name exists, but has no record of the type that was asked for.",
      "The answer came from the server that was asked, says NOERROR, and its addresses are not those that "
      "the spec expects.",
      "Compare `dig @SERVER NAME` with the zone's own server (`dig +trace NAME`). Correct the record, flush "
      "the cache (`resolvectl flush-caches`, `unbound-control flush NAME`, `rndc flushname NAME`), or "
      "correct what the spec expects.",
      recognise,
      CauseKind::Depth::network,
      {"duplicate-address", "dns-answer-from-elsewhere", "dns-truncated"}};
}

}  // namespace plumbline::proof
