#include "harness/kernel/netns/sandbox_control.hpp"

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

TEST(SandboxControl, TellsHowFarItGotAndWhyNotFurther) {
  Channel channel;
  tell_stage(channel.child.get(), Stage::tied);
  tell_failure(
      channel.child.get(),
      Error("mounting /run: refused", ErrorKind::environment, EPERM).with_remedy("run it with --privileged"));
  channel.child.reset();
  EXPECT_EQ(next_stage(channel.parent.get()), Stage::tied);
  ASSERT_EQ(next_stage(channel.parent.get()), Stage::failed);
  const Error error = read_failure(channel.parent.get());
  EXPECT_STREQ(error.what(), "mounting /run: refused");
  EXPECT_EQ(error.kind(), ErrorKind::environment);
  EXPECT_EQ(error.error_number(), EPERM);
  EXPECT_EQ(error.remedy(), "run it with --privileged");
  EXPECT_EQ(next_stage(channel.parent.get()), Stage::ended);
}

TEST(SandboxControl, ErrorOfTheEnvironmentAlwaysHasARemedy) {
  Channel channel;
  tell_failure(channel.child.get(), Error("mounting", ErrorKind::environment, EPERM));
  channel.child.reset();
  ASSERT_EQ(next_stage(channel.parent.get()), Stage::failed);
  EXPECT_FALSE(read_failure(channel.parent.get()).remedy().empty());
  EXPECT_FALSE(namespaces_refused(EPERM).remedy().empty());
  EXPECT_EQ(namespaces_refused(EPERM).kind(), ErrorKind::environment);
}

TEST(SandboxControl, ClosedByExecuteIsNoError) {
  Channel channel;
  channel.child.reset();
  EXPECT_EQ(next_stage(channel.parent.get()), Stage::ended);
}

TEST(SandboxControl, AnErrorThatIsCutOffIsStillOne) {
  Channel channel;
  const std::array<std::int32_t, 3> head{0, 0, 1000};
  ASSERT_EQ(::write(channel.child.get(), head.data(), sizeof head), static_cast<ssize_t>(sizeof head));
  channel.child.reset();
  EXPECT_STREQ(read_failure(channel.parent.get()).what(), "the sandbox could not be set up");
}

TEST(InSandbox, InheritedMarkerIsNotBelieved) {
  EXPECT_FALSE(in_sandbox());
  ::setenv("PLUMBLINE_SANDBOX", "1", 1);
  EXPECT_FALSE(in_sandbox());
  ::unsetenv("PLUMBLINE_SANDBOX");
}

}  // namespace
}  // namespace plumbline::kernel
