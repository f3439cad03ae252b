#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "harness/base/fd.hpp"
#include "harness/engine/check/relay.hpp"
#include "harness/kernel/nftables/testing/loopback.hpp"

namespace plumbline::engine {
namespace {

sockaddr_in local(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Fd listening(std::uint16_t port) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = local(port);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
  return ::listen(fd.get(), 8) == 0 ? std::move(fd) : Fd();
}

Fd connected(std::uint16_t port) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = local(port);
  const int status = ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  return status == 0 ? std::move(fd) : Fd();
}

/// A node where one process serves 81, and another has 8081 and makes connections to 81.
class RelayNetns : public ::testing::Test {
 protected:
  /// What is found of a connection to 8081 whose taker has made `many` to the service since.
  std::optional<Relay> found(int many) {
    const auto inside = node_.enter();
    const Fd service = listening(81);
    const Fd published = listening(8081);
    std::array<int, 2> pipe{};
    EXPECT_TRUE(service && published && ::pipe2(pipe.data(), O_CLOEXEC) == 0);
    Fd held(pipe[0]);
    Fd holds(pipe[1]);
    RelaySearch search(node_, node_, 81);
    const pid_t taker = ::fork();
    if (taker == 0) {
      holds = Fd();
      std::array<Fd, 2> made;
      for (int i = 0; i < many; ++i) made.at(static_cast<std::size_t>(i)) = connected(81);
      const Fd taken(::accept4(published.get(), nullptr, nullptr, SOCK_CLOEXEC));
      char end = 0;
      while (::read(held.get(), &end, 1) > 0) continue;
      ::_exit(0);
    }
    const Fd client = connected(8081);
    sockaddr_in own{};
    socklen_t size = sizeof own;
    ::getsockname(client.get(), reinterpret_cast<sockaddr*>(&own), &size);
    boost::asio::io_context loop;
    const auto at_most = std::chrono::milliseconds(many == 0 ? 100 : 5'000);
    boost::asio::co_spawn(loop, search.look(ntohs(own.sin_port), 8081, at_most), boost::asio::detached);
    loop.run();
    holds = Fd();
    ::waitpid(taker, nullptr, 0);
    if (search.found()) {
      EXPECT_EQ(search.found()->pid, taker);
    }
    return search.found();
  }

  kernel::Netns node_ = kernel::testing_support::with_loopback();
};

TEST_F(RelayNetns, WhoTookItAndLedItOnIsTold) {
  const auto relay = found(1);
  ASSERT_TRUE(relay);
  EXPECT_EQ(relay->source.to_string(), "127.0.0.1");
}

TEST_F(RelayNetns, WhoKeepsItIsNone) {
  EXPECT_FALSE(found(0));
}

TEST_F(RelayNetns, OneThatIsAtWorkForOthersTooProvesNothing) {
  EXPECT_FALSE(found(2));
}

}  // namespace
}  // namespace plumbline::engine
