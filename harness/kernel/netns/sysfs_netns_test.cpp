#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/kernel/netns/netns.hpp"
#include "harness/kernel/netns/sandbox.hpp"
#include "harness/kernel/netns/sysfs.hpp"

namespace plumbline::kernel {
namespace {

std::vector<std::string> devices() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator("/sys/class/net")) {
    names.push_back(entry.path().filename());
  }
  return names;
}

TEST(Sysfs, ShowsTheDevicesOfANamespaceForAWhile) {
  const std::vector<std::string> before = devices();
  const Netns there = Netns::create();
  ASSERT_EQ(there.run([] { return std::system("ip link add only-there type veth peer name its-peer"); }), 0);
  {
    const SysfsView view(there);
    EXPECT_THAT(devices(), ::testing::UnorderedElementsAre("lo", "only-there", "its-peer"));
    const SysfsView nested(Netns::current());
    EXPECT_EQ(devices(), before);
  }
  EXPECT_EQ(devices(), before);
}

TEST(Sysfs, GoesWithWhatWasMountedUponIt) {
  const std::vector<std::string> before = devices();
  const Netns there = Netns::create();
  {
    const SysfsView view(there);
    ASSERT_EQ(::mount("tmpfs", "/sys", "tmpfs", 0, nullptr), 0);
  }
  EXPECT_EQ(devices(), before);
}

// Or names that others give could not be taken away again.
TEST(NetnsNames, AreAMountOfTheirOwn) {
  const Netns ours = Netns::create();
  ours.bind(std::string(kNetnsDirectory) + "/ours");
  EXPECT_EQ(std::system("ip netns add theirs && mount --bind /run/netns/theirs /run/netns/ours"), 0);
  for (const char* name : {"/ours", "/theirs"}) Netns::unbind(kNetnsDirectory + std::string(name));
  EXPECT_TRUE(std::filesystem::is_empty(kNetnsDirectory));
}

}  // namespace
}  // namespace plumbline::kernel
