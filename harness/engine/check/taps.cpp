#include "harness/engine/check/taps.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <deque>

#include "harness/base/scope_exit.hpp"
#include "harness/engine/check/tap_filter.hpp"

namespace plumbline::engine {
namespace {

/// All rings together; the kernel allocates and clears them at once, so this is real memory and real time:
/// with the largest budget a third of all that a run of some hundred checks takes. That many lose nothing
/// with a fiftieth of what they get.
constexpr std::size_t kRingBudget = 96U << 20U;
constexpr std::size_t kLeastRingBudget = 8U << 20U;
constexpr std::size_t kRingBudgetOfACheck = 128U << 10U;
constexpr std::size_t kLeastRing = 128U << 10U;
/// Where nodes are few, each may be at one end of every check, and 128 KiB are 64 frames, or six TCP
/// exchanges.
constexpr std::size_t kLeastRingOfFew = 512U << 10U;
constexpr std::size_t kLeastOfAll = 8U << 20U;
constexpr std::size_t kLargestRing = 32U << 20U;

/// A node's share of the budget. What its one tap sees grows with its interfaces (a host with a hundred
/// bridge ports sees a hundred times what each container does), and with its being on everybody's way, as
/// routers and switches are.
std::size_t weight(const network::Node& node) {
  constexpr std::size_t on_the_way = 16;
  return node.interfaces.size() + (node.role == network::Role::container ? 0 : on_the_way);
}

std::size_t ring_budget(std::size_t checks) {
  if (checks == 0) return kRingBudget;
  return std::clamp(checks * kRingBudgetOfACheck, kLeastRingBudget, kRingBudget);
}

std::size_t ring_size(std::size_t share, std::size_t all_shares, std::size_t nodes,
                      const TapOptions& options) {
  if (options.buffer_bytes != 0) return options.buffer_bytes;
  const std::size_t budget = ring_budget(options.checks);
  const std::size_t least =
      std::clamp(kLeastOfAll / std::max<std::size_t>(nodes, 1), kLeastRing, kLeastRingOfFew);
  return std::clamp(budget / std::max<std::size_t>(all_shares, 1) * share, least, kLargestRing);
}

}  // namespace

void Taps::open() {
  std::size_t all_shares = 0;
  for (const network::Node& node : topology_.nodes) all_shares += weight(node);
  std::vector<traffic::TapSource> taps;
  const std::size_t first = tapped_.size();
  for (const auto& [name, netns] : network_.nodes()) {
    const std::uint64_t inode = netns.inode();
    const auto same = [&node = name, inode](const Tapped& t) { return t.node == node && t.inode == inode; };
    if (std::ranges::any_of(tapped_, same)) continue;
    const network::Node* node = topology_.find(name);
    const std::size_t share = node == nullptr ? 1 : weight(*node);
    traffic::TapSource& tap = taps.emplace_back();
    tap.node = name;
    tap.netns = &netns;
    tap.buffer_bytes = ring_size(share, all_shares, topology_.nodes.size(), options_);
    tap.filter = tap_filter(node);
    tapped_.push_back({name, inode, tap.filter});
  }
  if (taps.empty()) return;
  traffic::CaptureOptions options;
  options.snap_length = options_.snap_length;
  const std::size_t which = captures_.size();
  for (std::size_t i = 0; i < taps.size(); ++i) places_.emplace_back(which, i);
  captures_.push_back(std::make_unique<traffic::Capture>(
      executor_, std::move(taps), options, [this, which, first](const traffic::Frame& frame) {
        if (tapped_[first + frame.tap].stale) return;
        const traffic::Capture& capture = *captures_[which];
        const auto watch = observer_.see(first + frame.tap, capture.node(frame.tap),
                                         capture.interface_name(frame.tap, frame.interface), frame.time_ns,
                                         frame.bytes, frame.original_length, traffic::LinkType::linux_sll2);
        if (!watch) return;
        const auto [waiting, end] = awaited_->equal_range(*watch);
        for (auto each = waiting; each != end; ++each) each->second->cancel();
      }));
}

void Taps::note_changes() {
  ground_ = Ground(topology_);
  distances_.clear();
  for (Tapped& tap : tapped_) {
    const auto found = network_.nodes().find(tap.node);
    tap.stale = found == network_.nodes().end() || found->second.inode() != tap.inode;
  }
  for (std::size_t i = 0; i < tapped_.size(); ++i) {
    if (tapped_[i].stale) continue;
    std::string filter = tap_filter(topology_.find(tapped_[i].node));
    if (filter == tapped_[i].filter) continue;
    captures_[places_[i].first]->set_filter(places_[i].second, filter);
    tapped_[i].filter = std::move(filter);
  }
}

void Taps::drain() {
  for (const auto& capture : captures_) capture->drain();
}

boost::asio::awaitable<void> Taps::sighting(proof::WatchId watch,
                                            std::chrono::steady_clock::time_point until) {
  boost::asio::steady_timer timer(executor_, until);
  const auto waiting = awaited_->emplace(watch, &timer);
  const ScopeExit forget([awaited = awaited_, waiting] { awaited->erase(waiting); });
  boost::system::error_code seen;
  co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, seen));
}

std::uint64_t Taps::frames_lost() {
  frames_lost_ = 0;
  for (const auto& capture : captures_) frames_lost_ += capture->dropped();
  return frames_lost_;
}

proof::Journey Taps::journey(std::optional<proof::WatchId> watch, const std::string& from,
                             const IpAddress& to, std::uint64_t lost_before) {
  drain();
  proof::Journey journey;
  if (watch) journey = observer_.journey(*watch, terrain(from, to));
  journey.complete = frames_lost() == lost_before;
  return journey;
}

unsigned Taps::distance(const std::string& from, const std::string& to) {
  const std::vector<unsigned>& by_tap = distance_from(from);
  const auto tap = static_cast<std::size_t>(std::ranges::find(tapped_, to, &Tapped::node) - tapped_.begin());
  return tap < by_tap.size() ? by_tap[tap] : 0U;
}

/// Cables from `source` to every other node, in the order of the taps.
std::vector<unsigned> Taps::distances(const std::string& source) const {
  std::multimap<std::string, std::string, std::less<>> uppers;  // by the node that they lie on
  for (const auto& [upper, lower] : ground_.lowers()) uppers.emplace(lower.first, upper.first);
  std::map<std::string, unsigned, std::less<>> hops{{source, 0}};
  std::deque<std::string> open{source};
  while (!open.empty()) {
    const std::string name = open.front();
    open.pop_front();
    const network::Node* node = topology_.find(name);
    if (node == nullptr) continue;
    const auto reach = [&](const std::string& next) {
      if (hops.emplace(next, hops[name] + 1).second) open.push_back(next);
    };
    for (const network::Interface& interface : node->interfaces) {
      if (interface.peer) reach(interface.peer->node);
      if (interface.lower) reach(interface.lower->node);
    }
    const auto [first, last] = uppers.equal_range(name);
    for (auto upper = first; upper != last; ++upper) reach(upper->second);
  }
  std::vector<unsigned> by_tap;
  for (const Tapped& tap : tapped_) {
    const auto found = hops.find(tap.node);
    by_tap.push_back(found == hops.end() ? static_cast<unsigned>(hops.size()) : found->second);
  }
  return by_tap;
}

proof::Terrain Taps::terrain(const std::string& from, const IpAddress& to) {
  proof::Terrain terrain;
  terrain.distance = distance_from(from);
  terrain.cables = &ground_.cables();
  terrain.lowers = &ground_.lowers();
  terrain.source = from;
  terrain.target = to;
  terrain.gateways = [this](const std::string& node) { return ground_.gateways(node); };
  return terrain;
}

const std::vector<unsigned>& Taps::distance_from(const std::string& node) {
  const auto found = distances_.find(node);
  if (found != distances_.end()) return found->second;
  return distances_.emplace(node, distances(node)).first->second;
}

}  // namespace plumbline::engine
