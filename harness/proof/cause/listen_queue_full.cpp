#include <fmt/format.h>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"
#include "harness/proof/diagnosis/serving.hpp"

namespace plumbline::proof {
namespace {

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  (void)facts;
  if (!question.wanted_through() || question.to_node.empty()) return std::nullopt;
  if (question.outcome.status != traffic::ProbeOutcome::Status::timeout) return std::nullopt;
  const Sighting* came = question.journey.arrived(question.to_node);
  if (came == nullptr || !question.journey.answers().empty()) return std::nullopt;
  const std::uint64_t full = rose(question.kernel, question.to_node, "ListenOverflows");
  if (full == 0) return std::nullopt;
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format("The queue of {}'s listener on port {} is full: its program accepts nothing.",
                                server_text(question), question.port);
  finding.evidence = {
      fmt::format("the SYN came in at {} and was not answered", place(*came)),
      fmt::format("TcpExtListenOverflows of {} rose by {} while the probe was sent once more, alone",
                  question.to_node, full)};
  finding.fix = {typed_on(question.to_node, fmt::format("ss -lnt 'sport = :{}'", question.port)),
                 typed_on(question.to_node, "nstat -az TcpExtListenOverflows TcpExtListenDrops")};
  return finding;
}

}  // namespace

CauseKind listen_queue_full_cause() {
  return {
      "listen-queue-full",
      "The listener's queue is full, so that its kernel drops every SYN.",
      "The kernel completes handshakes for a program and keeps the connections in a queue until it accepts "
      "them, at most as many as its `listen(backlog)` and `net.core.somaxconn` say. A program that hangs, or "
      "whose worker threads are all busy, fills it; from then on SYNs are dropped without a word, and "
      "clients "
      "see time-outs as from a firewall. A short queue fills under a burst of clients, too.",
      "The SYN came in, nothing was answered, and when the probe was sent once more the counter "
      "TcpExtListenOverflows of the target rose.",
      "`ss -lnt` shows the queue: `Recv-Q` above `Send-Q` is full. Find out why the program does not accept "
      "(its log, `gdb -p PID`) or restart it. Against bursts let it listen with a longer backlog, and raise "
      "the limit:\n```\nsysctl -w net.core.somaxconn=4096\n```",
      recognise,
      CauseKind::Depth::network,
      reasons::rules()};
}

}  // namespace plumbline::proof
