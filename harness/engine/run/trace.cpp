#include "harness/engine/run/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <utility>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/engine/check/kernel_view.hpp"
#include "harness/engine/check/words.hpp"
#include "harness/proof/witness/stop.hpp"
#include "harness/traffic/capture/pcapng.hpp"

namespace plumbline::engine {
namespace {

constexpr std::uint32_t kSnapLength = 65535;

struct Tagged {
  const proof::Sighting* sighting;
  std::string comment;
};

const char* leg_words(proof::Leg leg) {
  switch (leg) {
    case proof::Leg::forward:
      return "on its way";
    case proof::Leg::reply:
      return "reply";
    case proof::Leg::error:
      return "error that quotes it";
    case proof::Leg::neighbour:
      return "address resolution";
  }
  return "";
}

void add(std::vector<Tagged>& packets, std::string_view probe, const proof::Journey& journey,
         const std::vector<std::string>& words) {
  for (std::size_t i = 0; i < journey.sightings.size(); ++i) {
    const proof::Sighting& sighting = journey.sightings[i];
    packets.push_back({&sighting, fmt::format("{} ({}): {}", probe, leg_words(sighting.leg), words[i])});
  }
}

/// Of each packet of the probe what it is and what became of it; who stopped it, with the last that was seen.
std::vector<std::string> words_of(const Outcome& outcome) {
  const proof::Journey& journey = outcome.journey;
  std::vector<std::string> words = comments(steps(journey), kernel_events(journey, outcome.kernel));
  const auto stop = proof::who_stopped(journey, outcome.kernel);
  if (!stop || words.empty()) return words;
  const proof::Sighting* last = stop->last;
  const std::size_t index = last == nullptr ? 0 : static_cast<std::size_t>(last - journey.sightings.data());
  words[index] += fmt::format("; stopped: {}", to_text(*stop));
  return words;
}

std::vector<Tagged> in_order(const Outcome& outcome) {
  std::vector<Tagged> packets;
  add(packets, "probe", outcome.journey, words_of(outcome));
  if (outcome.control_journey) {
    add(packets, "control", *outcome.control_journey, comments(steps(*outcome.control_journey), {}));
  }
  std::ranges::stable_sort(packets, {}, [](const Tagged& tagged) { return tagged.sighting->time_ns; });
  return packets;
}

std::string slug(std::string text) {
  std::string safe;
  for (const char letter : text) {
    const bool plain =
        std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '.' || letter == '_';
    if (plain) {
      safe.push_back(letter);
    } else if (!safe.empty() && safe.back() != '-') {
      safe.push_back('-');
    }
  }
  // A name of dots alone would be a folder that exists already.
  if (safe.find_first_not_of('.') == std::string::npos) safe.insert(0, "_");
  return safe.substr(0, 200);
}

}  // namespace

std::string trace_folder(const ScenarioResult& scenario) {
  std::string folder = slug(fmt::format("{}.{}", scenario.name, scenario.setup));
  if (scenario.repetition != 0) folder += fmt::format("#{}", scenario.repetition);
  return folder;
}

std::string trace_path(const std::string& directory, const std::string& folder, const std::string& check,
                       std::set<std::string>& taken) {
  const std::filesystem::path path_of_folder = std::filesystem::path(directory) / folder;
  const std::string name = slug(check);
  std::string path = (path_of_folder / (name + ".pcapng")).string();
  for (int number = 2; !taken.insert(path).second; ++number) {
    path = (path_of_folder / fmt::format("{}-{}.pcapng", name, number)).string();
  }
  return path;
}

std::vector<std::string> watched_places(const network::Topology& topology) {
  std::vector<std::string> places;
  for (const network::Node& node : topology.nodes) {
    for (const network::Interface& interface : node.interfaces) {
      places.push_back(fmt::format("{}:{}", node.name, interface.name));
    }
  }
  return places;
}

void write_trace(const std::string& path, const std::vector<std::string>& watched, const CheckResult& check,
                 const Outcome& outcome) {
  std::error_code problem;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), problem);
  if (problem) throw Error::from_errno(problem.value(), fmt::format("creating the folder of {}", path));
  traffic::PcapngWriter writer(path,
                               fmt::format("{}: {} ({})", check.id, to_text(check.verdict), check.observed));
  // An interface of a pcapng has one link type, so one that was tapped by itself too stands there twice.
  std::map<std::pair<std::string, traffic::LinkType>, std::uint32_t> interfaces;
  const auto number_of = [&](const std::string& name, traffic::LinkType link_type) {
    const auto known = interfaces.find({name, link_type});
    if (known != interfaces.end()) return known->second;
    return interfaces.emplace(std::pair(name, link_type), writer.add_interface(name, link_type, kSnapLength))
        .first->second;
  };
  for (const std::string& name : watched) number_of(name, traffic::LinkType::linux_sll2);
  for (const Tagged& packet : in_order(outcome)) {
    const proof::Sighting& sighting = *packet.sighting;
    writer.write(number_of(place(sighting), sighting.link_type), sighting.time_ns, sighting.bytes,
                 sighting.original_length, sighting.packet.direction, packet.comment);
  }
  writer.close();
}

}  // namespace plumbline::engine
