// Sandboxes that run a function, several side by side.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/fd.hpp"
#include "harness/kernel/netns/netns.hpp"
#include "harness/kernel/netns/sandbox.hpp"
#include "harness/kernel/netns/sysctl.hpp"

namespace plumbline::kernel {
namespace {

using ::testing::IsEmpty;

std::vector<std::string> entries(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

/// In a child, which no assertion of the test's reaches.
void must(bool done) {
  if (!done) {
    std::perror("preparing");
    ::_exit(92);
  }
}

/// Waits until nobody can write to it any more; what was written.
std::string all_of(const Fd& read_end) {
  std::string all;
  std::array<char, 256> chunk{};
  for (ssize_t got = 0; (got = ::read(read_end.get(), chunk.data(), chunk.size())) > 0;) {
    all.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return all;
}

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    must(::pipe2(ends.data(), O_CLOEXEC) == 0);
    read_end = Fd(ends[0]);
    write_end = Fd(ends[1]);
  }
  void write(const std::string& text) const {
    must(::write(write_end.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  Fd read_end, write_end;
};

TEST(Sandboxes, RunSideBySideAndSeeNothingOfEachOther) {
  Pipe pipe;
  Pipe all_there;
  std::vector<Sandbox> sandboxes;
  for (int i = 0; i < 4; ++i) {
    sandboxes.push_back(Sandbox::start([&] {
      pipe.read_end.reset();
      all_there.write_end.reset();
      const Netns netns = Netns::create();
      netns.bind(fmt::format("/run/netns/mine-{}", i));
      pipe.write(".");
      all_of(all_there.read_end);  // until all four have bound theirs
      const bool alone = entries("/run/netns").size() == 1 && entries("/sys/class/net").size() == 1;
      return in_sandbox() && ::getpid() == 1 && alone ? 40 + i : 1;
    }));
  }
  char byte = 0;
  for (std::size_t i = 0; i < sandboxes.size(); ++i) ASSERT_EQ(::read(pipe.read_end.get(), &byte, 1), 1);
  all_there.write_end.reset();
  for (std::size_t i = 0; i < sandboxes.size(); ++i) {
    EXPECT_EQ(sandboxes[i].wait(), 40 + static_cast<int>(i));
    EXPECT_FALSE(sandboxes[i].failure());
  }
  EXPECT_THAT(entries("/run/netns"), IsEmpty());
}

TEST(Sandboxes, EndWithTheirObject) {
  Pipe pipe;
  {
    const Sandbox sandbox = Sandbox::start([&]() -> int {
      pipe.read_end.reset();
      for (;;) ::pause();
    });
    pipe.write_end.reset();
    EXPECT_GT(sandbox.pid(), 1);
  }
  EXPECT_EQ(all_of(pipe.read_end), "");  // it would wait for ever
}

TEST(Sandboxes, TheirEndCanBeAwaitedBesideOtherThings) {
  Sandbox sandbox = Sandbox::start([] { return 3; });
  pollfd ended{sandbox.ended_fd(), POLLIN, 0};
  ASSERT_EQ(::poll(&ended, 1, -1), 1);
  EXPECT_EQ(sandbox.wait(), 3);
}

TEST(Sandboxes, WhatTheProgramThrowsIsToldOutside) {
  Sandbox sandbox = Sandbox::start(
      []() -> int { throw Error("no such luck", ErrorKind::usage, ENOENT).with_remedy("try again"); });
  sandbox.wait_until_set_up();
  EXPECT_EQ(sandbox.wait(), 1);
  const auto failure = sandbox.failure();
  ASSERT_TRUE(failure);
  EXPECT_STREQ(failure->what(), "no such luck");
  EXPECT_EQ(failure->kind(), ErrorKind::usage);
  EXPECT_EQ(failure->error_number(), ENOENT);
  EXPECT_EQ(failure->remedy(), "try again");
}

TEST(Sandboxes, ASignalThatNobodyHandlesEndsIt) {
  Sandbox sandbox = Sandbox::start([]() -> int {
    for (;;) ::pause();
  });
  sandbox.wait_until_set_up();
  sandbox.signal(SIGTERM, false);
  EXPECT_EQ(sandbox.wait(), 128 + SIGTERM);
  EXPECT_FALSE(sandbox.failure());
}

TEST(Sandboxes, OnesThatAreRefusedSayWhy) {
  const pid_t child = ::fork();
  if (child == 0) {
    must(::unshare(CLONE_NEWUSER) == 0);
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/uid_map") << "0 0 1";
    std::ofstream("/proc/self/gid_map") << "0 0 1";
    std::ofstream("/proc/sys/user/max_net_namespaces") << 1;  // there is room for one, this sandbox's own
    try {
      Sandbox first = Sandbox::start([]() -> int {
        for (;;) ::pause();
      });
      const Sandbox second = Sandbox::start([] { return 0; });
    } catch (const Error& error) {
      const bool told = error.kind() == ErrorKind::environment && error.error_number() == ENOSPC;
      ::_exit(told && !error.remedy().empty() ? 0 : 1);
    }
    ::_exit(2);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Sandboxes, HaveAHostNameOfTheirOwn) {
  std::array<char, 65> before{};
  std::array<char, 65> after{};
  ASSERT_EQ(::gethostname(before.data(), before.size()), 0);
  Sandbox sandbox = Sandbox::start([] { return ::sethostname("plumbline", 9) == 0 ? 0 : 1; });
  EXPECT_EQ(sandbox.wait(), 0);
  ASSERT_EQ(::gethostname(after.data(), after.size()), 0);
  EXPECT_STREQ(before.data(), after.data());
}

TEST(Sandboxes, CanSetNoSysctlOfTheMachine) {
  for (const char* path :
       {"/proc/sys/kernel/hostname", "/proc/sys/kernel/panic", "/proc/sys/vm/swappiness"}) {
    const Fd file(::open(path, O_WRONLY | O_CLOEXEC));
    EXPECT_FALSE(file) << path;
    EXPECT_TRUE(errno == EROFS || errno == EACCES || errno == ENOENT) << path << ": " << errno;
  }
  const Netns netns = Netns::create();
  write_sysctl(netns, "net.ipv4.ip_forward", "1");
  EXPECT_EQ(read_sysctl(netns, "net.ipv4.ip_forward"), "1");
}

TEST(Sandboxes, KillingWhoStartedThemLeavesNone) {
  Pipe pipe;
  const pid_t starter = ::fork();
  if (starter == 0) {
    std::vector<Sandbox> sandboxes;
    for (int i = 0; i < 8; ++i) {
      sandboxes.push_back(Sandbox::start([&]() -> int {
        pipe.write("s");
        for (;;) ::pause();
      }));
    }
    for (;;) ::pause();
  }
  pipe.write_end.reset();
  char byte = 0;
  for (int i = 0; i < 8; ++i) ASSERT_EQ(::read(pipe.read_end.get(), &byte, 1), 1);
  ::kill(starter, SIGKILL);
  EXPECT_EQ(all_of(pipe.read_end), "");  // the last that could write has gone
  while (::waitpid(-1, nullptr, 0) > 0) {
  }
}

TEST(Sandboxes, KilledWhileTheyAreBeingStartedLeavesNone) {
  for (int round = 0; round < 40; ++round) {
    Pipe pipe;
    const pid_t starter = ::fork();
    if (starter == 0) {
      std::vector<Sandbox> sandboxes;
      for (;;) {
        pipe.write("s");
        sandboxes.push_back(Sandbox::start([&]() -> int {
          for (;;) ::pause();
        }));
      }
    }
    pipe.write_end.reset();
    char byte = 0;
    for (int i = 0; i <= round % 4; ++i) ASSERT_EQ(::read(pipe.read_end.get(), &byte, 1), 1);
    ::kill(starter, SIGKILL);
    all_of(pipe.read_end);  // returns once all that could write have gone
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
  }
}

}  // namespace
}  // namespace plumbline::kernel
