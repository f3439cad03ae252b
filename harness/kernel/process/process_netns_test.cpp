// Programs in namespaces, and that nothing of them is left.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>

#include "harness/base/deadline.hpp"
#include "harness/base/error.hpp"
#include "harness/base/fd.hpp"
#include "harness/kernel/netns/confined_mounts.hpp"
#include "harness/kernel/netns/netns.hpp"
#include "harness/kernel/process/others.hpp"
#include "harness/kernel/process/owned.hpp"
#include "harness/kernel/process/process.hpp"
#include "harness/kernel/process/table.hpp"
#include "harness/kernel/process/testing/run_now.hpp"

namespace plumbline::kernel {
namespace {

using std::chrono::milliseconds;
using testing::run_now;
using testing::shell;

/// Names of the processes in the sandbox, zombies included, ourselves excepted.
std::vector<std::string> others() {
  const ProcessTable table = ProcessTable::read();
  std::vector<std::string> names;
  for (const Process& process : table.processes) {
    if (process.entry == table.self.entry) continue;
    names.push_back(describe(process) + (process.ended() ? " zombie" : ""));
  }
  return names;
}

/// Something that lives in the background until it is killed, and keeps nothing open but what is said.
constexpr const char* kDaemon = "setsid sleep 1000 >/dev/null 2>&1 </dev/null &";

TEST(ProcessNetns, RunsAmongMountsOfItsOwn) {
  const ConfinedMounts mounts = confine_mounts({});
  Command command = shell("pwd; echo x >here");
  command.mounts = mounts.fd.get();
  command.directory = "/usr";
  const Ended ended = run_now(command);
  EXPECT_THAT(ended.output, ::testing::AllOf(::testing::StartsWith("/usr\n"),
                                             ::testing::EndsWith("Read-only file system\n")));
  EXPECT_FALSE(std::filesystem::exists("/usr/here"));
}

TEST(ProcessNetns, RunsInTheNamespace) {
  const Netns there = Netns::create();
  Command command = shell("readlink /proc/self/ns/net");
  command.netns = &there;
  EXPECT_EQ(run_now(command).output, fmt::format("net:[{}]\n", there.inode()));
  command.netns = nullptr;
  EXPECT_EQ(run_now(command).output, fmt::format("net:[{}]\n", Netns::current().inode()));
}

TEST(ProcessNetns, TimeOutEndsEverythingThatItStarted) {
  const Netns there = Netns::create();
  Command command = shell(fmt::format(
      "trap '' TERM\n{0}\n(({0}) &)\nunshare -n setsid sleep 1000 &\nsleep 1000 & echo on; wait", kDaemon));
  command.netns = &there;
  command.timeout = milliseconds(300);
  const Ended ended = run_now(command);
  EXPECT_TRUE(ended.timed_out);
  EXPECT_EQ(ended.output, "on\n");
  EXPECT_THAT(others(), ::testing::IsEmpty());
}

TEST(ProcessNetns, EndsWithTheProgramWhateverHoldsItsOutput) {
  const Netns there = Netns::create();
  Command command = shell("sleep 1000 & echo started");
  command.netns = &there;
  const Ended ended = run_now(command);
  EXPECT_EQ(ended.status, 0);
  EXPECT_FALSE(ended.timed_out);
  EXPECT_EQ(ended.output, "started\n");
  EXPECT_TRUE(ended.output_end);
  EXPECT_LT(ended.duration, std::chrono::seconds(10));
  EXPECT_EQ(others().size(), 1U);
  const std::array<const Netns*, 1> all{&there};
  end_processes_in(all);
  EXPECT_THAT(others(), ::testing::IsEmpty());
}

TEST(ProcessNetns, WhatRunsOnMayWriteWhileTheEndIsKept) {
  const Netns there = Netns::create();
  // Waits until a file appears, then writes, then tells by another one how that went.
  std::string pattern = "/tmp/plumbline-process-XXXXXX";
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  ASSERT_EQ(::mkfifo((pattern + "/go").c_str(), 0600), 0);
  ASSERT_EQ(::mkfifo((pattern + "/went").c_str(), 0600), 0);
  Command command = shell("{ read line <go; echo late; echo $? >went; } & true");
  command.directory = pattern;
  command.netns = &there;
  Ended ended = run_now(command);
  EXPECT_EQ(ended.output, "");
  const Fd go(::open((pattern + "/go").c_str(), O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(::write(go.get(), "x\n", 2), 2);
  const Fd went(::open((pattern + "/went").c_str(), O_RDONLY | O_CLOEXEC));
  char answer = 0;
  EXPECT_EQ(::read(went.get(), &answer, 1), 1);
  EXPECT_EQ(answer, '0');
  std::array<char, 16> text{};
  EXPECT_EQ(::read(ended.output_end.get(), text.data(), text.size()), 5);
  end_left_behind();
  EXPECT_EQ(std::system(("rm -r " + pattern).c_str()), 0);
}

TEST(ProcessNetns, EndsWhatLivesInTheNamespacesAndNothingElse) {
  const Netns here = Netns::create();
  const Netns there = Netns::create();
  Command command = shell(fmt::format("{0}\n{0}\n{0}", kDaemon));
  command.netns = &here;
  run_now(command);
  command.argv = {"/bin/sh", "-c", kDaemon};
  command.netns = &there;
  run_now(command);
  EXPECT_EQ(others().size(), 4U);
  const std::array<const Netns*, 1> first{&here};
  end_processes_in(first);
  EXPECT_EQ(others().size(), 1U);
  const std::array<const Netns*, 2> both{&here, &there};
  end_processes_in(both);
  EXPECT_THAT(others(), ::testing::IsEmpty());
  end_processes_in({});
}

TEST(ProcessNetns, NeverEndsItself) {
  const Netns own = Netns::current();
  const std::array<const Netns*, 1> all{&own};
  run_now(shell(kDaemon));
  end_processes_in(all);
  EXPECT_THAT(others(), ::testing::IsEmpty());
}

TEST(ProcessNetns, EndsAProcessOfWhichOnlyOneThreadIsThere) {
  const Netns there = Netns::create();
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    std::thread inside([&] {
      const auto entered = there.enter();
      if (::write(ends[1], "x", 1) == 1) ::pause();
    });
    ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ends[0], &byte, 1), 1);
  const std::array<const Netns*, 1> all{&there};
  end_processes_in(all);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, WNOHANG), child);  // ours to reap: it is in our session
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(ProcessNetns, EndsWhatStartsFasterThanItIsLookedAt) {
  const Netns there = Netns::create();
  Command command =
      shell("i=0; while [ $i -lt 200 ]; do setsid sleep 1000 >/dev/null 2>&1 & i=$((i+1)); done");
  command.netns = &there;
  command.timeout = milliseconds(60);  // in the midst of it
  run_now(command);
  const std::array<const Netns*, 1> all{&there};
  end_processes_in(all);
  EXPECT_THAT(others(), ::testing::IsEmpty());
}

TEST(ProcessNetns, EndsWhatWasLeftBehindInNamespacesOfItsOwn) {
  run_now(
      shell("unshare -n setsid sleep 1000 >/dev/null 2>&1 & "
            "unshare -mpnf sh -c 'sleep 1000 & wait' >/dev/null 2>&1 & true"));
  EXPECT_FALSE(others().empty());
  end_left_behind();
  EXPECT_THAT(others(), ::testing::IsEmpty());
}

TEST(ProcessNetns, EndsAPidNamespaceThatOthersHaveJoined) {
  // As docker exec does it: the one inside has its parent outside, and is ours once that has ended.
  run_now(
      shell("unshare -mpf --mount-proc setsid sh -c 'echo $$; exec sleep 1000' >/dev/null 2>&1 & "
            "first=; until [ -n \"$first\" ]; do first=$(pgrep -P $! || true); done; "
            "setsid nsenter -t \"$first\" -p sleep 1000 >/dev/null 2>&1 & "
            "until pgrep -P $! >/dev/null; do :; done"));
  ASSERT_GE(others().size(), 4U);
  end_left_behind();
  EXPECT_THAT(others(), ::testing::IsEmpty());
}

TEST(ProcessNetns, ReapsOrphansThatEnd) {
  // The orphan ends once the second program has said so, and a third finds it a zombie.
  const Netns there = Netns::create();
  run_now(shell("setsid sleep 1000 >/dev/null 2>&1 & echo $! >/tmp/plumbline-orphan"));
  const ProcessTable table = ProcessTable::read();
  ASSERT_EQ(others().size(), 1U);
  const Process& orphan = table.processes.back();
  const Fd pidfd = open_process(orphan);
  ASSERT_TRUE(pidfd);
  run_now(shell("kill -9 $(cat /tmp/plumbline-orphan); rm /tmp/plumbline-orphan"));
  pollfd ended{pidfd.get(), POLLIN, 0};
  ASSERT_EQ(::poll(&ended, 1, 5000), 1);
  run_now(shell("true"));
  EXPECT_THAT(others(), ::testing::IsEmpty());
}

TEST(ProcessNetns, LeavesTheChildrenOfOthersToThem) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(7);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  run_now(shell("true"));
  end_left_behind();
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

TEST(ProcessNetns, EndsWithItsCoroutine) {
  {
    boost::asio::io_context loop{1};
    boost::asio::co_spawn(loop, run(shell(fmt::format("{}\nsleep 1000", kDaemon))),
                          [](const std::exception_ptr&, const Ended&) {});
    while (others().empty()) loop.run_one();
  }
  EXPECT_THAT(others(), ::testing::IsEmpty());
}

TEST(ProcessNetns, WhatAProgramLeavesRunningSurvivesATimerThatIsDueWithItsEnd) {
  // End and timer in one turn of the loop. What runs on, in the program's own group, tells that it does.
  std::string pattern = "/tmp/plumbline-process-XXXXXX";
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  const auto fifo = [&](const std::string& name) {
    EXPECT_EQ(::mkfifo((pattern + "/" + name).c_str(), 0600), 0);
    return Fd(::open((pattern + "/" + name).c_str(), O_RDWR | O_CLOEXEC));
  };
  const Fd go = fifo("go");
  const Fd on = fifo("on");
  const Fd went = fifo("went");
  boost::asio::io_context loop{1};
  Command command = shell("read line <go; { read line <on; echo on >went; } & echo done");
  command.directory = pattern;
  command.timeout = milliseconds(100);
  std::optional<Ended> result;
  boost::asio::co_spawn(loop, run(std::move(command)), [&](const std::exception_ptr& problem, Ended ended) {
    EXPECT_FALSE(problem);
    result = std::move(ended);
  });
  while (others().empty()) loop.run_one();
  boost::asio::steady_timer due(loop, milliseconds(100));  // the program's own was set before
  ASSERT_EQ(::write(go.get(), "x\n", 2), 2);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
  due.wait();
  loop.run();
  ASSERT_TRUE(result);
  EXPECT_FALSE(result->timed_out);
  EXPECT_EQ(result->output, "done\n");
  EXPECT_EQ(::write(on.get(), "x\n", 2), 2);
  pollfd told{went.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&told, 1, 5000), 1) << "it was killed";
  end_left_behind();
  EXPECT_THAT(others(), ::testing::IsEmpty());
  EXPECT_EQ(std::system(("rm -r " + pattern).c_str()), 0);
}

TEST(ProcessNetns, RunsManyAtOnce) {
  boost::asio::io_context loop{1};
  int done = 0;
  for (int i = 0; i < 50; ++i) {
    boost::asio::co_spawn(loop, run(shell(fmt::format("echo {0}; exit {0}", i))),
                          [&, i](const std::exception_ptr& problem, const Ended& ended) {
                            ASSERT_FALSE(problem);
                            EXPECT_EQ(ended.status, i);
                            EXPECT_EQ(ended.output, fmt::format("{}\n", i));
                            ++done;
                          });
  }
  loop.run();
  EXPECT_EQ(done, 50);
  EXPECT_THAT(others(), ::testing::IsEmpty());
}

// As where a container forbids mounting a new /proc: the numbers in it are not ours.
int with_foreign_proc(void*) {
  const Netns there = Netns::create();
  Command command = shell("sleep 1000 >/dev/null 2>&1 & true");
  command.netns = &there;
  const Ended ended = run_now(command);
  const auto running = [] {
    const ProcessTable table = ProcessTable::read();
    return std::count_if(table.processes.begin(), table.processes.end(),
                         [&](const Process& process) { return process.entry != table.self.entry; });
  };
  if (ended.status != 0) return 1;
  if (::getpid() != 1 || running() != 1) return 2;
  const std::array<const Netns*, 1> all{&there};
  end_processes_in(all);
  if (running() != 0) return 3;
  command = shell("setsid sleep 1000 & sleep 1000");
  command.timeout = milliseconds(100);
  if (!run_now(command).timed_out) return 4;
  return running() == 0 ? 0 : 5;
}

TEST(ProcessNetns, TellsWhatWasLeftRunningFromWhatIsAboutToEnd) {
  const std::vector<OtherProcess> before = other_processes();
  // What ends by itself is waited for.
  run_now(shell("(sleep 0.05 >/dev/null 2>&1 </dev/null &)"));
  EXPECT_THAT(processes_beside(before, milliseconds(5000)), ::testing::IsEmpty());
  run_now(shell(kDaemon));
  const std::vector<OtherProcess> left = processes_beside(before, milliseconds(50));
  ASSERT_EQ(left.size(), 1U);
  EXPECT_THAT(left[0].name, ::testing::StartsWith("sleep (pid "));
  EXPECT_THAT(processes_beside(other_processes(), milliseconds(0)), ::testing::IsEmpty());
  end_left_behind();
}

TEST(ProcessNetns, UnderstandsAnOuterProc) {
  run_now(shell(kDaemon));  // not theirs, and not to be touched by them
  std::vector<char> stack(std::size_t{256} * 1024);
  const pid_t child = ::clone(
      [](void* unused) {
        ::_exit(with_foreign_proc(unused));
        return 0;
      },
      stack.data() + stack.size(), CLONE_NEWPID | SIGCHLD, nullptr);
  ASSERT_GT(child, 0);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(others().size(), 1U);
  end_left_behind();
  EXPECT_THAT(others(), ::testing::IsEmpty());
}

}  // namespace
}  // namespace plumbline::kernel
