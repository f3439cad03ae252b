#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/network/topology/live_network.hpp"
#include "harness/network/topology/model.hpp"
#include "harness/proof/journey/journey.hpp"
#include "harness/traffic/capture/capture.hpp"

namespace plumbline::engine {

/// One interface that a check wants watched for the whole scenario.
struct FrameWatch {
  std::string node;
  std::string interface;
  std::string filter;  ///< pcap-filter(7), not empty
  std::string place() const { return node + ":" + interface; }
  friend auto operator<=>(const FrameWatch&, const FrameWatch&) = default;
};

/// What was seen there until now.
struct WatchRecord {
  std::uint64_t frames = 0;  ///< that matched
  std::uint64_t lost = 0;    ///< for which the tap had no room: they may have matched
  std::string problem;       ///< why it has not seen all there was (never opened, ended early); empty: it has
  bool missing = false;      ///< there was no such interface when the watch began
  /// The first frames that matched, at most kKept, as sightings of no probe.
  std::vector<proof::Sighting> first;
  static constexpr std::size_t kKept = 8;
};

/// Taps of their own, each on one interface and with its own filter: of what they see they keep a count and
/// the first few frames, so they can stay open for as long as the scenario runs.
class FrameWatches {
 public:
  FrameWatches(boost::asio::any_io_executor executor, const network::LiveNetwork& network);

  /// Opens those that are not open yet. An interface that is not there, or is down, is noted in its record.
  /// Throws Error where a tap cannot be opened for other reasons.
  void open(const std::vector<FrameWatch>& watches, const network::Topology& topology);
  /// To be called when the network may have changed: a tap stays with its interface, so where another one has
  /// the name now, or none, the record says for good that it has not seen all.
  void note_changes();
  /// Reads what its tap holds, then tells. Throws Error for one that was never asked for.
  WatchRecord record(const FrameWatch& watch);

 private:
  struct Watched {
    WatchRecord record;
    std::optional<MacAddress> mac;
    unsigned index = 0;                   // of the interface that the tap is on
    std::uint64_t inode = 0;              // of its node's namespace
    traffic::Capture* capture = nullptr;  // null: never opened
    std::size_t tap = 0;
  };

  std::optional<std::string> moved(const FrameWatch& watch, const Watched& watched) const;
  void take(const FrameWatch& watch, const traffic::Frame& frame);

  boost::asio::any_io_executor executor_;
  const network::LiveNetwork& network_;
  std::map<FrameWatch, Watched> watched_;
  std::vector<std::unique_ptr<traffic::Capture>> captures_;
};

}  // namespace plumbline::engine
