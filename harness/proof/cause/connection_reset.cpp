#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <variant>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"
#include "harness/proof/diagnosis/serving.hpp"

namespace plumbline::proof {
namespace {

using Status = traffic::ProbeOutcome::Status;

const traffic::TcpHeader* tcp_of(const Sighting& sighting) {
  return std::get_if<traffic::TcpHeader>(&sighting.packet.transport);
}

/// The first sighting of a reply that `says` so.
template <class Says>
const Sighting* first_reply(const Journey& journey, const Says& says) {
  const auto found = std::ranges::find_if(journey.sightings, [&](const Sighting& each) {
    const auto* tcp = tcp_of(each);
    return each.leg == Leg::reply && tcp != nullptr && says(*tcp);
  });
  return found == journey.sightings.end() ? nullptr : &*found;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (!question.wanted_through()) return std::nullopt;
  const traffic::ProbeOutcome& outcome = question.outcome;
  const bool gone = outcome.status == Status::no_answer || outcome.status == Status::refused;
  if (!gone || (outcome.error_number != ECONNRESET && outcome.error_number != EPIPE)) return std::nullopt;
  const Sighting* made = first_reply(question.journey, [](const auto& tcp) { return tcp.syn && tcp.ack; });
  const Sighting* reset = first_reply(question.journey, [](const auto& tcp) { return tcp.rst; });
  if (made == nullptr || reset == nullptr || stopper(question.kernel)) return std::nullopt;
  const bool left_there = reset->packet.direction == traffic::Direction::out || reset->interface == "lo";
  if (!left_there || reset->node != question.to_node || made->node != reset->node) return std::nullopt;
  Finding finding;
  finding.certainty = may_have_rejected(question, facts, reset->node) ? Certainty::likely : Certainty::proven;
  finding.summary = fmt::format("{} accepted the connection to port {}, and then reset it.",
                                server_text(question), question.port);
  finding.evidence = {fmt::format("the connection was made: SYN+ACK was seen leaving {}", place(*made)),
                      fmt::format("the reset was first seen leaving {}", place(*reset))};
  finding.fix = {typed_on(question.to_node, listener_command(question))};
  return finding;
}

}  // namespace

CauseKind connection_reset_cause() {
  return {
      "connection-reset",
      "The service accepted the connection and then reset it.",
      "Something listens, so that this is no closed port: the kernel completed the handshake, and afterwards "
      "the connection was thrown away. A program does that when it dies with the connection open, when it "
      "closes it without having read what the client sent, or on purpose: `tcp_wrappers`, an access list of "
      "its own, a limit on connections, a proxy (docker-proxy, a service mesh's sidecar) whose own backend "
      "refuses. A port that wants TLS does so to a client that speaks plain text.",
      "A SYN+ACK was seen leaving the target, and later a reset, first seen at the same place: no firewall "
      "on the way made it.",
      "Read the program's log for that moment. Ask it on its own node (`curl -v http://127.0.0.1:PORT/`): "
      "does it answer there, then an access list tells clients apart. Behind a proxy, ask the backend "
      "itself.",
      recognise,
      CauseKind::Depth::network,
      reasons::rules()};
}

}  // namespace plumbline::proof
