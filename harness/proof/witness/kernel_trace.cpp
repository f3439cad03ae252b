#include "harness/proof/witness/kernel_trace.hpp"

#include <fmt/format.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/fd.hpp"
#include "harness/kernel/iptables_legacy/tables.hpp"
#include "harness/kernel/iptables_legacy/trace.hpp"
#include "harness/kernel/netns/module.hpp"
#include "harness/kernel/nftables/listing.hpp"
#include "harness/kernel/nftables/trace.hpp"
#include "harness/proof/witness/copies.hpp"
#include "harness/proof/witness/passages.hpp"
#include "harness/traffic/packet/packet.hpp"

namespace plumbline::proof {
namespace {

using boost::asio::posix::stream_descriptor;

/// One node's sockets, and what came from them.
class NodeTrace {
 public:
  NodeTrace(const boost::asio::any_io_executor& executor, const TraceSource& source,
            const TraceOptions& options, std::function<void()> news)
      : name(source.node),
        news_(std::move(news)),
        one_table_(options.one_table),
        netns_(kernel::Netns::open(fmt::format("/proc/self/fd/{}", source.netns->fd()))) {
    try {
      // A kernel that is asked for what it has not loaded yet loads it.
      if (one_table_ && !kernel::has_module("nf_tables"))
        throw Error("this kernel has not loaded nf_tables, so no rule of it is met");
      const auto inside = netns_.enter();
      names_ = Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
      if (one_table_) rules_.own_table = kernel::nft::Trace::table_of_this_process();
      nft_.emplace(netns_, options.buffer_bytes != 0 ? options.buffer_bytes : kernel::nft::Trace::kBuffer,
                   rules_.own_table);
    } catch (const Error& error) {
      problem_ = error.what();
      return;
    }
    open_legacy(options.buffer_bytes != 0 ? options.buffer_bytes : kernel::iptables::Trace::kBuffer);
    look_anew();
    await(executor, nft_->fd());
    if (legacy_) await(executor, legacy_->fd());
  }
  NodeTrace(const NodeTrace&) = delete;
  NodeTrace& operator=(const NodeTrace&) = delete;
  ~NodeTrace() {
    // The descriptors are the traces': taken back from Asio, whose pending waits end with an error.
    for (stream_descriptor& readable : readable_) readable.release();
  }

  const std::string name;

  /// The network and its rules may have changed.
  void look_anew() {
    interfaces_.clear();
    bridges_problem_.clear();
    if (!nft_) return;
    try {
      if (!one_table_) {
        nft_->heed_bridges(netns_);
      } else if (nft_->others_at_bridges()) {
        bridges_problem_ = "the bridges' hooks, where there are chains, are not traced here";
      }
    } catch (const Error& error) {
      bridges_problem_ = error.what();
    }
  }

  bool is_of(const TraceSource& source) const {
    return source.node == name && source.netns->inode() == netns_.inode();
  }

  std::uint64_t lost() const { return (nft_ ? nft_->lost() : 0) + (legacy_ ? legacy_->lost() : 0); }

  void read() {
    if (nft_) reports_.add(noted(nft_->take()));
    if (!legacy_) return;
    for (auto& event : noted(legacy_->take())) legacy_events_.push_back(std::move(event));
  }

  /// Whose packets the reports that came since the last call are about.
  void attribute(const Observer& observer, const std::unordered_set<WatchId>& told) {
    const auto whose = [&](const std::vector<std::uint8_t>& bytes) -> std::optional<Recognised> {
      const auto found = observer.recognise(traffic::decode(bytes, traffic::LinkType::raw_ip), bytes);
      return found && told.contains(found->watch) ? std::nullopt : found;
    };
    for (auto& report : reports_.take()) {
      if (const auto found = whose(report->headers.packet)) {
        under_way_.emplace_back(found->watch, report);
        by_watch_[found->watch].nft.push_back({std::move(report), found->leg});
      }
    }
    note_stops();
    for (auto& event : std::exchange(legacy_events_, {})) {
      if (const auto found = whose(event.packet)) {
        perhaps_stopped_.push_back(found->watch);  // what the rule does, only the table tells
        by_watch_[found->watch].legacy.push_back({std::move(event), found->leg});
      }
    }
  }

  std::vector<WatchId> perhaps_stopped() { return std::exchange(perhaps_stopped_, {}); }

  bool dropped_in_silence(WatchId watch) {
    const auto found = by_watch_.find(watch);
    if (found == by_watch_.end()) return false;
    try {
      refresh(found->second);
    } catch (const Error&) {
      return false;
    }
    const std::vector<Passage> all = passages(name, found->second, rules_);
    const bool let_go = std::ranges::any_of(all, [](const Passage& passage) {
      return passage.leg == Leg::forward && passage.hook == Hook::postrouting && passage.verdict == "accept";
    });
    return std::ranges::any_of(all, [&](const Passage& passage) {
      const bool dropped = passage.leg == Leg::forward && passage.verdict == "drop";
      // A copy that has passed IP's last hook lies in some queue; but a bridge's hooks come behind that.
      return dropped && (passage.bridge || !let_go) && is_the_end(passage, rules_.nft);
    });
  }

  std::vector<Passage> take(std::optional<WatchId> watch, KernelPath::Node& about) {
    about.problem = problem_.empty() ? bridges_problem_ : problem_;
    about.alive = alive_;
    // Where the old back end holds no rules, its trace is not missed.
    if (about.problem.empty() && !legacy_problem_.empty() && has_legacy_tables())
      about.problem = legacy_problem_;
    const auto found = watch ? by_watch_.find(*watch) : by_watch_.end();
    if (found == by_watch_.end()) return {};
    const NodeReports reports = std::move(found->second);
    by_watch_.erase(found);
    try {
      refresh(reports);
    } catch (const Error& error) {
      about.problem = error.what();
    }
    for (const auto& [family, table, chain] : rules_.nft.elsewhere) {
      if (family != "netdev") continue;
      about.untraced += fmt::format("{}netdev {} {}", about.untraced.empty() ? "" : ", ", table, chain);
    }
    return passages(name, reports, rules_);
  }

 private:
  void open_legacy(std::size_t buffer_bytes) {
    if (one_table_) {
      legacy_problem_ = "iptables-legacy's rules are not traced here: that takes more than a table";
      return;
    }
    try {
      legacy_.emplace(netns_, buffer_bytes);
    } catch (const Error& error) {
      legacy_problem_ = error.what();
    }
  }

  void await(const boost::asio::any_io_executor& executor, int fd) {
    wait(readable_.emplace_back(executor, fd));
  }
  void wait(stream_descriptor& readable) {
    readable.async_wait(
        boost::asio::posix::descriptor_base::wait_read,
        [this, &readable, alive = std::weak_ptr<const bool>(here_)](const boost::system::error_code& error) {
          // A wait that had ended before the descriptor was taken back says success all the same.
          if (error || alive.expired()) return;
          read();
          wait(readable);
          news_();
        });
  }

  template <class Event>
  std::vector<Event> noted(std::vector<Event> events) {
    alive_ = alive_ || !events.empty();
    return events;
  }

  /// A report may still grow when it is first seen.
  void note_stops() {
    std::erase_if(under_way_, [this](const auto& each) {
      const auto& [watch, report] = each;
      const bool stopped = stops(*report);
      if (stopped) perhaps_stopped_.push_back(watch);
      return stopped || report->ended;
    });
  }

  static bool stops(const ChainReport& report) {
    return std::ranges::any_of(report.events,
                               [](const kernel::nft::TraceEvent& event) { return event.verdict == "drop"; });
  }

  bool has_legacy_tables() const {
    return !kernel::iptables::table_names(netns_, IpFamily::v4).empty() ||
           !kernel::iptables::table_names(netns_, IpFamily::v6).empty();
  }

  /// The chains whose rules somebody met. Our own are not shown.
  static std::set<kernel::nft::Listing::ChainKey> chains_met(const NodeReports& reports) {
    std::set<kernel::nft::Listing::ChainKey> chains;
    for (const NodeReports::Nft& item : reports.nft) {
      for (const kernel::nft::TraceEvent& event : item.report->events) {
        if (event.handle == 0 || event.family.empty() ||
            kernel::nft::Trace::is_own(event.family, event.table))
          continue;
        chains.emplace(event.family, event.table, event.chain);
        // Whether a rule there may treat a frame's copies differently, all of them tell.
        if (event.family == "bridge") chains.insert({"bridge", "", ""});
      }
    }
    return chains;
  }

  /// Reads the rules anew where they may have changed.
  void refresh(const NodeReports& reports) {
    rules_.interface_name = [this](unsigned index) { return interface_name(index); };
    if (!reports.nft.empty()) {
      if (!lister_) lister_.emplace(netns_);
      lister_->complete(rules_.nft, chains_met(reports));
    }
    rules_.legacy.clear();  // ip_tables counts no generations
    for (const NodeReports::Legacy& item : reports.legacy) {
      const Rulebook::LegacyKey key{item.event.family, item.event.table};
      if (rules_.legacy.contains(key)) continue;
      if (auto table = kernel::iptables::read_table(netns_, key.first, key.second)) {
        rules_.legacy.emplace(key, std::move(*table));
      }
    }
  }

  std::string interface_name(unsigned index) {
    const auto known = interfaces_.find(index);
    return known != interfaces_.end() ? known->second
                                      : interfaces_.emplace(index, ask_interface_name(index)).first->second;
  }

  std::string ask_interface_name(unsigned index) const {
    ifreq request{};
    request.ifr_ifindex = static_cast<int>(index);
    if (::ioctl(names_.get(), SIOCGIFNAME, &request) != 0) return fmt::format("if{}", index);
    return request.ifr_name;
  }

  std::function<void()> news_;
  bool one_table_;                                        ///< as TraceOptions has it
  std::unordered_map<unsigned, std::string> interfaces_;  ///< until the network changes
  kernel::Netns netns_;  ///< our own: the node may be gone before we are told
  Fd names_;
  std::optional<kernel::nft::Trace> nft_;
  std::optional<kernel::iptables::Trace> legacy_;
  std::string problem_, legacy_problem_, bridges_problem_;
  bool alive_ = false;
  Reports reports_;
  std::vector<kernel::iptables::TraceEvent> legacy_events_;
  std::unordered_map<WatchId, NodeReports> by_watch_;
  std::vector<std::pair<WatchId, std::shared_ptr<const ChainReport>>> under_way_;
  std::vector<WatchId> perhaps_stopped_;
  Rulebook rules_;
  std::optional<kernel::nft::Lister> lister_;
  std::deque<stream_descriptor> readable_;  ///< a deque: handlers hold references
  std::shared_ptr<const bool> here_ = std::make_shared<const bool>(true);
};

}  // namespace

class KernelTrace::Impl {
 public:
  Impl(boost::asio::any_io_executor executor, const TraceOptions& options)
      : executor_(std::move(executor)), options_(options) {}

  void watch(const std::vector<TraceSource>& sources) {
    std::erase_if(nodes_, [&](const auto& node) {
      return std::ranges::none_of(sources, [&](const TraceSource& source) { return node->is_of(source); });
    });
    for (const auto& node : nodes_) node->look_anew();
    for (const TraceSource& source : sources) {
      if (std::ranges::any_of(nodes_, [&](const auto& node) { return node->is_of(source); })) continue;
      nodes_.push_back(std::make_unique<NodeTrace>(executor_, source, options_, [this] {
        if (news_) news_();
      }));
    }
  }

  Mark mark() const {
    Mark lost;
    for (const auto& node : nodes_) lost.push_back(node->lost());
    return lost;
  }

  void drain() {
    for (const auto& node : nodes_) node->read();
  }

  void on_news(std::function<void()> news) { news_ = std::move(news); }

  std::vector<WatchId> perhaps_stopped(const Observer& observer) {
    std::vector<WatchId> watches;
    for (const auto& node : nodes_) {
      node->attribute(observer, told_);
      std::ranges::move(node->perhaps_stopped(), std::back_inserter(watches));
    }
    return watches;
  }

  bool dropped_in_silence(WatchId watch) {
    return std::ranges::any_of(nodes_, [&](const auto& node) { return node->dropped_in_silence(watch); });
  }

  KernelPath path(const Observer& observer, std::optional<WatchId> watch, const Mark& since,
                  const std::function<unsigned(const std::string&)>& distance) {
    KernelPath path;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      NodeTrace& node = *nodes_[i];
      node.attribute(observer, told_);
      KernelPath::Node& about = path.nodes.emplace_back();
      about.name = node.name;
      std::ranges::move(node.take(watch, about), std::back_inserter(path.passages));
      if (about.problem.empty() && i < since.size() && node.lost() != since[i]) {
        about.problem = "the kernel had no room for all its reports";
        about.lost = true;
      }
    }
    if (watch) told_.insert(*watch);
    if (nodes_.size() > 1) put_in_order(path.passages, distance);
    return path;
  }

 private:
  /// No clock is common to the nodes' reports, so their order is that of the way.
  static void put_in_order(std::vector<Passage>& passages,
                           const std::function<unsigned(const std::string&)>& distance) {
    std::map<std::string, long> along;
    for (const Passage& passage : passages) along.emplace(passage.node, distance(passage.node));
    const auto key = [&](const Passage& passage) {
      const bool forward = passage.leg == Leg::forward;
      return std::pair(!forward, forward ? along[passage.node] : -along[passage.node]);
    };
    std::ranges::stable_sort(passages, {}, key);
  }

  boost::asio::any_io_executor executor_;
  TraceOptions options_;
  std::function<void()> news_;
  std::vector<std::unique_ptr<NodeTrace>> nodes_;
  std::unordered_set<WatchId> told_;
};

KernelTrace::KernelTrace(boost::asio::any_io_executor executor, const TraceOptions& options)
    : impl_(std::make_unique<Impl>(std::move(executor), options)) {}

KernelTrace::~KernelTrace() = default;

void KernelTrace::watch(const std::vector<TraceSource>& sources) {
  impl_->watch(sources);
}

KernelTrace::Mark KernelTrace::mark() const {
  return impl_->mark();
}

void KernelTrace::drain() {
  impl_->drain();
}

void KernelTrace::on_news(std::function<void()> news) {
  impl_->on_news(std::move(news));
}

std::vector<WatchId> KernelTrace::perhaps_stopped(const Observer& observer) {
  return impl_->perhaps_stopped(observer);
}

bool KernelTrace::dropped_in_silence(WatchId watch) {
  return impl_->dropped_in_silence(watch);
}

KernelPath KernelTrace::path(const Observer& observer, std::optional<WatchId> watch, const Mark& since,
                             const std::function<unsigned(const std::string&)>& distance) {
  return impl_->path(observer, watch, since, distance);
}

}  // namespace plumbline::proof
