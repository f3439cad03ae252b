#include "harness/kernel/netns/netns.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "harness/base/error.hpp"

namespace plumbline::kernel {
namespace {

using ::testing::HasSubstr;

template <class Action>
Error error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error("nothing");
}

/// Runs `action` in a child, whose privileges it may spoil; its result is the child's exit status.
template <class Action>
int in_child(Action action) {
  const pid_t child = ::fork();
  if (child == 0) {
    int result = 99;
    try {
      result = action();
    } catch (const std::exception& error) {
      std::fputs(error.what(), stderr);
    }
    ::_exit(result);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Netns, CreateStaysOutside) {
  const std::uint64_t before = Netns::current().inode();
  const Netns first = Netns::create();
  const Netns second = Netns::create();
  EXPECT_EQ(Netns::current().inode(), before);
  EXPECT_NE(first.inode(), second.inode());
  EXPECT_NE(first.inode(), before);
}

TEST(Netns, RunGoesInsideAndComesBack) {
  const std::uint64_t before = Netns::current().inode();
  const Netns netns = Netns::create();
  EXPECT_EQ(netns.run([] { return Netns::current().inode(); }), netns.inode());
  EXPECT_EQ(Netns::current().inode(), before);
  EXPECT_THROW(netns.run([] { throw std::runtime_error("inside"); }), std::runtime_error);
  EXPECT_EQ(Netns::current().inode(), before);
}

TEST(Netns, EnteringNests) {
  const std::uint64_t home = Netns::current().inode();
  const Netns outer = Netns::create();
  const Netns inner = Netns::create();
  {
    const Netns::Entered in_outer = outer.enter();
    {
      const Netns::Entered in_inner = inner.enter();
      EXPECT_EQ(Netns::current().inode(), inner.inode());
    }
    EXPECT_EQ(Netns::current().inode(), outer.inode());
  }
  EXPECT_EQ(Netns::current().inode(), home);
}

TEST(Netns, BoundNameWorksForIpNetns) {
  const Netns netns = Netns::create();
  netns.bind("/run/netns/bound");
  EXPECT_EQ(Netns::open("/run/netns/bound").inode(), netns.inode());
  EXPECT_EQ(std::system("ip netns list | grep -qx 'bound.*'"), 0);
  EXPECT_EQ(std::system("ip netns exec bound ip link set lo up"), 0);
  EXPECT_EQ(std::system("ip -n bound link show lo | grep -q LOWER_UP"), 0);
  EXPECT_EQ(std::system("ip link show lo | grep -q LOWER_UP"), 256);  // not in the namespace around it

  Netns::unbind("/run/netns/bound");
  EXPECT_NE(::access("/run/netns/bound", F_OK), 0);
  Netns::unbind("/run/netns/bound");  // already gone
}

TEST(Netns, BindRefusesATakenName) {
  const Netns netns = Netns::create();
  netns.bind("/run/netns/taken");
  const Error error = error_of([&] { Netns::create().bind("/run/netns/taken"); });
  EXPECT_EQ(error.error_number(), EEXIST);
  EXPECT_THAT(error.what(), HasSubstr("/run/netns/taken"));
  EXPECT_EQ(Netns::open("/run/netns/taken").inode(), netns.inode());
  Netns::unbind("/run/netns/taken");
}

TEST(Netns, OpenNamesWhatIsWrong) {
  EXPECT_THAT(error_of([] { Netns::open("/run/netns/absent"); }).what(), HasSubstr("/run/netns/absent"));
  EXPECT_THAT(error_of([] { Netns::open("/proc/self/ns/mnt"); }).what(), HasSubstr("something else"));
  EXPECT_THAT(error_of([] { Netns::open("/proc/self/status"); }).what(), HasSubstr("something else"));
}

TEST(Netns, WithoutPrivilegeItIsTheEnvironment) {
  EXPECT_EQ(in_child([] {
              __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
              const std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
              if (::syscall(SYS_capset, &header, none.data()) != 0) return 1;
              const Error error = error_of([] { Netns::create(); });
              const bool told = error.kind() == ErrorKind::environment && !error.remedy().empty();
              return error.error_number() == EPERM && told ? 0 : 2;
            }),
            0);
}

TEST(Netns, UsedUpNamespacesHaveARemedy) {
  EXPECT_EQ(in_child([] {
              // The limit is each user namespace's own: this one ends with the child.
              if (::unshare(CLONE_NEWUSER) != 0) return 1;
              std::ofstream("/proc/sys/user/max_net_namespaces") << 0 << std::flush;
              const Error error = error_of([] { Netns::create(); });
              const bool told = error.kind() == ErrorKind::environment &&
                                error.remedy().find("user.max_net_namespaces") != std::string::npos;
              return error.error_number() == ENOSPC && told ? 0 : 2;
            }),
            0);
}

}  // namespace
}  // namespace plumbline::kernel
