#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/base/deadline.hpp"
#include "harness/base/error.hpp"
#include "harness/kernel/netlink/batch.hpp"
#include "harness/kernel/netlink/message.hpp"
#include "harness/kernel/netns/netns.hpp"

struct mnl_socket;

namespace plumbline::kernel::netlink {

/// What a socket can hear of.
enum class Group : std::uint8_t { links, ipv6_addresses, ipv6_routes };

/// A NETLINK_ROUTE socket, where nothing else is said. It stays bound to the namespace it was made in,
/// wherever its thread goes next.
class Socket {
 public:
  /// In the calling thread's own namespace. Throws Error.
  static Socket open();
  static Socket open(const Netns& netns);
  /// One that is asked for IPsec's policies and states (NETLINK_XFRM; see xfrm.hpp). Throws Error.
  static Socket open_xfrm(const Netns& netns);

  /// Sends the whole batch in few system calls and collects every acknowledgement. The kernel goes on after a
  /// request that it refuses, so all are tried. Throws Error for the first refused: the batch's context, the
  /// request's description, the kernel's extended-ack text and errno's, and how many more were refused.
  void execute(Batch& batch);

  /// Everything that a dump request yields, decoded; what `decode` finds malformed or foreign (absent) is
  /// left out. A dump that the kernel marks inconsistent (NLM_F_DUMP_INTR) is taken again, up to
  /// kDumpAttempts times. Throws Error, naming `what`.
  template <class Decode>
  auto dump(const Message& request, const char* what, Decode&& decode) {
    std::vector<typename decltype(decode(Received{}))::value_type> found;
    const std::vector<std::uint8_t> bytes = dump_bytes(request, what);
    std::span<const std::uint8_t> rest(bytes);
    while (const auto message = take_message(rest)) {
      if (auto decoded = decode(*message)) found.push_back(std::move(*decoded));
    }
    return found;
  }
  static constexpr int kDumpAttempts = 16;

  /// Hears of every change of such objects from now on. Use a socket apart from that of requests.
  void subscribe(Group group);
  /// Waits for the next notification and discards what has come: whoever waits looks at the kernel's state
  /// again, so a lost one (ENOBUFS) does no harm. False when the deadline passed first.
  bool wait(const Deadline& deadline);

  int fd() const noexcept;

 private:
  struct Close {
    void operator()(mnl_socket* socket) const noexcept;
  };
  using Handle = std::unique_ptr<mnl_socket, Close>;
  struct Outcome {
    std::size_t waiting = 0;  // for acknowledgement
    std::size_t refused = 0;
    std::optional<Error> first;
  };

  static Socket open(int protocol);
  explicit Socket(Handle handle) noexcept : handle_(std::move(handle)) {}
  std::vector<std::uint8_t> dump_bytes(const Message& request, const char* what);
  bool dump_once(const Message& request, const char* what, std::vector<std::uint8_t>& into);
  void send(std::span<const std::uint8_t> bytes, const char* attempted);
  std::span<const std::uint8_t> receive(std::span<std::uint8_t> buffer, const char* attempted);
  static std::size_t chunk_end(const Batch& batch, std::size_t first);
  void settle(Batch& batch, std::uint32_t first_sequence, const Received& message, Outcome& outcome);

  Handle handle_;
  std::uint32_t sequence_ = 0;
};

}  // namespace plumbline::kernel::netlink
