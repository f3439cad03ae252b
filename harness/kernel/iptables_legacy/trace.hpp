#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/fd.hpp"
#include "harness/kernel/iptables_legacy/trace_event.hpp"
#include "harness/kernel/netns/netns.hpp"

namespace plumbline::kernel::iptables {

/// Hears what ip_tables and ip6_tables report of traced packets in one namespace, while it lives. It takes
/// nfnetlink_log as the namespace's logger (net.netfilter.nf_log.2 and .10) and log group 0, and gives both
/// back. The packets themselves must be marked by somebody else (nft::Trace).
class Trace {
 public:
  static constexpr std::size_t kBuffer = 16U << 20U;

  /// `netns` must outlive it. Throws Error: of kind environment where the kernel has no nfnetlink_log, or
  /// another process has the group.
  explicit Trace(const Netns& netns, std::size_t buffer_bytes = kBuffer);
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;
  ~Trace();

  /// Readable when events wait.
  int fd() const noexcept { return socket_.get(); }
  /// Takes all that have come until now, without waiting. Throws Error.
  std::vector<TraceEvent> take();
  /// As of nft::Trace.
  std::uint64_t lost() const noexcept { return lost_; }

 private:
  struct Logger {
    std::uint8_t family = 0;
    std::string before;  ///< "NONE", "nf_log_ipv4"
  };
  void bind();
  void take_over(std::uint8_t family);
  void give_back(const Logger& logger) noexcept;

  const Netns& netns_;
  Fd socket_;
  std::vector<Logger> loggers_;
  std::optional<std::uint32_t> last_sequence_;
  std::uint64_t lost_ = 0;
};

}  // namespace plumbline::kernel::iptables
