#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/dns.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

/// As DNS compares names: ASCII letters in either case (RFC 4343).
bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  (void)facts;
  if (question.promise != Case::Promise::resolve || !question.dns || question.dns_over_tcp) {
    return std::nullopt;
  }
  if (question.dns->status != traffic::DnsOutcome::Status::timeout) return std::nullopt;
  const auto answer = std::ranges::find(question.journey.sightings, Leg::reply, &Sighting::leg);
  if (answer == question.journey.sightings.end()) return std::nullopt;
  const auto& said = answer->packet.dns;
  if (!said || same_name(said->name, question.name)) return std::nullopt;
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format("{} was asked for {} and answered about {}, which nobody takes.",
                                server_text(question), question.name, said->name);
  finding.evidence = {fmt::format("the answer was first seen at {}", place(*answer)),
                      "its id is the question's, its name is not"};
  finding.fix = {
      typed_on(question.from, fmt::format("dig +notcp @{} {}", question.to.to_string(), question.name))};
  return finding;
}

}  // namespace

CauseKind dns_answer_for_another_name_cause() {
  return {
      "dns-answer-for-another-name",
      "The DNS server's answer repeats another question than it was asked.",
      "An answer repeats its question, and a resolver throws away what does not fit: it may be forged "
      "(RFC 5452). So the name takes the full time-out, though answers arrive. Broken forwarders mix answers "
      "up under load, appending a search domain of their own or taking one client's answer for another's; "
      "middleboxes that rewrite names do it to all.",
      "A message with the question's id came from the server to the port that asked, and the name in it is "
      "another.",
      "`dig @SERVER NAME` says \"Question section mismatch\". Ask the server behind the forwarder directly; "
      "update or replace the forwarder.",
      recognise};
}

}  // namespace plumbline::proof
