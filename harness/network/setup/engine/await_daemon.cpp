#include "harness/network/setup/engine/await_daemon.hpp"

#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/fd.hpp"
#include "harness/base/scope_exit.hpp"
#include "harness/network/engine_api/engine_api.hpp"
#include "harness/network/setup/script_text.hpp"

namespace plumbline::network {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

/// Between the making of a socket and its listening nothing tells.
constexpr std::chrono::milliseconds kListensSoon{2};
/// By when the end of a daemon that has closed its connections is noticed.
constexpr std::chrono::milliseconds kEndsSoon{1000};

/// What happens in a folder, and that a daemon ends.
class Events {
 public:
  Events(const asio::any_io_executor& executor, const std::string& folder, kernel::Daemon& daemon)
      : daemon_(daemon), wake_(executor), folder_(executor) {
    Fd descriptor(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (!descriptor || ::inotify_add_watch(descriptor.get(), folder.c_str(), IN_CREATE | IN_MOVED_TO) < 0) {
      throw Error::from_errno(errno, "watching the folder " + folder);
    }
    folder_.assign(descriptor.release());
  }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;
  ~Events() { daemon_.on_end({}); }

  /// Until one of them comes, or it is `until`.
  asio::awaitable<void> next(Clock::time_point until) {
    wake_.expires_at(until);
    daemon_.on_end([this] { wake_.cancel(); });
    if (daemon_.ended()) co_return;
    folder_.async_wait(asio::posix::stream_descriptor::wait_read,
                       [this](const boost::system::error_code& problem) {
                         if (!problem) wake_.cancel();
                       });
    const auto result = asio::as_tuple(asio::use_awaitable);
    co_await wake_.async_wait(result);
    folder_.cancel();
    std::array<char, 4096> told{};
    while (::read(folder_.native_handle(), told.data(), told.size()) > 0) {
    }
  }

 private:
  kernel::Daemon& daemon_;
  asio::steady_timer wake_;
  asio::posix::stream_descriptor folder_;
};

/// What asking it comes to; absent: it answers.
asio::awaitable<std::optional<Error>> ask(std::string socket, std::chrono::milliseconds within) {
  const EngineApi api(std::move(socket), within);
  std::optional<Error> problem;
  try {
    co_await api.get("/_ping");
  } catch (const Error& error) {
    problem = error;
  }
  co_return problem;
}

/// "ended with exit status 1", "was ended by signal 9 (Killed)".
std::string ending(int status) {
  const int signal = status - 128;
  const char* name = signal > 0 ? ::sigdescr_np(signal) : nullptr;
  return name == nullptr ? fmt::format("ended with exit status {}", status)
                         : fmt::format("was ended by signal {} ({})", signal, name);
}

Error given_up(const std::string& engine, const kernel::Daemon& daemon, const std::string& why) {
  return Error(fmt::format("{}'s daemon {}{}", engine, why, said(daemon.output())), ErrorKind::setup)
      .with_remedy(
          "see what it said; it runs as root in namespaces of its own, so what it misses may be "
          "missing there alone");
}

}  // namespace

asio::awaitable<void> await_daemon(std::string engine, kernel::Daemon& daemon, std::string socket,
                                   Deadline deadline) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  Events events(executor, std::filesystem::path(socket).parent_path().string(), daemon);
  while (true) {
    if (const auto status = daemon.ended()) {
      throw given_up(engine, daemon, ending(*status));
    }
    if (deadline.passed()) throw given_up(engine, daemon, "does not answer");
    struct stat there {};
    if (::stat(socket.c_str(), &there) != 0) {
      co_await events.next(deadline.at());
      continue;
    }
    const std::chrono::milliseconds left(deadline.remaining_ms());
    const std::optional<Error> problem = co_await ask(socket, left);
    if (!problem) co_return;
    const bool listens = problem->kind() != ErrorKind::environment;
    co_await events.next(Clock::now() + (listens ? kEndsSoon : kListensSoon));
    if (listens && !daemon.ended()) throw given_up(engine, daemon, problem->what());
  }
}

asio::awaitable<Error> with_end_of(std::string engine, kernel::Daemon& daemon, Error problem,
                                   Deadline deadline) {
  asio::steady_timer wake(co_await asio::this_coro::executor);
  wake.expires_at(deadline.at());
  daemon.on_end([&wake] { wake.cancel(); });
  const ScopeExit forget([&daemon] { daemon.on_end({}); });
  const auto result = asio::as_tuple(asio::use_awaitable);
  if (!daemon.ended()) co_await wake.async_wait(result);
  const auto status = daemon.ended();
  if (!status) co_return problem;
  co_return Error(
      fmt::format("{}: {}'s daemon {}{}", problem.what(), engine, ending(*status), said(daemon.output())),
      ErrorKind::setup)
      .with_remedy("see what it said, and who or what ends it: it ran, and answered, before");
}

}  // namespace plumbline::network
