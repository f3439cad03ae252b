#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/kernel/netns/netns.hpp"

/// Which packets the kernel drops in a namespace, and why (tracepoint skb:kfree_skb).
namespace plumbline::kernel::drops {

/// Loads the program into the kernel (some 20 ms), for this process and all that it forks from now on.
/// Without this call the first Watch does so. `watches` of them can then be made at no further cost, whoever
/// makes them; one more costs a wait for all CPUs. The program ends with the last of these processes. What
/// goes wrong is told by `refused`.
void prepare(std::size_t watches = 1) noexcept;

/// Why this machine tells no drops, of kind environment, with the remedy; absent: it does. Prepares where
/// that has not been done.
std::optional<Error> refused();

struct DropEvent {
  std::uint64_t netns = 0;     ///< inode number
  unsigned ifindex = 0;        ///< of the packet's interface at that moment, in that namespace; 0: none yet
  std::string reason;          ///< by the kernel's own name: "NETFILTER_DROP"
  std::string function;        ///< of the kernel, that gave it up: "nft_do_chain"; empty: not known
  std::uint64_t time_ns = 0;   ///< since the epoch
  std::uint16_t protocol = 0;  ///< ETH_P_IP, ETH_P_IPV6 or ETH_P_ARP
  bool sent_here = false;      ///< it was on its way out, received by no interface of that namespace
  std::vector<std::uint8_t> packet;  ///< from the network header on: up to 128 bytes, fewer of what has pages
};

/// Hears of the drops in some namespaces while it lives. Each namespace is heard by one watch: the last that
/// asked.
class Watch {
 public:
  /// Throws Error: of kind environment, with the remedy, where the kernel refuses.
  explicit Watch(const std::vector<const Netns*>& namespaces);
  Watch(Watch&&) noexcept;
  Watch& operator=(Watch&&) = delete;
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch();

  /// From now on these instead. Some microseconds each. Throws Error.
  void watch(const std::vector<const Netns*>& namespaces);
  /// Readable when events wait.
  int fd() const noexcept;
  /// Takes what has come until now, without waiting, in order of time; never more than some ten thousand at
  /// once.
  std::vector<DropEvent> take();
  /// How many there was no room for. Not 0: what was not told may still have happened.
  std::uint64_t lost() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace plumbline::kernel::drops
