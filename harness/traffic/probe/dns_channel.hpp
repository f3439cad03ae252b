#pragma once

#include <ares.h>

#include <boost/asio/any_io_executor.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <span>

#include "harness/traffic/probe/exchange.hpp"

namespace plumbline::traffic::detail {

/// A c-ares channel for one question to one server. Its sockets are made in the node by our functions, so
/// that namespace, source port and error queue are ours; the waiting is done by the caller, one event at a
/// time.
class DnsChannel {
 public:
  DnsChannel(boost::asio::any_io_executor executor, DnsRequest request, Ready ready);
  ~DnsChannel();
  DnsChannel(const DnsChannel&) = delete;
  DnsChannel& operator=(const DnsChannel&) = delete;

  /// The question as it goes out.
  const Bytes& query() const noexcept { return query_; }
  /// Opens the socket and sends, or begins to connect. Throws what `ready` throws.
  void send();
  bool done() const noexcept { return done_; }
  /// What to wait for while not done.
  TimedSocket* socket() noexcept { return socket_.get(); }
  bool wants_to_write() const noexcept { return wants_to_write_; }
  void process();

  /// How it went; `answer` is absent where none came.
  struct Result {
    std::optional<Bytes> answer;
    std::optional<IcmpError> icmp;
    int error = 0;          ///< errno of the step that failed; 0 when the server only closed the connection
    const char* step = "";  ///< "bind", "connect", "send", "receive"
    ProbeIdentity identity;
  };
  const Result& result() const noexcept { return result_; }
  std::chrono::microseconds elapsed() const { return socket_ ? socket_->elapsed() : elapsed_; }

 private:
  struct Hooks;
  struct Destroy {
    void operator()(ares_channel channel) const noexcept { ares_destroy(channel); }
  };

  void prepare(int fd, const sockaddr* server, socklen_t size);
  void note_failure(int fd, int error, const char* step);
  void rethrow();

  boost::asio::any_io_executor executor_;
  DnsRequest request_;
  Ready ready_;
  Bytes query_;
  Result result_;
  bool done_ = false;
  bool wants_to_write_ = false;
  std::exception_ptr problem_;
  std::chrono::microseconds elapsed_{0};
  std::unique_ptr<TimedSocket> socket_;
  /// Last, so that it goes first: c-ares calls back while it is destroyed.
  std::unique_ptr<ares_channeldata, Destroy> channel_;
};

}  // namespace plumbline::traffic::detail
