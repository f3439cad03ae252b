#include <fmt/format.h>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"
#include "harness/proof/diagnosis/serving.hpp"

namespace plumbline::proof {
namespace {

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (!question.wanted_through() || !taken_in_silence(question) || !has_way_back(question, facts))
    return std::nullopt;
  const Sighting* asked = question.journey.arrived(question.to_node);
  const bool connected = question.outcome.status == traffic::ProbeOutcome::Status::no_answer;
  const bool given = connected || !question.delivered_to.empty();
  Finding finding;
  // Of a datagram that came in, only the service's own log shows that its kernel gave it to the service.
  finding.certainty = given && question.journey.complete ? Certainty::proven : Certainty::likely;
  finding.summary = connected ? fmt::format("{} took the connection to port {} and never answered.",
                                            server_text(question), question.port)
                              : fmt::format("{} got the probe to port {} and never answered.",
                                            server_text(question), question.port);
  finding.evidence.push_back(fmt::format("the probe came in at {}", place(*asked)));
  if (connected) finding.evidence.emplace_back("the handshake was completed, and the request acknowledged");
  if (!question.delivered_to.empty()) {
    finding.evidence.push_back(fmt::format("the service in {} read it", question.delivered_to));
  }
  finding.evidence.push_back(fmt::format("no answer was seen leaving {}", question.to_node));
  finding.fix = {typed_on(question.to_node, listener_command(question)),
                 typed_on(question.to_node, fmt::format("tcpdump -ni any port {}", question.port))};
  return finding;
}

}  // namespace

CauseKind service_silent_cause() {
  return {
      "service-silent",
      "The service got the probe and never answered.",
      "The network did its part: the probe came to its target, no rule stopped it there, and nothing left. A "
      "program that hangs (a deadlock, a full disk, a debugger), one that speaks another protocol than the "
      "probe does and waits for more, a worker pool whose workers are all busy: the kernel goes on "
      "completing handshakes for it until its backlog is full, so that connections look well.",
      "The probe was seen coming in, its kernel told of no drop, and no answer was seen leaving within four "
      "times the time-out; over TCP the handshake had been completed. It is proven where the service is one "
      "of ours and had read the probe.",
      "Look at the program: its log, `ss -tnp` (a receive queue that grows says that it does not read), "
      "`cat /proc/PID/stack`, `gdb -p PID`. Restart it, and give it a health check that asks for an answer "
      "rather than for a connection.",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of({reasons::links(),
                       reasons::frames(),
                       reasons::steering(),
                       reasons::translation(),
                       reasons::rules(),
                       reasons::ways(),
                       {"dns-tcp-only", "dns-udp-only"}})};
}

}  // namespace plumbline::proof
