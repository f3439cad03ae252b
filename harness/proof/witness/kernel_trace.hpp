#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/kernel/netns/netns.hpp"
#include "harness/proof/journey/observer.hpp"
#include "harness/proof/witness/kernel_path.hpp"

namespace plumbline::proof {

struct TraceSource {
  std::string node;
  const kernel::Netns* netns = nullptr;
};

struct TraceOptions {
  std::size_t buffer_bytes = 0;  ///< of each socket; 0: as large as a burst needs
  /// Nothing is added to a namespace but the one table, named after this process, which the kernel takes away
  /// with its owner: what bridges' hooks and iptables-legacy do is then not told.
  bool one_table = false;
};

/// Hears what the kernels of nodes report about probes' packets: each rule of nftables and iptables that they
/// met, and each hook that they passed, where there is no rule too.
///
/// Reading happens on the event loop, never blocking. A kernel that refuses is no error here: the paths say
/// so.
class KernelTrace {
 public:
  /// The executor's context must outlive the trace.
  explicit KernelTrace(boost::asio::any_io_executor executor, const TraceOptions& options = {});
  KernelTrace(const KernelTrace&) = delete;
  KernelTrace& operator=(const KernelTrace&) = delete;
  ~KernelTrace();

  /// From now on these nodes are traced: those that are already go on, others are opened or let go of. One
  /// whose name means another namespace now is another node. No probe may be under way.
  void watch(const std::vector<TraceSource>& sources);

  /// How much each node had lost until now. To be taken before a probe is sent.
  using Mark = std::vector<std::uint64_t>;
  Mark mark() const;

  /// Reads what has come until now. The kernel reports before a packet goes on its way, so once a reply has
  /// arrived, all earlier reports are in.
  void drain();

  /// `news` is called on the event loop when reports have come.
  void on_news(std::function<void()> news);
  /// The probes one of whose packets may have been stopped, by what has come since the last call. First
  /// `drain`, then let `observer` see all that taps saw.
  std::vector<WatchId> perhaps_stopped(const Observer& observer);
  /// Whether a rule or policy has dropped a packet of the probe's own in silence: whoever sent it is told
  /// nothing.
  bool dropped_in_silence(WatchId watch);

  /// What was reported about `watch`, after its probe has ended; what comes later is passed over. Without one
  /// the probe was never sent, and nothing can be reported of it. First `drain`, then let `observer` see all
  /// that taps saw: a report's packet is told by what they teach. `distance` puts nodes in order: steps from
  /// the probe's source.
  KernelPath path(const Observer& observer, std::optional<WatchId> watch, const Mark& since,
                  const std::function<unsigned(const std::string& node)>& distance);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace plumbline::proof
