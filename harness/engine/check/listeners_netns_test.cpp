#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <functional>
#include <utility>

#include "harness/engine/check/listeners.hpp"
#include "harness/kernel/netns/netns.hpp"
#include "harness/kernel/nftables/testing/loopback.hpp"

namespace plumbline::engine {
namespace {

using kernel::testing_support::with_loopback;

/// Servers that are lent in one node.
class Lending : public ::testing::Test {
 protected:
  Lending() { network_.add("node", with_loopback(), network::LiveNetwork::Naming::unnamed); }

  void lend(const char* address, std::function<void(Listeners::Lent)> then) {
    const auto ask = [](Listeners& listeners, Target target,
                        std::function<void(Listeners::Lent)> told) -> boost::asio::awaitable<void> {
      const Service service{traffic::Protocol::tcp, 7};
      told(co_await listeners.lend(std::move(target), service));
    };
    Target target{address, *IpAddress::parse(address), "node"};
    boost::asio::co_spawn(loop_, ask(listeners_, std::move(target), std::move(then)), boost::asio::detached);
    loop_.restart();
    loop_.poll();
  }

  boost::asio::io_context loop_;
  network::LiveNetwork network_;
  Listeners listeners_{loop_.get_executor(), network_};
};

TEST_F(Lending, OneOfOursThatIsInTheWayIsNoServiceOfTheNodes) {
  Listeners::Lent one;
  Listeners::Lent all;
  bool told = false;
  lend("127.0.0.1", [&](Listeners::Lent lent) { one = std::move(lent); });
  ASSERT_TRUE(one);
  lend("fe80::1", [&](Listeners::Lent lent) { told = true, all = std::move(lent); });
  EXPECT_FALSE(told) << "the port is ours: it will be free";
  one.reset();
  loop_.restart();
  loop_.poll();
  EXPECT_TRUE(told);
  EXPECT_TRUE(all);
}

TEST_F(Lending, OneThatListensEverywhereServesAllAddresses) {
  Listeners::Lent all;
  lend("fe80::1", [&](Listeners::Lent lent) { all = std::move(lent); });
  ASSERT_TRUE(all);
  for (const char* address : {"127.0.0.1", "::1", "fe80::2", "0.0.0.0"}) {
    Listeners::Lent lent;
    lend(address, [&](Listeners::Lent given) { lent = std::move(given); });
    EXPECT_EQ(lent, all) << address;
  }
}

TEST_F(Lending, AServiceOfTheNodesOwnKeepsItsPort) {
  network::ServerPlan plan;
  plan.port = 7;
  const auto service = network::serve(loop_.get_executor(), network_.netns("node"), plan);
  bool told = false;
  lend("127.0.0.1", [&](Listeners::Lent lent) { told = lent == nullptr; });
  EXPECT_TRUE(told);
}

}  // namespace
}  // namespace plumbline::engine
