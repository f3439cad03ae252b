#include "harness/network/service/tcp_service.hpp"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <exception>
#include <unordered_set>
#include <utility>

#include "harness/base/scope_exit.hpp"
#include "harness/network/service/endpoint.hpp"

namespace plumbline::network::detail {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
constexpr auto kResult = asio::as_tuple(asio::use_awaitable);
// Before accepting again when the process or the kernel is out of descriptors or memory.
constexpr std::chrono::milliseconds kBackOff{20};
constexpr int kBatch = 64;

bool out_of_resources(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

struct Accepted {
  Fd socket;
  ServiceRequest who;
  int error = 0;
};

Accepted accept_one(int listener) {
  Accepted accepted;
  tcp::endpoint client;
  auto size = static_cast<socklen_t>(client.capacity());
  // accept4 rather than Asio's accept: a child process must not inherit the connection and so keep it open.
  accepted.socket = Fd(::accept4(listener, client.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!accepted.socket) {
    accepted.error = errno;
    return accepted;
  }
  client.resize(size);
  tcp::endpoint server;
  size = static_cast<socklen_t>(server.capacity());
  if (::getsockname(accepted.socket.get(), server.data(), &size) == 0) server.resize(size);
  accepted.who.client = from_asio(client.address());
  accepted.who.client_port = client.port();
  accepted.who.server = from_asio(server.address());
  accepted.who.tcp = true;
  return accepted;
}

}  // namespace

struct TcpService::State {
  State(const asio::any_io_executor& own, Fd socket, std::shared_ptr<RequestLog> requests, Session how)
      : executor(own),
        listener(own, socket.release()),
        retry(own),
        log(std::move(requests)),
        session(std::move(how)) {}

  asio::any_io_executor executor;
  asio::posix::stream_descriptor listener;
  asio::steady_timer retry;
  std::shared_ptr<RequestLog> log;
  Session session;
  std::unordered_set<std::shared_ptr<Connection>> connections;
  bool accepting = false;

  bool full() const { return connections.size() >= kConnectionLimit; }

  static asio::awaitable<void> converse(std::shared_ptr<TcpService> service,
                                        std::shared_ptr<Connection> connection) {
    State& state = *service->state_;
    try {
      co_await state.session(connection);
    } catch (const std::exception&) {  // a client's misfortune is no reason to stop serving others
    }
    connection->close();
    state.connections.erase(connection);
    begin_accepting(service);
  }

  /// Accepts what is waiting. False when it must pause for want of descriptors or memory.
  static bool accept_batch(const std::shared_ptr<TcpService>& service) {
    State& state = *service->state_;
    for (int i = 0; i < kBatch && !state.full(); ++i) {
      Accepted accepted = accept_one(state.listener.native_handle());
      if (accepted.error != 0) return !out_of_resources(accepted.error);
      const auto connection = std::make_shared<Connection>(state.executor, std::move(accepted.socket),
                                                           std::move(accepted.who), state.log);
      state.connections.insert(connection);
      asio::co_spawn(state.executor, converse(service, connection), asio::detached);
    }
    return true;
  }

  static asio::awaitable<void> accept_all(std::shared_ptr<TcpService> service) {
    State& state = *service->state_;
    const ScopeExit stopped([&state] { state.accepting = false; });
    while (state.listener.is_open() && !state.full()) {
      const auto [problem] =
          co_await state.listener.async_wait(asio::posix::stream_descriptor::wait_read, kResult);
      if (problem) co_return;
      if (accept_batch(service)) continue;
      state.retry.expires_after(kBackOff);
      const auto [interrupted] = co_await state.retry.async_wait(kResult);
      if (interrupted) co_return;
    }
  }

  static void begin_accepting(const std::shared_ptr<TcpService>& service) {
    State& state = *service->state_;
    if (state.accepting || !state.listener.is_open()) return;
    state.accepting = true;
    asio::co_spawn(state.executor, accept_all(service), asio::detached);
  }
};

TcpService::TcpService(std::unique_ptr<State> state) : state_(std::move(state)) {}
TcpService::~TcpService() = default;

std::shared_ptr<TcpService> TcpService::start(const asio::any_io_executor& executor, BoundSocket socket,
                                              std::shared_ptr<RequestLog> log, Session session) {
  auto state = std::make_unique<State>(executor, std::move(socket.fd), std::move(log), std::move(session));
  const std::shared_ptr<TcpService> service(new TcpService(std::move(state)));
  State::begin_accepting(service);
  return service;
}

void TcpService::close() noexcept {
  boost::system::error_code ignored;
  state_->listener.close(ignored);
  for (const auto& connection : state_->connections) connection->close();
  try {
    state_->retry.cancel();
  } catch (const boost::system::system_error&) {  // throws only when memory is out
  }
}

}  // namespace plumbline::network::detail
