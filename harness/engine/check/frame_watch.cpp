#include "harness/engine/check/frame_watch.hpp"

#include <fmt/format.h>
#include <net/if.h>

#include <utility>

#include "harness/base/error.hpp"

namespace plumbline::engine {
namespace {

/// Only frames that match take room, and any that does decides the verdict.
constexpr std::size_t kRingBytes = 256U << 10U;

/// Why no tap can be opened there; absent: it can.
std::optional<WatchRecord> unwatchable(const FrameWatch& watch, const network::Topology& topology) {
  const network::Node* node = topology.find(watch.node);
  const network::Interface* interface = node == nullptr ? nullptr : node->find_interface(watch.interface);
  WatchRecord record;
  record.missing = interface == nullptr;
  if (record.missing) {
    record.problem =
        fmt::format("{} had no interface {} when the scenario started", watch.node, watch.interface);
    return record;
  }
  if (interface->up) return std::nullopt;
  record.problem =
      fmt::format("{} was down when the scenario started, so no tap could be opened on it", watch.place());
  return record;
}

/// Whole Ethernet frames do not say which way they go. Those from or to the interface's own address do; what
/// only passes it, a bridge's port, stays unknown.
traffic::Direction direction_of(const traffic::Packet& packet, const std::optional<MacAddress>& own) {
  if (packet.direction != traffic::Direction::unknown || !own) return packet.direction;
  if (packet.source_mac == own) return traffic::Direction::out;
  return packet.destination_mac == own ? traffic::Direction::in : traffic::Direction::unknown;
}

}  // namespace

FrameWatches::FrameWatches(boost::asio::any_io_executor executor, const network::LiveNetwork& network)
    : executor_(std::move(executor)), network_(network) {}

void FrameWatches::open(const std::vector<FrameWatch>& watches, const network::Topology& topology) {
  std::vector<FrameWatch> order;
  std::vector<traffic::TapSource> taps;
  for (const FrameWatch& watch : watches) {
    const auto [place, fresh] = watched_.emplace(watch, Watched{});
    if (!fresh) continue;
    if (auto record = unwatchable(watch, topology)) {
      place->second.record = std::move(*record);
      continue;
    }
    const network::Interface& interface = *topology.find(watch.node)->find_interface(watch.interface);
    place->second.mac = interface.mac;
    place->second.index = interface.index;
    place->second.inode = network_.netns(watch.node).inode();
    order.push_back(watch);
    taps.push_back({watch.node, &network_.netns(watch.node), kRingBytes, watch.interface, watch.filter});
  }
  if (taps.empty()) return;
  captures_.push_back(std::make_unique<traffic::Capture>(
      executor_, std::move(taps), traffic::CaptureOptions{},
      [this, order](const traffic::Frame& frame) { take(order.at(frame.tap), frame); }));
  for (std::size_t tap = 0; tap < order.size(); ++tap) {
    Watched& watched = watched_.at(order[tap]);
    watched.capture = captures_.back().get();
    watched.tap = tap;
  }
}

void FrameWatches::take(const FrameWatch& watch, const traffic::Frame& frame) {
  Watched& watched = watched_.at(watch);
  WatchRecord& record = watched.record;
  const std::uint64_t sequence = record.frames++;
  if (record.first.size() == WatchRecord::kKept) return;
  proof::Sighting sighting;
  sighting.time_ns = frame.time_ns;
  sighting.sequence = sequence;
  sighting.node = watch.node;
  sighting.interface = watch.interface;
  sighting.packet = traffic::decode(frame.bytes, frame.link_type);
  sighting.packet.direction = direction_of(sighting.packet, watched.mac);
  sighting.bytes.assign(frame.bytes.begin(), frame.bytes.end());
  sighting.original_length = frame.original_length;
  sighting.link_type = frame.link_type;
  record.first.push_back(std::move(sighting));
}

/// Why the name now means something else than the tap is on. Absent: it does not.
std::optional<std::string> FrameWatches::moved(const FrameWatch& watch, const Watched& watched) const {
  const auto node = network_.nodes().find(watch.node);
  if (node == network_.nodes().end()) return fmt::format("the node {} is gone", watch.node);
  if (node->second.inode() != watched.inode)
    return fmt::format("{} is another node than the one that was watched", watch.node);
  const unsigned index = node->second.run([&] { return ::if_nametoindex(watch.interface.c_str()); });
  if (index == watched.index) return std::nullopt;
  if (index == 0) return fmt::format("no interface of {} is named {} any more", watch.node, watch.interface);
  return fmt::format("{} is another interface than the one that was watched", watch.place());
}

void FrameWatches::note_changes() {
  for (auto& [watch, watched] : watched_) {
    if (watched.capture == nullptr || !watched.record.problem.empty()) continue;
    if (const auto problem = moved(watch, watched)) watched.record.problem = *problem;
  }
}

WatchRecord FrameWatches::record(const FrameWatch& watch) {
  const auto found = watched_.find(watch);
  if (found == watched_.end()) throw Error(fmt::format("{} was not watched", watch.place()));
  Watched& watched = found->second;
  if (watched.capture != nullptr) {
    watched.capture->drain();
    watched.record.lost = watched.capture->dropped(watched.tap);
    note_changes();
    const std::string& problem = watched.capture->problem(watched.tap);
    if (!problem.empty()) {
      watched.record.problem = fmt::format("the tap on {} has ended: {}", watch.place(), problem);
    }
  }
  return watched.record;
}

}  // namespace plumbline::engine
