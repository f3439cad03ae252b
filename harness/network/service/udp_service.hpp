#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/network/service/listen.hpp"
#include "harness/network/service/request_log.hpp"
#include "harness/network/service/service.hpp"

namespace plumbline::network::detail {

using Bytes = std::vector<std::uint8_t>;

struct UdpReply {
  std::optional<Bytes> bytes;  ///< absent: silence
  std::string text;            ///< for the log
};
using UdpAnswer = std::function<UdpReply(std::span<const std::uint8_t> datagram)>;

/// How answers leave.
struct UdpManner {
  std::chrono::milliseconds delay{0};
  std::optional<IpAddress> source;  ///< absent: the address that was asked
  Fd other;                         ///< the socket that they leave by; none: the one that was asked
};
/// What `manner` says of it. Throws Error where its source port is taken.
UdpManner udp_manner(const kernel::Netns& netns, const Manner& manner);

/// Answers datagrams, each from the very address that it was sent to unless `manner` says otherwise. The
/// coroutine that serves holds the service alive; the server object holds it weakly, so that either it or the
/// io_context may go first.
class UdpService : public std::enable_shared_from_this<UdpService> {
 public:
  static std::shared_ptr<UdpService> start(const boost::asio::any_io_executor& executor, BoundSocket socket,
                                           std::shared_ptr<RequestLog> log, UdpAnswer answer,
                                           UdpManner manner = {});
  ~UdpService();
  UdpService(const UdpService&) = delete;
  UdpService& operator=(const UdpService&) = delete;
  void close() noexcept;

 private:
  struct State;
  explicit UdpService(std::unique_ptr<State> state);
  bool serve_one();
  std::unique_ptr<State> state_;
};

}  // namespace plumbline::network::detail
