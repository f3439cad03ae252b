#include "harness/proof/witness/drop_trace.hpp"

#include <fmt/format.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <deque>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/fd.hpp"
#include "harness/kernel/drops/drops.hpp"
#include "harness/traffic/packet/packet.hpp"

namespace plumbline::proof {
namespace {

using boost::asio::posix::stream_descriptor;
using kernel::drops::DropEvent;

/// Drops that an observer did not recognise, but may yet.
constexpr std::size_t kMostUnknown = 1024;
/// Drops that no observer has been shown yet.
constexpr std::size_t kMostWaiting = 64 * 1024;

struct Node {
  explicit Node(const TraceSource& source)
      : name(source.node),
        netns(source.netns->inode()),
        names(source.netns->run([] { return Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)); })) {}

  std::string interface_name(unsigned index) const {
    ifreq request{};
    request.ifr_ifindex = static_cast<int>(index);
    if (::ioctl(names.get(), SIOCGIFNAME, &request) != 0) return fmt::format("if{}", index);
    return request.ifr_name;
  }

  std::string name;
  std::uint64_t netns;
  Fd names;  ///< it keeps the namespace, and so its number
};

/// One that was read, before it is known whose it is.
struct Unknown {
  Drop drop;
  traffic::Packet packet;
  std::vector<std::uint8_t> bytes;
};

Unknown to_unknown(const Node& node, DropEvent&& event) {
  Unknown unknown;
  unknown.packet = traffic::decode(event.packet, traffic::LinkType::raw_ip);
  unknown.bytes = std::move(event.packet);
  Drop& drop = unknown.drop;
  drop.node = node.name;
  drop.reason = std::move(event.reason);
  drop.function = std::move(event.function);
  if (event.ifindex != 0) drop.interface = node.interface_name(event.ifindex);
  drop.time_ns = event.time_ns;
  if (unknown.packet.ip) {
    drop.source = unknown.packet.ip->source;
    drop.destination = unknown.packet.ip->destination;
  }
  drop.packet = traffic::to_text(unknown.packet);
  return unknown;
}

/// A ping's raw socket gets a copy of each answer; the kernel's own ping sockets, of which there is none, do
/// not want the other.
bool is_our_pings(const Drop& drop) {
  return drop.leg == Leg::reply && drop.function == "ping_rcv";
}

}  // namespace

bool may_be_a_copy(const Drop& drop) {
  return drop.reason == "OTHERHOST" || drop.reason == "PACKET_SOCK_ERROR";
}

bool is_decision(const Drop& drop) {
  constexpr std::array<std::string_view, 5> reasons{"NETFILTER_DROP", "IP_INADDRERRORS", "IP_RPFILTER",
                                                    "IP_INNOROUTES", "IP_OUTNOROUTES"};
  // Blackhole routes have no reason of their own.
  constexpr std::array<std::string_view, 4> functions{"ip_error", "dst_discard", "dst_discard_out",
                                                      "ip6_pkt_drop"};
  return std::ranges::find(reasons, drop.reason) != reasons.end() ||
         std::ranges::find(functions, drop.function) != functions.end();
}

class DropTrace::Impl {
 public:
  explicit Impl(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    // The descriptor is the watch's: taken back from Asio, whose pending wait ends with an error.
    if (readable_) readable_->release();
  }

  void watch(const std::vector<TraceSource>& sources) {
    drain();
    nodes_.clear();
    std::vector<const kernel::Netns*> namespaces;
    try {
      for (const TraceSource& source : sources) {
        namespaces.push_back(source.netns);
        Node node(source);
        nodes_.insert_or_assign(node.netns, std::move(node));
      }
      listen_to(namespaces);
    } catch (const Error& error) {
      problem_ = error.what();
    }
  }

  void on_news(std::function<void()> news) { news_ = std::move(news); }

  void drain() { static_cast<void>(read()); }

  std::vector<Drop> drops(const Observer& observer, WatchId watch) {
    attribute(observer);
    const auto found = by_watch_.find(watch);
    if (found == by_watch_.end()) return {};
    std::ranges::stable_sort(found->second, {}, &Drop::time_ns);
    return found->second;
  }

  std::vector<WatchId> fresh(const Observer& observer) {
    attribute(observer);
    return std::exchange(fresh_, {});
  }

  void forget(WatchId watch) {
    by_watch_.erase(watch);
    forgotten_.insert(watch);
  }

  const std::string& problem() const noexcept { return problem_; }
  std::uint64_t lost() const { return lost_here_ + (watch_ ? watch_->lost() : 0); }

 private:
  void listen_to(const std::vector<const kernel::Netns*>& namespaces) {
    if (watch_) return watch_->watch(namespaces);
    if (namespaces.empty() || !problem_.empty()) return;
    watch_.emplace(namespaces);
    readable_.emplace(executor_, watch_->fd());
    wait();
  }

  void wait() {
    readable_->async_wait(
        boost::asio::posix::descriptor_base::wait_read,
        [this, alive = std::weak_ptr<const bool>(here_)](const boost::system::error_code& error) {
          // A wait that had ended before the descriptor was taken back says success all the same.
          if (error || alive.expired()) return;
          const bool any = read();
          if (problem_.empty()) wait();
          if (any && news_) news_();
        });
  }

  /// Whether there was anything.
  bool read() {
    if (!watch_ || !problem_.empty()) return false;
    bool any = false;
    try {
      for (DropEvent& event : watch_->take()) {
        const auto node = nodes_.find(event.netns);
        if (node == nodes_.end()) continue;
        Unknown unknown = to_unknown(node->second, std::move(event));
        if (!unknown.packet.ip) continue;
        unknown_.push_back(std::move(unknown));
        any = true;
      }
    } catch (const Error& error) {
      problem_ = error.what();
    }
    while (looked_at_ > kMostUnknown || (looked_at_ > 0 && unknown_.size() > kMostWaiting)) {
      unknown_.pop_front();
      --looked_at_;
    }
    for (; unknown_.size() > kMostWaiting; ++lost_here_) unknown_.pop_front();
    return any;
  }

  void attribute(const Observer& observer) {
    std::erase_if(unknown_, [&](Unknown& unknown) {
      const auto whose = observer.recognise(unknown.packet, unknown.bytes);
      if (!whose) return false;
      if (!forgotten_.contains(whose->watch)) {
        unknown.drop.leg = whose->leg;
        if (is_our_pings(unknown.drop)) return true;
        fresh_.push_back(whose->watch);
        by_watch_[whose->watch].push_back(std::move(unknown.drop));
      }
      return true;
    });
    looked_at_ = unknown_.size();
  }

  boost::asio::any_io_executor executor_;
  std::map<std::uint64_t, Node> nodes_;  ///< by their namespaces' inode numbers
  std::optional<kernel::drops::Watch> watch_;
  std::optional<stream_descriptor> readable_;
  std::string problem_;
  std::function<void()> news_;
  std::deque<Unknown> unknown_;
  std::size_t looked_at_ = 0;  ///< of these, from the first on: an observer has seen them
  std::uint64_t lost_here_ = 0;
  std::unordered_map<WatchId, std::vector<Drop>> by_watch_;
  std::vector<WatchId> fresh_;
  std::unordered_set<WatchId> forgotten_;
  std::shared_ptr<const bool> here_ = std::make_shared<const bool>(true);
};

DropTrace::DropTrace(boost::asio::any_io_executor executor)
    : impl_(std::make_unique<Impl>(std::move(executor))) {}

DropTrace::~DropTrace() = default;

void DropTrace::watch(const std::vector<TraceSource>& sources) {
  impl_->watch(sources);
}

void DropTrace::on_news(std::function<void()> news) {
  impl_->on_news(std::move(news));
}

void DropTrace::drain() {
  impl_->drain();
}

std::vector<Drop> DropTrace::drops(const Observer& observer, WatchId watch) {
  return impl_->drops(observer, watch);
}

std::vector<WatchId> DropTrace::fresh(const Observer& observer) {
  return impl_->fresh(observer);
}

void DropTrace::forget(WatchId watch) {
  impl_->forget(watch);
}

const std::string& DropTrace::problem() const noexcept {
  return impl_->problem();
}

std::uint64_t DropTrace::lost() const {
  return impl_->lost();
}

}  // namespace plumbline::proof
