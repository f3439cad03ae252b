#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "harness/base/ip.hpp"
#include "harness/kernel/conntrack/entry.hpp"
#include "harness/kernel/netns/netns.hpp"

struct mnl_socket;

namespace plumbline::kernel::conntrack {

/// Asks one namespace's conntrack; it stays with that namespace wherever the thread goes next. Never blocks:
/// the kernel answers within the sending call.
class Connection {
 public:
  /// Throws Error, of kind environment without CAP_NET_ADMIN over the namespace or without ctnetlink.
  explicit Connection(const Netns& netns);

  /// The flow whose first packet had this tuple. Absent: conntrack does not know it, or tracks nothing there.
  /// Throws Error where the kernel cannot be asked.
  std::optional<Entry> look_up(const Tuple& original, std::uint16_t zone = 0);

  struct Listed {
    std::vector<Entry> entries;
    bool complete = true;  ///< false: there were more than kMost, or some changed while they were read
  };
  static constexpr std::size_t kMost = 65536;
  /// All flows of a family, at most kMost. Throws Error where the kernel cannot be asked.
  Listed list(IpFamily family);

 private:
  struct Close {
    void operator()(mnl_socket* socket) const noexcept;
  };
  void send(netlink::Message message, std::uint16_t flags);

  std::unique_ptr<mnl_socket, Close> socket_;
  std::uint32_t sequence_ = 0;
};

/// As Connection::look_up, with a connection for this one question.
std::optional<Entry> look_up(const Netns& netns, const Tuple& original, std::uint16_t zone = 0);

/// Of one namespace: how many flows there are, and how many there may be.
struct Fill {
  std::uint64_t count = 0;
  std::uint64_t max = 0;  ///< 0: no limit
};
/// Absent: this kernel has no conntrack.
std::optional<Fill> fill(const Netns& netns);

}  // namespace plumbline::kernel::conntrack
