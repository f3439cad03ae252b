// The tests themselves run in a sandbox; what happens around one is tried with a second one inside it. The
// tests named DISABLED_Inside are the programs that run in there.
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <pty.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/fd.hpp"
#include "harness/base/scope_exit.hpp"
#include "harness/kernel/netns/netns.hpp"
#include "harness/kernel/netns/sandbox.hpp"
#include "harness/kernel/netns/sysctl.hpp"

namespace plumbline::kernel {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kReport = "PLUMBLINE_TEST_REPORT";  ///< descriptor that the program inside writes to

std::string contents(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> entries(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

int report_fd() {
  return std::atoi(std::getenv(kReport));
}

void report(char byte) {
  EXPECT_EQ(::write(report_fd(), &byte, 1), 1);
}

/// Starts this program in a sandbox, running the test Inside.`program`; exits as it does, or with 3 after
/// reporting why it was refused.
[[noreturn]] void become_outer(const std::string& program) {
  std::string name = "netns_netns_test";
  std::string filter = "--gtest_filter=DISABLED_Inside." + program;
  std::string disabled = "--gtest_also_run_disabled_tests";
  std::array<char*, 4> argv{name.data(), filter.data(), disabled.data(), nullptr};
  try {
    ::_exit(reexec_in_sandbox(3, argv.data()));
  } catch (const Error& error) {
    const std::string text = fmt::format("{} ({})", error.what(), error.remedy());
    const bool told = ::write(report_fd(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
    ::_exit(told && error.kind() == ErrorKind::environment ? 3 : 4);
  }
}

/// An outer process and what runs in its sandbox.
class Outer {
 public:
  /// `prepare` runs in the outer process before the sandbox is made.
  template <class Prepare>
  Outer(const std::string& program, Prepare prepare) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);  // inherited on purpose
    read_end_ = Fd(ends[0]);
    Fd write_end(ends[1]);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::setenv(kReport, std::to_string(ends[1]).c_str(), 1);
      prepare();
      become_outer(program);
    }
  }
  explicit Outer(const std::string& program) : Outer(program, [] {}) {}

  pid_t pid() const { return pid_; }
  /// The next byte that the program inside reports; 0 when nobody is left who could.
  char next_report() const {
    char byte = 0;
    return ::read(read_end_.get(), &byte, 1) == 1 ? byte : '\0';
  }
  /// Everything reported until nobody is left who could: the error, where the sandbox was refused.
  std::string all_reports() const {
    std::string all;
    for (char byte = next_report(); byte != 0; byte = next_report()) all += byte;
    return all;
  }
  /// Its exit status; 128+N for signal N.
  int wait() const {
    int status = 0;
    EXPECT_EQ(::waitpid(pid_, &status, 0), pid_);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  Fd read_end_;
  pid_t pid_ = -1;
};

void drop_capability(int number) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  if (::syscall(SYS_capget, &header, data.data()) != 0) ::_exit(90);
  data[static_cast<std::size_t>(CAP_TO_INDEX(number))].effective &= ~CAP_TO_MASK(number);
  if (::syscall(SYS_capset, &header, data.data()) != 0) ::_exit(91);
}

void must(bool done) {
  if (!done) {
    std::perror("preparing");
    ::_exit(92);
  }
}

TEST(Sandbox, IsWhatItPromises) {
  EXPECT_TRUE(in_sandbox());
  EXPECT_EQ(::getpid(), 1);
  EXPECT_EQ(::geteuid(), 0U);
  EXPECT_EQ(fs::read_symlink("/proc/self"), "1");
  EXPECT_EQ(entries("/sys/class/net").front(), "lo");
  struct statfs run {};
  ASSERT_EQ(::statfs("/run", &run), 0);
  EXPECT_EQ(run.f_type, TMPFS_MAGIC);
  EXPECT_TRUE(fs::is_directory(kNetnsDirectory));
}

TEST(Sandbox, MarkerIsNotForChildrenOrOtherNamespaces) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (in_sandbox()) ::_exit(1);
    // Pid 1 again, with the same environment, but with other mounts.
    if (::unshare(CLONE_NEWPID | CLONE_NEWNS) != 0) ::_exit(2);
    const pid_t first = ::fork();
    if (first == 0) ::_exit(::getpid() == 1 && !in_sandbox() ? 0 : 3);
    int status = 0;
    ::waitpid(first, &status, 0);
    ::_exit(WEXITSTATUS(status));
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(DISABLED_Inside, ExitsWithSeven) {
  std::_Exit(7);
}
TEST(Sandbox, ReturnsTheExitStatus) {
  EXPECT_EQ(Outer("ExitsWithSeven").wait(), 7);
}

TEST(DISABLED_Inside, WaitsWithoutHandlers) {
  report('r');
  for (;;) ::pause();
}
TEST(Sandbox, ReturnsASignalAs128More) {
  const Outer outer("WaitsWithoutHandlers");
  ASSERT_EQ(outer.next_report(), 'r');
  const std::string inside = contents(fmt::format("/proc/{0}/task/{0}/children", outer.pid()));
  ASSERT_GT(std::atoi(inside.c_str()), 1);
  ::kill(std::atoi(inside.c_str()), SIGKILL);
  EXPECT_EQ(outer.wait(), 128 + SIGKILL);
}

TEST(Sandbox, SignalWithoutHandlerEndsItAllTheSame) {
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
    const Outer outer("WaitsWithoutHandlers");
    ASSERT_EQ(outer.next_report(), 'r');
    ::kill(outer.pid(), number);
    EXPECT_EQ(outer.wait(), 128 + number);
    EXPECT_EQ(outer.next_report(), '\0');
  }
}

TEST(Sandbox, IgnoredSignalStaysIgnored) {
  const Outer outer("WaitsWithoutHandlers", [] { ::signal(SIGHUP, SIG_IGN); });
  ASSERT_EQ(outer.next_report(), 'r');
  ::kill(outer.pid(), SIGHUP);
  ::kill(outer.pid(), SIGTERM);
  EXPECT_EQ(outer.wait(), 128 + SIGTERM);
}

volatile std::sig_atomic_t interrupts = 0;

TEST(DISABLED_Inside, CountsInterrupts) {
  ::signal(SIGINT, [](int) {
    interrupts = interrupts + 1;
    report('i');
  });
  ::signal(SIGTERM, [](int) { ::_exit(40 + interrupts); });
  report('r');
  for (;;) ::pause();
}
TEST(Sandbox, PassesSignalsOn) {
  const Outer outer("CountsInterrupts");
  ASSERT_EQ(outer.next_report(), 'r');
  ::kill(outer.pid(), SIGINT);
  ASSERT_EQ(outer.next_report(), 'i');
  ::kill(outer.pid(), SIGTERM);
  EXPECT_EQ(outer.wait(), 41);
}

TEST(Sandbox, TerminalsInterruptArrivesOnce) {
  int terminal = -1;
  int follower = -1;
  ASSERT_EQ(::openpty(&terminal, &follower, nullptr, nullptr, nullptr), 0);
  const Fd keyboard(terminal);
  const Fd line(follower);
  const Outer outer("CountsInterrupts", [follower] { must(::login_tty(::dup(follower)) == 0); });
  ASSERT_EQ(outer.next_report(), 'r');
  ASSERT_EQ(::write(keyboard.get(), "\x03", 1), 1);  // Ctrl-C: to the process group, so to both
  ASSERT_EQ(outer.next_report(), 'i');
  // The outer process takes the lower signal number first, so a second SIGINT would be counted by now.
  ::kill(outer.pid(), SIGTERM);
  EXPECT_EQ(outer.wait(), 41);
}

TEST(DISABLED_Inside, MakesAMess) {
  const Netns netns = Netns::create();
  netns.bind("/run/netns/mess");
  std::ofstream("/run/mess") << "mess";
  EXPECT_EQ(std::system("ip -n mess link add v0 type veth peer name v1"), 0);
  for (int i = 0; i < 3; ++i) {
    // A child in a session of its own, which nothing but the pid namespace ends.
    if (::fork() == 0) {
      ::setsid();
      const Netns::Entered inside(netns);
      report('c');
      for (;;) ::pause();
    }
  }
  report('p');
  for (;;) ::pause();
}
TEST(Sandbox, KillingTheOuterProcessLeavesNothing) {
  const auto mounts = contents("/proc/self/mountinfo");
  const auto run = entries("/run");
  const Outer outer("MakesAMess");
  for (int i = 0; i < 4; ++i) ASSERT_NE(outer.next_report(), '\0');
  ::kill(outer.pid(), SIGKILL);
  EXPECT_EQ(outer.wait(), 128 + SIGKILL);
  EXPECT_EQ(outer.next_report(), '\0');  // the last process that could write has gone
  // Orphans are handed to this process, pid 1 here.
  while (::waitpid(-1, nullptr, 0) > 0) {
  }
  EXPECT_EQ(contents("/proc/self/mountinfo"), mounts);
  EXPECT_EQ(entries("/run"), run);
  EXPECT_THAT(entries("/run/netns"), IsEmpty());
}

/// Fills the /run of this sandbox with one entry of every kind.
void fill_run() {
  fs::create_directories("/run/kinds/below/mounted");
  must(::mount("tmpfs", "/run/kinds/below/mounted", "tmpfs", 0, nullptr) == 0);
  std::ofstream("/run/kinds/below/mounted/deep") << "deep";
  std::ofstream("/run/kinds-file") << "file";
  std::ofstream("/run/xtables.lock") << "";
  fs::create_symlink("kinds-file", "/run/kinds-link");
  fs::create_symlink("nowhere", "/run/kinds-dangling");
  must(::mkfifo("/run/kinds-fifo", 0600) == 0);
  fs::create_directory("/run/kinds-secret");
  fs::permissions("/run/kinds-secret", fs::perms::none);
}
void empty_run() {
  ::umount2("/run/kinds/below/mounted", MNT_DETACH);
  for (const std::string& name : entries("/run")) {
    if (name.compare(0, 5, "kinds") == 0 || name == "xtables.lock") fs::remove_all("/run/" + name);
  }
}

TEST(DISABLED_Inside, SeesTheOldRun) {
  EXPECT_EQ(contents("/run/kinds/below/mounted/deep"), "deep");
  EXPECT_EQ(contents("/run/kinds-link"), "file");
  EXPECT_EQ(fs::read_symlink("/run/kinds-dangling"), "nowhere");
  EXPECT_TRUE(fs::is_fifo("/run/kinds-fifo"));
  EXPECT_TRUE(fs::is_directory("/run/kinds-secret"));
  EXPECT_FALSE(fs::exists("/run/xtables.lock"));
  EXPECT_THAT(entries("/run/netns"), IsEmpty());
  Netns::create().bind("/run/netns/inner");
  std::ofstream("/run/made-inside") << "made";
  EXPECT_TRUE(fs::exists("/run/made-inside"));
}
TEST(Sandbox, RunIsPrivateAndShowsTheOldOne) {
  fill_run();
  const Netns held = Netns::create();
  held.bind("/run/netns/outer");
  const ScopeExit clean([] {
    empty_run();
    Netns::unbind("/run/netns/outer");
  });
  EXPECT_EQ(Outer("SeesTheOldRun").wait(), 0);
  EXPECT_EQ(Outer("SeesTheOldRun", [] { drop_capability(CAP_SYS_ADMIN); }).wait(), 0);
  EXPECT_THAT(entries("/run/netns"), ::testing::ElementsAre("outer"));
  EXPECT_THAT(entries("/run"), Not(Contains("made-inside")));
}

TEST(Sandbox, NeedsNoRunNetnsOutside) {
  fill_run();
  ASSERT_EQ(::umount2(kNetnsDirectory, MNT_DETACH), 0);
  fs::remove(kNetnsDirectory);
  const ScopeExit clean([] {
    empty_run();
    fs::create_directory(kNetnsDirectory);
    must(::mount(kNetnsDirectory, kNetnsDirectory, nullptr, MS_BIND, nullptr) == 0);
  });
  EXPECT_EQ(Outer("SeesTheOldRun").wait(), 0);
  EXPECT_FALSE(fs::exists(kNetnsDirectory));
}

TEST(DISABLED_Inside, WorksAsRoot) {
  EXPECT_TRUE(in_sandbox());
  EXPECT_EQ(::geteuid(), 0U);
  const Netns netns = Netns::create();
  netns.bind("/run/netns/works");
  write_sysctl(netns, "net.ipv4.ip_forward", "1");
  EXPECT_EQ(read_sysctl(netns, "net.ipv4.ip_forward"), "1");
  EXPECT_EQ(std::system("ip netns exec works ip link set lo up"), 0);
}
TEST(Sandbox, RootWithoutTheCapabilityUsesAUserNamespace) {
  for (const int capability : {CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_NET_RAW}) {
    EXPECT_EQ(Outer("WorksAsRoot", [capability] { drop_capability(capability); }).wait(), 0) << capability;
  }
}

/// As in a container: something covers a part of /proc, so the kernel lets no user namespace mount another
/// one.
void mask_proc() {
  must(::unshare(CLONE_NEWNS) == 0);
  must(::mount("tmpfs", "/proc/bus", "tmpfs", MS_RDONLY, nullptr) == 0 ||
       ::mount("tmpfs", "/proc/driver", "tmpfs", MS_RDONLY, nullptr) == 0);
}

TEST(DISABLED_Inside, WorksWithTheOldProc) {
  EXPECT_NE(fs::read_symlink("/proc/self"), "1");
  EXPECT_TRUE(in_sandbox());
  const Netns netns = Netns::create();
  netns.bind("/run/netns/works");
  write_sysctl(netns, "net.ipv4.ip_forward", "1");
  EXPECT_EQ(read_sysctl(netns, "net.ipv4.ip_forward"), "1");
}
TEST(Sandbox, MakesDoWithTheOldProc) {
  const Outer outer("WorksWithTheOldProc", [] {
    mask_proc();
    drop_capability(CAP_SYS_ADMIN);
  });
  EXPECT_EQ(outer.wait(), 0);
}

TEST(Sandbox, ReadOnlySysctlsAreSaid) {
  const Outer outer("WorksWithTheOldProc", [] {
    mask_proc();
    must(::mount("/proc/sys", "/proc/sys", nullptr, MS_BIND, nullptr) == 0);
    must(::mount(nullptr, "/proc/sys", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0);
    drop_capability(CAP_SYS_ADMIN);
  });
  EXPECT_THAT(outer.all_reports(), AllOf(HasSubstr("/proc/sys/net"), HasSubstr("--privileged")));
  EXPECT_EQ(outer.wait(), 3);
}

TEST(Sandbox, ForbiddenNamespacesAreSaid) {
  for (const std::string kind : {"user", "mnt", "net", "pid"}) {
    const Outer outer("WorksAsRoot", [&kind] {
      // The limit is each user namespace's own: this one ends with the process.
      must(::unshare(CLONE_NEWUSER) == 0);
      std::ofstream("/proc/self/setgroups") << "deny";
      std::ofstream("/proc/self/uid_map") << "0 0 1";
      std::ofstream("/proc/self/gid_map") << "0 0 1";
      std::ofstream limit(fmt::format("/proc/sys/user/max_{}_namespaces", kind));
      must(static_cast<bool>(limit << 0 << std::flush));
      if (kind == "user") drop_capability(CAP_SYS_ADMIN);
    });
    EXPECT_THAT(outer.all_reports(), AllOf(HasSubstr("creating user, mount, network and pid namespaces"),
                                           HasSubstr(fmt::format("sysctl -w user.max_{}_namespaces", kind))));
    EXPECT_EQ(outer.wait(), 3) << kind;
  }
}

}  // namespace
}  // namespace plumbline::kernel
