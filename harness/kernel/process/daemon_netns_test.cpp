// Programs that run beside us: their output, their end, and that nothing of them is left.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <string>

#include "harness/base/error.hpp"
#include "harness/kernel/process/daemon.hpp"
#include "harness/kernel/process/table.hpp"
#include "harness/kernel/process/testing/run_now.hpp"

namespace plumbline::kernel {
namespace {

using ::testing::HasSubstr;
using testing::run_now;
using testing::shell;

std::size_t others() {
  const ProcessTable table = ProcessTable::read();
  return table.processes.size() - 1;
}

/// Runs the loop until `done`, for ten seconds at most.
bool run_until(boost::asio::io_context& loop, const std::function<bool()>& done) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!done() && std::chrono::steady_clock::now() < until) {
    loop.restart();
    loop.run_one_for(std::chrono::milliseconds(10));
  }
  return done();
}

TEST(DaemonNetns, TellsOfItsEndWithItsStatusAndLastWords) {
  boost::asio::io_context loop{1};
  const Netns there = Netns::create();
  Command command = shell("readlink /proc/self/ns/net; echo cannot go on; exit 3");
  command.netns = &there;
  Daemon daemon = Daemon::start(loop.get_executor(), command);
  bool told = false;
  daemon.on_end([&] { told = true; });
  EXPECT_FALSE(daemon.ended());
  ASSERT_TRUE(run_until(loop, [&] { return told; }));
  EXPECT_EQ(daemon.ended(), 3);
  EXPECT_THAT(daemon.output(), HasSubstr(std::to_string(there.inode())));
  EXPECT_THAT(daemon.output(), HasSubstr("cannot go on\n"));
  bool again = false;
  daemon.on_end([&] { again = true; });
  EXPECT_TRUE(again) << "whoever asks late is told at once";
  EXPECT_EQ(others(), 0U);
}

TEST(DaemonNetns, EndsWithItsDescendantsWhenItIsLetGoOf) {
  boost::asio::io_context loop{1};
  {
    const Daemon daemon = Daemon::start(
        loop.get_executor(), shell("setsid sleep 1000 & echo up; read -r never </dev/zero; sleep 1000"));
    ASSERT_TRUE(run_until(loop, [&] { return daemon.output() == "up\n"; }));
    EXPECT_GE(others(), 2U);
  }
  EXPECT_EQ(others(), 0U);
  loop.restart();
  loop.poll();  // what is still told of it reaches nobody
}

TEST(DaemonNetns, EndsAmongAllThatWasLeftBehindAndIsReaped) {
  boost::asio::io_context loop{1};
  {
    const Daemon daemon = Daemon::start(loop.get_executor(), shell("exec sleep 1000"));
    end_left_behind();
    EXPECT_FALSE(daemon.ended()) << "the loop has not run since";
  }
  EXPECT_EQ(others(), 0U);
}

TEST(DaemonNetns, IsNotReapedByProgramsThatEndMeanwhile) {
  boost::asio::io_context loop{1};
  Daemon daemon = Daemon::start(loop.get_executor(), shell("exit 5"));
  run_now(shell("true"));
  ASSERT_TRUE(run_until(loop, [&] { return daemon.ended().has_value(); }));
  EXPECT_EQ(daemon.ended(), 5);
}

TEST(DaemonNetns, OneThatCannotBeStartedIsAnErrorWithItsRemedy) {
  boost::asio::io_context loop{1};
  Command command;
  command.argv = {"plumbline-no-such-daemon"};
  try {
    Daemon::start(loop.get_executor(), command);
    FAIL() << "it was started";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.remedy(), HasSubstr("install it"));
  }
}

}  // namespace
}  // namespace plumbline::kernel
