#include "harness/engine/check/evidence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "harness/proof/journey/notes.hpp"

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

std::string translated(const proof::Journey& journey, std::size_t index) {
  const proof::Translated ends = proof::translated_at(journey, index);
  if (ends.source && ends.destination) return "source, destination";
  return ends.source ? "source" : ends.destination ? "destination" : "";
}

/// RFC 6052: an IPv6 address in this prefix is the IPv4 one that it ends with, behind a NAT64.
bool means(const IpAddress& named, const IpAddress& other) {
  static const Prefix kNat64(*IpAddress::parse("64:ff9b::"), 96);
  if (named == other) return true;
  return !named.is_v4() && kNat64.contains(named) && other == IpAddress::from_bytes(named.bytes().last(4));
}

std::uint16_t source_port(const traffic::Packet& packet) {
  if (const auto* tcp = std::get_if<traffic::TcpHeader>(&packet.transport)) return tcp->source_port;
  if (const auto* udp = std::get_if<traffic::UdpHeader>(&packet.transport)) return udp->source_port;
  return 0;
}

/// Of an answer as it came in, before our conntrack puts the asked one's name to it: who else gave it.
std::optional<std::string> another_beyond(const proof::Sighting& answer, const Target& to,
                                          std::uint16_t port) {
  if (!answer.packet.ip) return std::nullopt;
  const IpAddress& source = answer.packet.ip->source;
  if (!means(to.address, source)) {
    return fmt::format("it was {} that answered, as {} saw it, not {}", source.to_string(), place(answer),
                       to.text);
  }
  const std::uint16_t from_port = source_port(answer.packet);
  if (port == 0 || from_port == 0 || from_port == port) return std::nullopt;
  return fmt::format("it was port {} of {} that answered, as {} saw it, not {}", from_port,
                     source.to_string(), place(answer), port);
}

std::uint32_t mtu_of(const network::Topology* topology, const proof::Sighting& sighting) {
  const network::Node* node = topology == nullptr ? nullptr : topology->find(sighting.node);
  const network::Interface* interface = node == nullptr ? nullptr : node->find_interface(sighting.interface);
  return interface == nullptr ? 0 : interface->mtu;
}

}  // namespace

void leave_out_later_questions(proof::Journey& journey, const proof::KernelPath& kernel) {
  const proof::Sighting* last = journey.furthest();
  const bool stopped = std::ranges::any_of(kernel.passages, [](const proof::Passage& passage) {
    return passage.leg == proof::Leg::forward && (passage.verdict == "drop" || passage.verdict == "reject");
  });
  const bool went_on = std::ranges::any_of(journey.sightings, [](const proof::Sighting& sighting) {
    return sighting.leg == proof::Leg::reply || sighting.leg == proof::Leg::error;
  });
  if (last == nullptr || !stopped || went_on) return;
  const std::uint64_t end = last->time_ns;
  std::erase_if(journey.sightings, [end](const proof::Sighting& sighting) {
    return sighting.leg == proof::Leg::neighbour && sighting.time_ns > end;
  });
}

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

std::optional<std::string> wrong_answerer(const proof::Journey& journey, const Target& to,
                                          std::uint16_t port) {
  const auto answers = journey.answers();
  if (answers.empty()) return "no answer was seen by any tap";
  for (const proof::Sighting* answer : answers) {
    if (answer->node == to.node) continue;
    // A node's answer leaves it; one that is first seen coming in is from beyond what we watch.
    const bool from_beyond = answer->packet.direction != traffic::Direction::out && answer->interface != "lo";
    if (to.node.empty() && from_beyond) {
      if (auto another = another_beyond(*answer, to, port)) return another;
      continue;
    }
    return fmt::format("it was {} that answered, not {}", answer->node, to.node.empty() ? to.text : to.node);
  }
  return std::nullopt;
}

std::string Evidence::furthest() const {
  const proof::Sighting* last = journey.furthest();
  if (last == nullptr) return fmt::format("never seen leaving {}", from);
  if (last->packet.direction == traffic::Direction::other_host)
    return fmt::format("last seen passing {}", place(*last));
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

std::vector<JourneyStep> steps(const proof::Journey& journey, const network::Topology* topology) {
  std::vector<JourneyStep> steps;
  steps.reserve(journey.sightings.size());
  for (std::size_t i = 0; i < journey.sightings.size(); ++i) {
    const proof::Sighting& sighting = journey.sightings[i];
    const auto since = static_cast<std::int64_t>(sighting.time_ns - journey.sightings.front().time_ns);
    JourneyStep& step = steps.emplace_back();
    step.t_us = since / 1000;
    step.node = sighting.node;
    step.interface = sighting.interface;
    step.direction = direction_text(sighting.packet.direction);
    step.packet = traffic::to_text(sighting.packet);
    step.leg = leg_text(sighting.leg);
    step.translated = translated(journey, i);
    step.note = proof::offload_note(sighting, mtu_of(topology, sighting));
    const auto kept = std::span(sighting.bytes).first(std::min(sighting.bytes.size(), StepFrame::kMost));
    step.frame = {
        static_cast<std::uint16_t>(sighting.link_type), sighting.original_length, {kept.begin(), kept.end()}};
  }
  return steps;
}

std::string place(const proof::Sighting& sighting) {
  return fmt::format("{}:{}", sighting.node, sighting.interface);
}

}  // namespace plumbline::engine
