#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "harness/network/service/listen.hpp"
#include "harness/network/service/request_log.hpp"

namespace plumbline::network::detail {

/// One accepted connection. Every wait on it ends: when the client goes, when the time allowed is over, when
/// the server ends.
class Connection {
 public:
  Connection(const boost::asio::any_io_executor& executor, Fd socket, ServiceRequest who,
             std::shared_ptr<RequestLog> log);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  const ServiceRequest& who() const noexcept;
  /// Closes the connection when `span` from now is over; replaces what was allowed before.
  void allow(std::chrono::milliseconds span);
  /// Bytes read, at least one; 0 when the client or the time came to an end.
  boost::asio::awaitable<std::size_t> read_some(std::span<std::uint8_t> buffer);
  /// True when the buffer was filled.
  boost::asio::awaitable<bool> read_all(std::span<std::uint8_t> buffer);
  /// True when all was handed to the kernel.
  boost::asio::awaitable<bool> write_all(std::span<const std::uint8_t> bytes);
  /// Sends FIN, then waits for the client's: closing over unread bytes would send a reset, which can take the
  /// answer away from the client (RFC 2525, 2.17).
  boost::asio::awaitable<void> finish();
  /// Waits for `span`, which is added to the time allowed.
  boost::asio::awaitable<void> pause(std::chrono::milliseconds span);
  /// Ends it with a reset, whatever is under way.
  void reset() noexcept;
  /// Adds to the text of this connection's newest entry in the log, which has one from the start.
  void note(std::string_view text);
  /// A further request on the same connection.
  void begin_entry();
  void close() noexcept;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

using Session = std::function<boost::asio::awaitable<void>(std::shared_ptr<Connection>)>;

/// Accepts and serves, at most kConnectionLimit at a time; further clients wait in the kernel's backlog.
/// Held alive by its own coroutines, as UdpService is.
class TcpService : public std::enable_shared_from_this<TcpService> {
 public:
  static constexpr std::size_t kConnectionLimit = 1024;

  static std::shared_ptr<TcpService> start(const boost::asio::any_io_executor& executor, BoundSocket socket,
                                           std::shared_ptr<RequestLog> log, Session session);
  ~TcpService();
  TcpService(const TcpService&) = delete;
  TcpService& operator=(const TcpService&) = delete;
  void close() noexcept;

 private:
  struct State;
  explicit TcpService(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace plumbline::network::detail
