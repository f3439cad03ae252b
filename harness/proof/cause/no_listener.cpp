#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/nat.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"
#include "harness/proof/diagnosis/routing.hpp"

namespace plumbline::proof {
namespace {

using traffic::Direction;
using Status = traffic::ProbeOutcome::Status;

bool port_unreachable(const traffic::IcmpHeader& icmp) {
  return icmp.v6 ? icmp.type == 1 && icmp.code == 4 : icmp.type == 3 && icmp.code == 3;
}

/// A reset, or "port unreachable".
bool says_no(const Sighting& sighting) {
  if (sighting.leg == Leg::reply) {
    const auto* tcp = std::get_if<traffic::TcpHeader>(&sighting.packet.transport);
    return tcp != nullptr && tcp->rst;
  }
  const auto* icmp = std::get_if<traffic::IcmpHeader>(&sighting.packet.transport);
  return sighting.leg == Leg::error && icmp != nullptr && port_unreachable(*icmp);
}

/// A handshake that was answered: somebody listens, whoever ended the connection later.
bool was_made(const Journey& journey) {
  return std::ranges::any_of(journey.sightings, [](const Sighting& each) {
    const auto* tcp = std::get_if<traffic::TcpHeader>(&each.packet.transport);
    return each.leg == Leg::reply && tcp != nullptr && tcp->syn && tcp->ack;
  });
}

/// The first time that it was seen: where it was made.
const Sighting* refusal(const Journey& journey) {
  const auto found = std::ranges::find_if(journey.sightings, says_no);
  return found == journey.sightings.end() ? nullptr : &*found;
}

bool refused(const traffic::ProbeOutcome& outcome) {
  if (outcome.status == Status::refused) return true;
  if (outcome.status != Status::icmp_error || !outcome.icmp) return false;
  return outcome.icmp->v6 ? outcome.icmp->type == 1 && outcome.icmp->code == 4
                          : outcome.icmp->type == 3 && outcome.icmp->code == 3;
}

/// The packet as it last came to `node`; null: it was never seen there.
const Sighting* taken_in(const Journey& journey, const std::string& node) {
  const Sighting* last = nullptr;
  for (const Sighting& sighting : journey.sightings) {
    const bool in = sighting.packet.direction != Direction::out || sighting.interface == "lo";
    if (sighting.leg == Leg::forward && sighting.node == node && in && sighting.packet.ip) last = &sighting;
  }
  return last;
}

/// To which it was addressed in the end: a published port may lead to another.
std::uint16_t port_of(const Sighting& taken, const Case& question) {
  if (const auto* tcp = std::get_if<traffic::TcpHeader>(&taken.packet.transport))
    return tcp->destination_port;
  if (const auto* udp = std::get_if<traffic::UdpHeader>(&taken.packet.transport))
    return udp->destination_port;
  return question.port;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (!question.wanted_through()) return std::nullopt;
  if (question.protocol == traffic::Protocol::ping && question.port == 0) return std::nullopt;
  if (!refused(question.outcome) || stopper(question.kernel) || was_made(question.journey)) {
    return std::nullopt;
  }
  const Sighting* no = refusal(question.journey);
  if (no == nullptr || (no->packet.direction != Direction::out && no->interface != "lo")) return std::nullopt;
  const network::Node* node = facts.node(no->node);
  const Sighting* taken = taken_in(question.journey, no->node);
  if (node == nullptr || taken == nullptr || !holds(*node, taken->packet.ip->destination)) {
    const network::Node* known = node == nullptr || taken == nullptr
                                     ? nullptr
                                     : facts.topology().owner_of(taken->packet.ip->destination);
    if (known == nullptr || known->name != no->node) return std::nullopt;
  }
  if (may_have_rejected(question, facts, no->node)) return std::nullopt;
  const bool tcp = no->leg == Leg::reply;
  Finding finding;
  finding.certainty = Certainty::proven;
  const std::string to = taken->packet.ip->destination.to_string();
  const std::string what = fmt::format("{} port {}", tcp ? "TCP" : "UDP", question.port);
  finding.summary = question.to == taken->packet.ip->destination
                        ? fmt::format("Nothing listens on {} of {} ({}).", what, no->node, to)
                        : fmt::format("{} was sent on to port {} of {} ({}), where nothing listens.", what,
                                      port_of(*taken, question), no->node, to);
  finding.evidence = {fmt::format("the probe came in by {}", place(*taken)),
                      fmt::format("{} answered it by itself with {}", no->node,
                                  tcp ? "a reset" : "ICMP \"port unreachable\""),
                      fmt::format("no rule of {} rejects it", no->node)};
  if (question.to != taken->packet.ip->destination && !question.to_node.empty()) {
    const auto led = firewall::met_destination_nat(question, question.to_node);
    if (led) finding.evidence.push_back("led there by the " + led->to_string());
  }
  // Who is to listen there only its owner knows; who does, the node tells.
  finding.fix = {on(no->node, question,
                    fmt::format("ss {} 'sport = :{}'", tcp ? "-lntp" : "-lnup", port_of(*taken, question)))};
  return finding;
}

}  // namespace

CauseKind no_listener_cause() {
  return {
      "no-listener",
      "The probe arrived, but nothing listens on that port.",
      "The kernel of the target answers for a port that no program has opened: with a reset (TCP), or with "
      "ICMP \"port unreachable\" (UDP). The program is not running, not yet or no more; it listens on "
      "another "
      "port; or only on 127.0.0.1, so that it is there for its own container and for nobody else, which is "
      "what many servers do by default. A published port that leads to the wrong port of the container "
      "(`-p 8080:80` where the program has 8080) looks just the same from outside.",
      "The probe was seen coming in at the node that holds the address, the reset or the ICMP error was "
      "first "
      "seen leaving there, and no rule made it: the kernel's trace of that node names none, or it has no "
      "rule "
      "that rejects. A firewall that rejects on the way answers before the target has seen anything.",
      "Look on the target with `ss -lntup`: the local address must be `0.0.0.0`, `[::]` or `*`, or the very "
      "one "
      "that is asked for. In a container without `ss`: `nsenter -t PID -n ss -lntup` on its host.\n"
      "Start the program, or let it listen on all addresses (`listen 80`, `bind 0.0.0.0`, `--host 0.0.0.0`); "
      "over IPv6, check that it opened a socket for that family, too.",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of({reasons::links(),
                       reasons::frames(),
                       reasons::rules(),
                       {"dns-stub-resolver", "dns-tcp-only", "dns-udp-only", "destination-translated"}})};
}

}  // namespace plumbline::proof
