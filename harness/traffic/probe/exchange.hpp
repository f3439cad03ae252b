#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "harness/base/fd.hpp"
#include "harness/traffic/probe/error_queue.hpp"
#include "harness/traffic/probe/probe.hpp"
#include "harness/traffic/probe/timed_socket.hpp"

namespace plumbline::traffic::detail {

using Bytes = std::vector<std::uint8_t>;
using Ready = std::function<void(const ProbeIdentity&)>;

boost::asio::awaitable<ProbeOutcome> ping(ProbeRequest request, Ready ready);
boost::asio::awaitable<ProbeOutcome> udp(ProbeRequest request, Ready ready);
boost::asio::awaitable<ProbeOutcome> tcp(ProbeRequest request, Ready ready);

/// A socket on its way to the first packet, or the step at which the kernel refused.
struct Opened {
  Fd fd;
  ProbeIdentity identity;
  int error = 0;          ///< errno
  const char* step = "";  ///< the one that failed
  /// Notes the failure of `what` when `result` is an errno; returns true when it is none.
  bool succeeded(int result, const char* what);
};

/// A non-blocking socket made inside `netns`, with its error queue on. A family that the kernel does not have
/// is noted in the result; throws Error where it cannot be made for other reasons (privileges, descriptors).
Opened open_socket(const kernel::Netns& netns, IpFamily family, int type, int protocol);
/// What is sent is never fragmented, whatever MTU of the path is remembered; 0 or errno.
int send_whole(int fd, IpFamily family);
/// connect(2); 0 or errno.
int connect_to(int fd, const IpAddress& address, std::uint16_t port, unsigned scope = 0);
/// The source address that `netns` uses towards `to`, found by a UDP socket that sends nothing. On failure
/// `error` is set and the address unspecified.
IpAddress source_towards(const kernel::Netns& netns, const IpAddress& to, std::uint16_t port, int& error,
                         unsigned scope = 0);

/// Nonce (big endian), then filler that says in a hex dump what it is; `size` bytes.
Bytes make_payload(Nonce nonce, std::size_t size);

/// How a datagram probe tells what is its own.
struct DatagramRules {
  std::function<bool(std::span<const std::uint8_t>)> is_reply;
  std::function<bool(const QueuedError&)> is_own_error;
};
/// Sends `packet` on a connected socket and waits for a reply, an error or the time-out; fills in `outcome`.
/// What is passed by reference must live until it has ended.
boost::asio::awaitable<void> exchange_datagram(TimedSocket& socket, const ProbeRequest& request,
                                               const Bytes& packet, const DatagramRules& rules,
                                               ProbeOutcome& outcome);

void refuse_locally(ProbeOutcome& outcome, int error, std::string_view step);

}  // namespace plumbline::traffic::detail
