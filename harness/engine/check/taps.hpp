#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/engine/check/ground.hpp"
#include "harness/network/topology/live_network.hpp"
#include "harness/network/topology/model.hpp"
#include "harness/proof/journey/observer.hpp"
#include "harness/traffic/capture/capture.hpp"

namespace plumbline::engine {

struct TapOptions {
  std::size_t checks = 0;          ///< under way at once at most; 0: not known, so it may be many
  std::size_t buffer_bytes = 0;    ///< of each tap; 0: by `checks` and the node's number of interfaces
  std::size_t snap_length = 2048;  ///< bytes of a frame kept
};

/// A tap in every node of a stage, and what they have seen of its probes.
class Taps {
 public:
  /// The executor's context must outlive this. `topology` is what was read back last.
  Taps(boost::asio::any_io_executor executor, const network::LiveNetwork& network,
       const network::Topology& topology, const TapOptions& options)
      : executor_(std::move(executor)),
        network_(network),
        topology_(topology),
        ground_(topology),
        options_(options) {}

  /// Opens those of nodes that have none yet. Throws Error.
  void open();
  /// The topology has changed: nodes that went away are of no concern any more, and filters are renewed.
  void note_changes();

  /// Reads what has come until now.
  void drain();
  /// Waits until a packet of the probe is seen, `until` at most.
  boost::asio::awaitable<void> sighting(proof::WatchId watch, std::chrono::steady_clock::time_point until);
  /// How many frames there was no room for.
  std::uint64_t frames_lost();
  /// The same when it was last asked: what was lost since may have been any probe's that was under way.
  std::uint64_t frames_known_lost() const noexcept { return frames_lost_; }

  proof::Observer& observer() noexcept { return observer_; }
  /// What was seen of a probe until now; frames lost since `lost_before` may have been its.
  proof::Journey journey(std::optional<proof::WatchId> watch, const std::string& from, const IpAddress& to,
                         std::uint64_t lost_before);
  /// Cables from one node to another.
  unsigned distance(const std::string& from, const std::string& to);

 private:
  /// Whose tap it is. A namespace cannot come back under another's number while its tap is open.
  struct Tapped {
    std::string node;
    std::uint64_t inode = 0;  ///< of its namespace
    std::string filter;
    bool stale = false;  ///< the node is gone, or its name now means another namespace: of no concern
  };

  std::vector<unsigned> distances(const std::string& source) const;
  const std::vector<unsigned>& distance_from(const std::string& node);
  proof::Terrain terrain(const std::string& from, const IpAddress& to);

  boost::asio::any_io_executor executor_;
  const network::LiveNetwork& network_;
  const network::Topology& topology_;
  Ground ground_;
  TapOptions options_;
  std::map<std::string, std::vector<unsigned>, std::less<>> distances_;
  proof::Observer observer_;
  using Awaited = std::multimap<proof::WatchId, boost::asio::steady_timer*>;
  /// Shared: an interrupted probe's coroutine goes after the stage.
  const std::shared_ptr<Awaited> awaited_ = std::make_shared<Awaited>();
  std::vector<Tapped> tapped_;                               ///< by tap, over all captures
  std::vector<std::pair<std::size_t, std::size_t>> places_;  ///< which capture, and which of its taps
  std::vector<std::unique_ptr<traffic::Capture>> captures_;
  std::uint64_t frames_lost_ = 0;  ///< when it was last asked
};

}  // namespace plumbline::engine
