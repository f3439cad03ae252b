#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"
#include "harness/proof/diagnosis/serving.hpp"

namespace plumbline::proof {
namespace {

using Status = traffic::ProbeOutcome::Status;

std::string seconds(std::uint64_t nanoseconds) {
  return fmt::format("{:.2f} s", static_cast<double>(nanoseconds) / 1e9);
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  (void)facts;
  if (!question.wanted_through() || question.journey.sightings.empty()) return std::nullopt;
  const Status status = question.outcome.status;
  if (status != Status::timeout && status != Status::no_answer) return std::nullopt;
  const Sighting* answer = first_answer(question);
  const Sighting* asked = question.journey.arrived(question.to_node);
  if (answer == nullptr || asked == nullptr) return std::nullopt;
  const auto waited = static_cast<std::uint64_t>(question.outcome.duration.count()) * 1000U;
  const std::uint64_t sent = question.journey.sightings.front().time_ns;
  if (waited == 0 || answer->time_ns < sent + waited) return std::nullopt;
  const std::uint64_t took = answer->time_ns - request_of(question, *asked).time_ns;
  // It was given at once, to a request that came late: what was sent before had got lost on its way.
  if (took < waited / 2) return std::nullopt;
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format("{} answered after {}; {} had waited for {}.", server_text(question),
                                seconds(took), question.from, seconds(waited));
  finding.evidence = {fmt::format("the probe came in at {}", place(*asked)),
                      fmt::format("the answer was first seen at {}, {} after the probe was sent",
                                  place(*answer), seconds(answer->time_ns - sent))};
  if (question.promise == Case::Promise::resolve) {
    finding.fix = {typed_on(question.from, fmt::format("time dig +time=10 +tries=1 @{} {}",
                                                       question.to.to_string(), question.name)),
                   typed_on(question.from, "echo 'options timeout:10' >>/etc/resolv.conf")};
  } else {
    finding.fix = {typed_on(question.to_node, listener_command(question))};
  }
  return finding;
}

}  // namespace

CauseKind answer_too_late_cause() {
  return {
      "answer-too-late", "The answer came, but later than anybody waits.",
      "The network carried the probe and would have carried the answer; the one who answers took its time. "
      "A server under load or without memory, a resolver whose own upstreams are slow or out of reach, a "
      "service that looks up each client's name before it speaks (`UseDNS` of sshd, logging with names) and "
      "has no resolver. Clients give up earlier: glibc's resolver after 5 seconds for each server, many "
      "health checks after one.",
      "The probe came in at its target, its time-out passed, and afterwards an answer was seen leaving "
      "there. "
      "After a time-out at a target that has taken the probe, the taps are watched for three times as long "
      "more.",
      "Look at the service, not at the network: its load, its log, and what it waits for itself. For a "
      "resolver compare `dig @SERVER NAME` with a name that it has cached, and mend or leave out its slow "
      "upstreams. `plumbline run --timeout 5s` waits longer, `options timeout:10` in resolv.conf makes glibc "
      "do so.",
      recognise, CauseKind::Depth::network,
      // Such an answer would not have come in time either.
      reasons::any_of({reasons::links(), reasons::frames(), reasons::steering(), reasons::translation(),
                       reasons::rules(), reasons::ways()})};
}

}  // namespace plumbline::proof
