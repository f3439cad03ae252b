#include "harness/engine/check/evidence.hpp"

#include <fmt/format.h>

#include <map>
#include <utility>
#include <variant>

namespace plumbline::engine {
namespace {

const char* direction_text(traffic::Direction direction) {
  switch (direction) {
    case traffic::Direction::in:
      return "in";
    case traffic::Direction::out:
      return "out";
    case traffic::Direction::other_host:
      return "other-host";
    case traffic::Direction::unknown:
      return "unknown";
  }
  return "unknown";
}

/// An address, and of UDP and TCP a port.
using End = std::pair<IpAddress, std::uint16_t>;
using Ends = std::pair<End, End>;

std::optional<Ends> ends_of(const traffic::Packet& packet) {
  if (!packet.ip) return std::nullopt;
  Ends ends{{packet.ip->source, 0}, {packet.ip->destination, 0}};
  const auto set_ports = [&](const auto& header) {
    ends.first.second = header.source_port;
    ends.second.second = header.destination_port;
  };
  if (const auto* udp = std::get_if<traffic::UdpHeader>(&packet.transport)) set_ports(*udp);
  if (const auto* tcp = std::get_if<traffic::TcpHeader>(&packet.transport)) set_ports(*tcp);
  return ends;
}

std::string translated(const traffic::Packet& made, const traffic::Packet& seen) {
  const auto before = ends_of(made);
  const auto now = ends_of(seen);
  if (!before || !now) return {};
  const bool source = before->first != now->first;
  const bool destination = before->second != now->second;
  if (source && destination) return "source, destination";
  return source ? "source" : destination ? "destination" : "";
}

}  // namespace

std::optional<std::string> blind_spot(const proof::Journey& journey, const std::string& from) {
  if (!journey.complete) return "the capture lost frames";
  if (journey.passed(from) == nullptr) return fmt::format("the capture did not even see it leave {}", from);
  return std::nullopt;
}

bool Evidence::answered() const {
  return outcome.status == traffic::ProbeOutcome::Status::replied;
}

bool Evidence::got_through() const {
  return answered() || outcome.status == traffic::ProbeOutcome::Status::no_answer;
}

std::optional<std::string> wrong_answerer(const proof::Journey& journey, const Target& to) {
  const auto answers = journey.answers();
  if (answers.empty()) return "no answer was seen by any tap";
  for (const proof::Sighting* answer : answers) {
    if (answer->node == to.node) continue;
    // A node's answer leaves it; one that is first seen coming in is from beyond what we watch.
    const bool from_beyond = answer->packet.direction != traffic::Direction::out && answer->interface != "lo";
    if (to.node.empty() && from_beyond) continue;
    return fmt::format("it was {} that answered, not {}", answer->node, to.node.empty() ? to.text : to.node);
  }
  return std::nullopt;
}

std::string Evidence::furthest() const {
  const proof::Sighting* last = journey.furthest();
  if (last == nullptr) return fmt::format("never seen leaving {}", from);
  return fmt::format("last seen at {} {}", place(*last), direction_text(last->packet.direction));
}

const char* leg_text(proof::Leg leg) {
  switch (leg) {
    case proof::Leg::forward:
      return "forward";
    case proof::Leg::reply:
      return "reply";
    case proof::Leg::error:
      return "error";
    case proof::Leg::neighbour:
      return "neighbour";
  }
  return "forward";
}

std::vector<JourneyStep> steps(const proof::Journey& journey) {
  std::vector<JourneyStep> steps;
  steps.reserve(journey.sightings.size());
  std::map<proof::Leg, const traffic::Packet*> first;
  for (const proof::Sighting& sighting : journey.sightings) {
    const auto since = static_cast<std::int64_t>(sighting.time_ns - journey.sightings.front().time_ns);
    JourneyStep& step = steps.emplace_back();
    step.t_us = since / 1000;
    step.node = sighting.node;
    step.interface = sighting.interface;
    step.direction = direction_text(sighting.packet.direction);
    step.packet = traffic::to_text(sighting.packet);
    step.leg = leg_text(sighting.leg);
    step.translated =
        translated(*first.try_emplace(sighting.leg, &sighting.packet).first->second, sighting.packet);
  }
  return steps;
}

std::string place(const proof::Sighting& sighting) {
  return fmt::format("{}:{}", sighting.node, sighting.interface);
}

}  // namespace plumbline::engine
