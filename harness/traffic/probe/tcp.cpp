#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/this_coro.hpp>
#include <cerrno>
#include <string>

#include "harness/traffic/probe/endpoint.hpp"
#include "harness/traffic/probe/exchange.hpp"
#include "harness/traffic/probe/http_answer.hpp"
#include "harness/traffic/probe/initial_sequence.hpp"
#include "harness/traffic/probe/source_port.hpp"

namespace plumbline::traffic::detail {
namespace {

using Status = ProbeOutcome::Status;

constexpr std::size_t kAnswerLimit = 64 * 1024;
constexpr int kBatch = 64;

/// Bound, with its source address known, but not yet connecting: that sends the first packet.
Opened open_tcp(const ProbeRequest& request) {
  Opened opened = open_socket(*request.from, request.to.family(), SOCK_STREAM, 0);
  if (opened.error != 0) return opened;
  const int fd = opened.fd.get();
  opened.identity.initial_sequence = choose_initial_sequence(fd);
  const IpAddress source = request.source.value_or(unspecified(request.to));
  if (!opened.succeeded(bind_fresh(fd, source, SourcePorts::tcp()), "bind")) return opened;
  opened.identity.source_port = local_endpoint(fd).port();
  if (request.source) {
    opened.identity.source = source;
  } else {
    int error = 0;
    opened.identity.source = source_towards(*request.from, request.to, request.port, error, request.scope);
    opened.succeeded(error, "connect");
  }
  return opened;
}

/// The connection failed before it was seen made.
void classify_failure(int fd, int error, ProbeOutcome& outcome) {
  if (const auto icmp = take_icmp_error(fd)) {
    outcome.status = Status::icmp_error;
    outcome.icmp = icmp;
    outcome.error_number = error;
  } else if (error == ECONNREFUSED) {
    outcome.status = Status::refused;
  } else if (error == ECONNRESET || error == EPIPE) {
    // Not of a SYN, of which the kernel says ECONNREFUSED (tcp_reset): it was made, and reset before we
    // looked.
    outcome.status = Status::no_answer;
    outcome.error_number = error;
  } else if (error == ETIMEDOUT) {
    outcome.status = Status::timeout;
  } else {
    refuse_locally(outcome, error, "connect");
  }
}

int pending_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

bool is_connected(int fd) {
  Endpoint peer;
  auto size = static_cast<socklen_t>(peer.capacity());
  return ::getpeername(fd, peer.data(), &size) == 0;
}

/// True when the connection is made; otherwise the outcome says why not.
boost::asio::awaitable<bool> connect(TimedSocket& socket, const ProbeRequest& request,
                                     ProbeOutcome& outcome) {
  const int fd = socket.fd();
  const int result = connect_to(fd, request.to, request.port, request.scope);
  if (result != 0 && result != EINPROGRESS) {
    classify_failure(fd, result, outcome);
    co_return false;
  }
  while (true) {
    const bool something = co_await socket.writable();
    if (!something) co_return false;
    const int error = pending_error(fd);
    if (error != 0) {
      classify_failure(fd, error, outcome);
      co_return false;
    }
    // An ICMP error that came while connect(2) itself held the socket is in the queue alone: the kernel would
    // go on repeating the SYN.
    if (is_connected(fd)) co_return true;
    if (const auto icmp = take_icmp_error(fd)) {
      outcome.status = Status::icmp_error;
      outcome.icmp = icmp;
      co_return false;
    }
  }
}

std::string request_text(const ProbeRequest& request) {
  const std::string address = request.to.to_string();
  return fmt::format("GET /plumbline/{} HTTP/1.0\r\nHost: {}\r\n\r\n", nonce_text(request.nonce),
                     request.to.is_v4() ? address : "[" + address + "]");
}

/// A connection that was made but gave no answer; `error` is 0 when it simply ended.
void no_answer(int fd, int error, ProbeOutcome& outcome) {
  outcome.status = Status::no_answer;
  outcome.error_number = error;
  if (const auto icmp = take_icmp_error(fd)) {
    outcome.status = Status::icmp_error;
    outcome.icmp = icmp;
  }
}

enum class Received { more, ended, nothing_yet, failed };

Received receive(int fd, std::string& answer) {
  std::array<char, 4096> buffer{};
  const ssize_t size = ::recv(fd, buffer.data(), buffer.size(), 0);
  if (size == 0) return Received::ended;
  if (size < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? Received::nothing_yet : Received::failed;
  answer.append(buffer.data(), static_cast<std::size_t>(size));
  return Received::more;
}

/// Reads until the answer is whole, then says what it was.
boost::asio::awaitable<void> read_answer(TimedSocket& socket, const ProbeRequest& request,
                                         ProbeOutcome& outcome) {
  const std::string nonce = nonce_text(request.nonce);
  const int fd = socket.fd();
  std::string received;
  TcpAnswer answer;
  int error = 0;
  for (bool going_on = true; going_on && received.size() < kAnswerLimit;) {
    const Received step = receive(fd, received);
    if (step == Received::nothing_yet) {
      going_on = co_await socket.readable();
      continue;
    }
    if (step == Received::failed) error = errno;
    if (step != Received::more) break;
    socket.progressed();
    answer = read_tcp_answer(received, nonce);
    going_on = !answer.has_nonce || (answer.is_http && !answer.seen_as);
  }
  if (answer.has_nonce) {
    outcome.status = Status::replied;
    outcome.seen_as = answer.seen_as;
  } else {
    no_answer(fd, error, outcome);
  }
}

/// FIN, not a reset: unread bytes would turn it into one.
void close_in_order(int fd) {
  static_cast<void>(::shutdown(fd, SHUT_WR));
  std::string unread;
  for (int i = 0; i < kBatch && receive(fd, unread) == Received::more; ++i) unread.clear();
}

boost::asio::awaitable<void> converse(TimedSocket& socket, const ProbeRequest& request,
                                      ProbeOutcome& outcome) {
  const bool connected = co_await connect(socket, request, outcome);
  if (!connected) co_return;
  socket.progressed();
  outcome.identity.source = address_of(local_endpoint(socket.fd()));
  outcome.status = Status::replied;
  if (request.connected) co_await request.connected();
  if (!request.exchange) co_return;
  const std::string text = request_text(request);
  // A fresh connection's send buffer holds the request whole.
  if (::send(socket.fd(), text.data(), text.size(), MSG_NOSIGNAL) < 0) {
    const int error = errno;
    no_answer(socket.fd(), error, outcome);
    co_return;
  }
  co_await read_answer(socket, request, outcome);
}

}  // namespace

boost::asio::awaitable<ProbeOutcome> tcp(ProbeRequest request, Ready ready) {
  Opened opened = open_tcp(request);
  ProbeOutcome outcome;
  outcome.identity = opened.identity;
  ready(outcome.identity);
  if (opened.error != 0) {
    refuse_locally(outcome, opened.error, opened.step);
    co_return outcome;
  }
  const auto executor = co_await boost::asio::this_coro::executor;
  TimedSocket socket(executor, std::move(opened.fd));
  socket.start_clock(request.timeout, request.recall);
  co_await converse(socket, request, outcome);
  outcome.duration = socket.elapsed();
  close_in_order(socket.fd());
  co_return outcome;
}

}  // namespace plumbline::traffic::detail
