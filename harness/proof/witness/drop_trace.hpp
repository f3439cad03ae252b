#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/proof/journey/observer.hpp"
#include "harness/proof/witness/kernel_path.hpp"
#include "harness/proof/witness/kernel_trace.hpp"

namespace plumbline::proof {

/// Whether what was dropped may be one copy of several, so that it proves nothing about the packet: a bridge
/// floods frames to ports that they are not for, and a capture that is full drops its own. The first is also
/// how a packet ends that was sent to a wrong hardware address.
bool may_be_a_copy(const Drop& drop);

/// Whether it was a decision about where packets may go, a rule's or a route's. All other reasons (full
/// queues, dead neighbours, bad checksums) end packets of whomever.
bool is_decision(const Drop& drop);

/// Hears which packets the kernels of nodes drop, and tells those of probes with the kernel's own reason.
///
/// Reading happens on the event loop, never blocking. A kernel that refuses is no error here: `problem` says
/// so.
class DropTrace {
 public:
  /// The executor's context must outlive the trace.
  explicit DropTrace(boost::asio::any_io_executor executor);
  DropTrace(const DropTrace&) = delete;
  DropTrace& operator=(const DropTrace&) = delete;
  ~DropTrace();

  /// From now on these nodes are listened to, and no others. One whose name means another namespace now is
  /// another node.
  void watch(const std::vector<TraceSource>& sources);

  /// Called on the event loop whenever drops were read there, of whatever packets. It must not end the trace.
  void on_news(std::function<void()> news);

  /// Reads what has come until now. The kernel tells of a drop before it goes on.
  void drain();

  /// The drops read until now of that probe's packets, by time; those that `observer` did not recognise
  /// earlier are looked at again, for meanwhile it may have learned more.
  std::vector<Drop> drops(const Observer& observer, WatchId watch);
  /// The probes of which drops have become known since the last call.
  std::vector<WatchId> fresh(const Observer& observer);
  /// Nothing more is asked of it: its drops, and those still to come, are passed over.
  void forget(WatchId watch);

  /// Why no drops are told; empty: they are.
  const std::string& problem() const noexcept;
  /// How many could not be told for want of room. Not 0: what was not told may still have happened.
  std::uint64_t lost() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace plumbline::proof
