#include "harness/engine/check/evidence.hpp"

#include <fmt/format.h>

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

}  // namespace

std::optional<std::string> blind_spot(const proof::Journey& journey, const std::string& from) {
  if (!journey.complete) return "the capture lost frames";
  if (journey.left(from) == nullptr) return fmt::format("the capture did not even see it leave {}", from);
  return std::nullopt;
}

bool Evidence::answered() const {
  using Status = traffic::ProbeOutcome::Status;
  return outcome.status == Status::replied || outcome.status == Status::no_answer;
}

std::string Evidence::furthest() const {
  const proof::Sighting* last = journey.furthest();
  if (last == nullptr) return fmt::format("never seen leaving {}", from);
  return fmt::format("last seen at {} {}", place(*last), direction_text(last->packet.direction));
}

std::vector<JourneyStep> steps(const proof::Journey& journey) {
  std::vector<JourneyStep> steps;
  steps.reserve(journey.sightings.size());
  for (const proof::Sighting& sighting : journey.sightings) {
    const std::uint64_t since = sighting.time_ns - journey.sightings.front().time_ns;
    steps.push_back({static_cast<std::int64_t>(since / 1000), sighting.node, sighting.interface,
                     direction_text(sighting.packet.direction), traffic::to_text(sighting.packet)});
  }
  return steps;
}

std::string place(const proof::Sighting& sighting) {
  return fmt::format("{}:{}", sighting.node, sighting.interface);
}

}  // namespace plumbline::engine
