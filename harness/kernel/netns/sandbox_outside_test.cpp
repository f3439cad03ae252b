#include "harness/kernel/netns/sandbox_outside.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "harness/base/fd.hpp"
#include "harness/kernel/netns/sandbox.hpp"

namespace plumbline::kernel {
namespace {

struct Channel {
  Channel() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    parent = Fd(ends[0]);
    child = Fd(ends[1]);
  }
  Fd parent;
  Fd child;
};

TEST(SandboxChannel, CarriesTheChildsError) {
  Channel channel;
  send_failure(
      channel.child.get(),
      Error("mounting /run: refused", ErrorKind::environment, EPERM).with_remedy("run it with --privileged"));
  channel.child.reset();
  const auto error = receive_failure(channel.parent.get());
  ASSERT_TRUE(error.has_value());
  EXPECT_STREQ(error->what(), "mounting /run: refused");
  EXPECT_EQ(error->kind(), ErrorKind::environment);
  EXPECT_EQ(error->error_number(), EPERM);
  EXPECT_EQ(error->remedy(), "run it with --privileged");
}

TEST(SandboxChannel, ErrorOfTheEnvironmentAlwaysHasARemedy) {
  Channel channel;
  send_failure(channel.child.get(), Error("mounting", ErrorKind::environment, EPERM));
  channel.child.reset();
  EXPECT_FALSE(receive_failure(channel.parent.get())->remedy().empty());
  EXPECT_FALSE(namespaces_refused(EPERM).remedy().empty());
  EXPECT_EQ(namespaces_refused(EPERM).kind(), ErrorKind::environment);
}

TEST(SandboxChannel, ClosedByExecuteIsNoError) {
  Channel channel;
  channel.child.reset();
  EXPECT_FALSE(receive_failure(channel.parent.get()).has_value());
}

TEST(SandboxChannel, CutOffIsStillAnError) {
  Channel channel;
  const std::array<std::int32_t, 3> head{0, 0, 1000};
  ASSERT_EQ(::write(channel.child.get(), head.data(), sizeof head), static_cast<ssize_t>(sizeof head));
  channel.child.reset();
  EXPECT_TRUE(receive_failure(channel.parent.get()).has_value());
}

TEST(InSandbox, InheritedMarkerIsNotBelieved) {
  EXPECT_FALSE(in_sandbox());
  ::setenv("PLUMBLINE_SANDBOX", "1", 1);
  EXPECT_FALSE(in_sandbox());
  ::unsetenv("PLUMBLINE_SANDBOX");
}

TEST(ForwardedSignals, PutsEverythingBack) {
  sigset_t before{};
  sigset_t after{};
  ::sigprocmask(SIG_BLOCK, nullptr, &before);
  {
    const ForwardedSignals held;
    sigset_t during{};
    ::sigprocmask(SIG_BLOCK, nullptr, &during);
    EXPECT_EQ(sigismember(&during, SIGTERM), 1);
  }
  ::sigprocmask(SIG_BLOCK, nullptr, &after);
  EXPECT_EQ(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
  EXPECT_EQ(sigismember(&after, SIGCHLD), sigismember(&before, SIGCHLD));
}

}  // namespace
}  // namespace plumbline::kernel
