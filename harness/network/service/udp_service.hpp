#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/network/service/listen.hpp"
#include "harness/network/service/request_log.hpp"

namespace plumbline::network::detail {

using Bytes = std::vector<std::uint8_t>;

struct UdpReply {
  std::optional<Bytes> bytes;  ///< absent: silence
  std::string text;            ///< for the log
};
using UdpAnswer = std::function<UdpReply(std::span<const std::uint8_t> datagram)>;

/// Answers datagrams, each from the very address that it was sent to. The coroutine that serves holds the
/// service alive; the server object holds it weakly, so that either it or the io_context may go first.
class UdpService {
 public:
  static std::shared_ptr<UdpService> start(const boost::asio::any_io_executor& executor, BoundSocket socket,
                                           std::shared_ptr<RequestLog> log, UdpAnswer answer);
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
