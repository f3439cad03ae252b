#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>

#include "harness/kernel/netns/confined_mounts.hpp"

namespace plumbline::kernel {
namespace {

namespace fs = std::filesystem;

/// What `action` gives, by a thread in those mounts.
template <class Action>
int inside(const ConfinedMounts& mounts, const Action& action) {
  int result = -1;
  std::thread([&] {
    if (::unshare(CLONE_FS) == 0 && ::setns(mounts.fd.get(), CLONE_NEWNS) == 0) result = action();
  }).join();
  return result;
}

/// What writing a file there comes to: 0, or errno.
int write_inside(const ConfinedMounts& mounts, const std::string& path, int flags = O_CREAT) {
  return inside(mounts, [&] {
    const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | flags, 0600));
    return file ? 0 : errno;
  });
}

int connect_to(const std::string& path) {
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0
                                                                                                   : errno;
}

/// A socket that somebody listens on, of which `show` makes one of the machine's as the sandbox's /run shows
/// it.
class Listening {
 public:
  explicit Listening(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(socket_.get(), 1), 0);
  }

 private:
  Fd socket_;
};

void show(const std::string& from, const std::string& to) {
  if (fs::is_directory(from)) {
    fs::create_directories(to);
  } else {
    std::ofstream(to) << "";
  }
  EXPECT_EQ(::mount(from.c_str(), to.c_str(), nullptr, MS_BIND, nullptr), 0);
}

TEST(ConfinedMounts, KeepTheMachinesOwnFilesFromChange) {
  const fs::path before = fs::current_path();
  const std::string name = "plumbline-confined-" + std::to_string(::getpid());
  const std::array<std::string, 2> folders{"/tmp", "/is-not-there"};
  const ConfinedMounts mounts = confine_mounts(folders);
  EXPECT_EQ(write_inside(mounts, "/" + name), EROFS);
  EXPECT_EQ(write_inside(mounts, "/usr/" + name), EROFS);
  EXPECT_EQ(write_inside(mounts, (before / name).string()), EROFS);
  EXPECT_EQ(write_inside(mounts, "/dev/null"), 0);
  EXPECT_EQ(write_inside(mounts, "/run/" + name), 0);
  EXPECT_TRUE(fs::exists("/run/" + name)) << "the sandbox's /run is one for both";
  const auto covered = std::ranges::find(mounts.covered, "/tmp", &ConfinedMounts::Covered::folder);
  ASSERT_NE(covered, mounts.covered.end());
  EXPECT_EQ(write_inside(mounts, "/tmp/" + name), 0);
  EXPECT_FALSE(fs::exists("/tmp/" + name));
  EXPECT_TRUE(fs::exists(covered->upper + "/" + name));
}

TEST(ConfinedMounts, HideTheSocketsOfTheMachinesDaemons) {
  fs::create_directories("/run/outside/bus");
  const Listening bus("/run/outside/bus/socket");
  const Listening engine("/run/outside/engine.sock");
  show("/run/outside/bus", "/run/bus");
  show("/run/outside/engine.sock", "/run/engine.sock");
  const ConfinedMounts mounts = confine_mounts({});
  for (const auto& [path, errors] :
       {std::pair{"/run/bus/socket", ENOENT}, std::pair{"/run/engine.sock", ECONNREFUSED}}) {
    EXPECT_EQ(connect_to(path), 0) << path;
    EXPECT_EQ(inside(mounts, [&, at = std::string(path)] { return connect_to(at); }), errors) << path;
  }
  EXPECT_EQ(write_inside(mounts, "/run/bus/note"), 0);
  EXPECT_FALSE(fs::exists("/run/outside/bus/note"));
  const auto covered = std::ranges::find(mounts.covered, "/run/bus", &ConfinedMounts::Covered::folder);
  ASSERT_NE(covered, mounts.covered.end());
  EXPECT_TRUE(fs::exists(covered->upper + "/note"));
  EXPECT_EQ(::umount2("/run/bus", MNT_DETACH), 0);
  EXPECT_EQ(::umount2("/run/engine.sock", MNT_DETACH), 0);
}

TEST(ConfinedMounts, KeepTheMachinesKernelFromChange) {
  const Netns network = Netns::create();
  const ConfinedMounts mounts = confine_mounts({}, &network);
  for (const char* path : {"/proc/sysrq-trigger", "/proc/sys/user/max_net_namespaces",
                           "/sys/kernel/mm/transparent_hugepage/enabled"}) {
    if (!fs::exists(path)) continue;
    EXPECT_THAT(write_inside(mounts, path, 0), ::testing::AnyOf(EROFS, EACCES)) << path;
  }
  EXPECT_EQ(write_inside(mounts, "/proc/self/oom_score_adj", 0), EROFS);
  EXPECT_EQ(write_inside(mounts, "/proc/sys/net/ipv4/ip_forward", 0), 0);
  EXPECT_EQ(write_inside(mounts, "/dev/kmsg", 0), ENOENT);
  EXPECT_EQ(write_inside(mounts, "/dev/zero", 0), 0);
  EXPECT_EQ(write_inside(mounts, "/dev/shm/x"), EROFS);
  for (const MountPoint& each : mount_points()) {
    if (!each.path.starts_with("/sys/fs/cgroup")) continue;
    const auto make = [&] { return ::mkdir((each.path + "/plumbline-test").c_str(), 0755) == 0 ? 0 : errno; };
    EXPECT_EQ(inside(mounts, make), EROFS) << each.path;
  }
  EXPECT_EQ(write_inside(mounts, "/sys/class/net/lo/gro_flush_timeout", 0), 0);
}

TEST(ConfinedMounts, CoverNothingOfTheKernels) {
  const std::array<std::string, 3> folders{"/sys/fs/cgroup", "/proc/sys", "/dev"};
  EXPECT_TRUE(std::ranges::none_of(confine_mounts(folders).covered, [&](const auto& each) {
    return std::ranges::find(folders, each.folder) != folders.end();
  }));
}

TEST(ConfinedMounts, ShowWhatIsMountedInRunToBoth) {
  const ConfinedMounts mounts = confine_mounts({});
  fs::create_directories("/run/confined-test");
  ASSERT_EQ(::mount("mine", "/run/confined-test", "tmpfs", 0, nullptr), 0);
  const auto is_it = ::testing::Field(&MountPoint::path, "/run/confined-test");
  EXPECT_THAT(mount_points(), ::testing::Contains(is_it));
  EXPECT_THAT(mount_points(mounts.fd.get()), ::testing::Contains(is_it));
  ASSERT_EQ(::umount("/run/confined-test"), 0);
  EXPECT_THAT(mount_points(mounts.fd.get()), ::testing::Not(::testing::Contains(is_it)));
}

}  // namespace
}  // namespace plumbline::kernel
