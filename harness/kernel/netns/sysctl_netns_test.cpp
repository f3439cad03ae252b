#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>

#include "harness/base/error.hpp"
#include "harness/kernel/netns/sysctl.hpp"

namespace plumbline::kernel {
namespace {

TEST(Sysctl, BelongsToItsNamespace) {
  const Netns first = Netns::create();
  const Netns second = Netns::create();
  write_sysctl(first, "net.ipv4.ip_forward", "1");
  write_sysctl(second, "net.ipv4.ip_forward", "0");
  EXPECT_EQ(read_sysctl(first, "net.ipv4.ip_forward"), "1");
  EXPECT_EQ(read_sysctl(second, "net.ipv4.ip_forward"), "0");
  EXPECT_EQ(first.run([] { return std::system("test $(cat /proc/sys/net/ipv4/ip_forward) = 1"); }), 0);
}

TEST(Sysctl, LeavesTheThreadWhereItWas) {
  const std::uint64_t home = Netns::current().inode();
  const Netns netns = Netns::create();
  write_sysctl(netns, "net.ipv4.ip_forward", "1");
  EXPECT_THROW(write_sysctl(netns, "net.ipv4.no_such", "1"), Error);
  EXPECT_EQ(Netns::current().inode(), home);
}

TEST(Sysctl, InterfaceWithADot) {
  const Netns netns = Netns::create();
  ASSERT_EQ(netns.run([] { return std::system("ip link add a.b type bridge"); }), 0);
  write_sysctl(netns, "net/ipv4/conf/a.b/forwarding", "1");
  EXPECT_EQ(read_sysctl(netns, "net/ipv4/conf/a.b/forwarding"), "1");
}

TEST(Sysctl, UnknownIsAbsent) {
  const Netns netns = Netns::create();
  EXPECT_EQ(read_sysctl(netns, "net.ipv4.no_such"), std::nullopt);
  EXPECT_EQ(read_sysctl(netns, "net.ipv4.ip_forward.below"), std::nullopt);
  EXPECT_EQ(read_sysctl(netns, "net.ipv4.conf.absent0.forwarding"), std::nullopt);
}

TEST(Sysctl, ErrorsSayWhatWasAttempted) {
  const Netns netns = Netns::create();
  try {
    write_sysctl(netns, "net.ipv4.ip_forward", "maybe");
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.error_number(), EINVAL);
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("setting sysctl net.ipv4.ip_forward = maybe: "));
  }
  try {
    write_sysctl(netns, "net.ipv4.no_such", "1");
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::environment);
    EXPECT_THAT(error.remedy(), ::testing::HasSubstr("this kernel has no such sysctl"));
  }
  EXPECT_THROW(read_sysctl(netns, "net.ipv4"), Error);  // a directory
}

}  // namespace
}  // namespace plumbline::kernel
