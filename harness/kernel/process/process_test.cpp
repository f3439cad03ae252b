// Programs that run, and those that cannot be started. (Namespaces, and what is left: process_netns_test.)
#include "harness/kernel/process/process.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "harness/base/error.hpp"
#include "harness/base/fd.hpp"
#include "harness/kernel/process/testing/run_now.hpp"

namespace plumbline::kernel {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::run_now;
using testing::shell;
using ::testing::StartsWith;

/// A folder of its own, removed at the end.
class Process : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "plumbline-process-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string file(const std::string& name, const std::string& text, mode_t mode = 0755) const {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }

  std::string folder_;
};

Error refusal_of(const std::string& program) {
  Command command;
  command.argv = {program};
  try {
    run_now(command);
  } catch (const Error& error) {
    // Whatever was forked for it has been reaped.
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
    return error;
  }
  return Error("(it was started)");
}

std::ptrdiff_t open_descriptors() {
  return std::distance(fs::directory_iterator("/proc/self/fd"), {});
}

TEST_F(Process, TellsExitStatusAndOutputInTheOrderWritten) {
  const Ended ended = run_now(shell("echo one; echo two >&2; echo three; exit 3"));
  EXPECT_EQ(ended.status, 3);
  EXPECT_EQ(ended.output, "one\ntwo\nthree\n");
  EXPECT_FALSE(ended.timed_out);
  EXPECT_GT(ended.duration.count(), 0);
  EXPECT_FALSE(ended.output_end);
}

TEST_F(Process, TellsTheSignal) {
  EXPECT_EQ(run_now(shell("kill -SEGV $$")).status, 128 + SIGSEGV);
}

TEST_F(Process, TakesArgumentsEnvironmentAndFolder) {
  ::setenv("PLUMBLINE_TEST_OWN", "ours", 1);
  ::setenv("PLUMBLINE_TEST_REPLACED", "ours", 1);
  Command command = shell("echo \"$0|$1|$PLUMBLINE_TEST_OWN|$PLUMBLINE_TEST_REPLACED|$NEW\"; pwd");
  command.argv.insert(command.argv.end(), {"a b", "*"});
  command.environment = {{"PLUMBLINE_TEST_REPLACED", "its"}, {"NEW", "x=y\nz"}};
  command.directory = folder_;
  EXPECT_EQ(run_now(command).output, "a b|*|ours|its|x=y\nz\n" + folder_ + "\n");
}

TEST_F(Process, FindsProgramsByPathNameAndFromItsFolder) {
  file("here", "#!/bin/sh\necho found\n");
  Command command;
  command.directory = folder_;
  command.argv = {"./here"};
  EXPECT_EQ(run_now(command).output, "found\n");
  command.argv = {"here"};
  command.environment = {{"PATH", "/nonexistent:" + folder_}};
  EXPECT_EQ(run_now(command).output, "found\n");
  command.environment = {{"PATH", "/nonexistent"}};
  EXPECT_THROW(run_now(command), Error);
}

TEST_F(Process, StartsAsAfterALogin) {
  const Fd leaked(::open("/dev/zero", O_RDONLY));  // without O_CLOEXEC
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  sigset_t blocked;
  sigset_t mask;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &blocked, &mask);
  const Ended ended = run_now(
      shell("readlink /proc/self/fd/0; ls /proc/$$/fd; "
            "grep -E 'Sig(Blk|Ign)' /proc/self/status; ps -o sid= -p $$ | grep -qx \" *$$\" && echo leads"));
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  std::signal(SIGPIPE, before);
  EXPECT_EQ(ended.output,
            "/dev/null\n0\n1\n2\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nleads\n");
}

TEST_F(Process, ReadsWhatItIsGivenOfAnyLength) {
  Command command = shell("wc -c; readlink /proc/$$/fd/0 | cut -c -7");
  command.input = std::string(3'000'000, 'x');
  EXPECT_EQ(run_now(command).output, "3000000\n/memfd:\n");
  command = shell("exit 5");  // and reads nothing of it
  command.input = std::string(3'000'000, 'x');
  EXPECT_EQ(run_now(command).status, 5);
}

TEST_F(Process, KeepsItsErrorsApartWhereAsked) {
  Command command = shell("echo one; echo two >&2; head -c 300000 /dev/zero | tr '\\0' x >&2; echo three");
  command.errors_apart = true;
  const Ended ended = run_now(command);
  EXPECT_EQ(ended.output, "one\nthree\n");
  EXPECT_THAT(ended.errors, AllOf(StartsWith("("), ::testing::EndsWith("xxx")));
  EXPECT_FALSE(ended.output_end);
  EXPECT_FALSE(ended.errors_end);
  command = shell("echo out; echo err >&2; sleep 1000 >&2 & exit 0");
  command.errors_apart = true;
  const Ended left = run_now(command);
  EXPECT_EQ(left.output, "out\n");
  EXPECT_EQ(left.errors, "err\n");
  EXPECT_TRUE(left.errors_end);
  end_left_behind();
}

TEST_F(Process, KeepsTheEndOfALongOutput) {
  const Ended ended = run_now(shell("i=0; head -c 10000000 /dev/zero | tr '\\0' x; echo; echo the end"));
  EXPECT_EQ(ended.status, 0);
  EXPECT_LE(ended.output.size(), kLongestOutput + 100);
  EXPECT_THAT(ended.output, AllOf(StartsWith("("), HasSubstr(" bytes before this are left out)\n"),
                                  ::testing::EndsWith("the end\n")));
}

TEST_F(Process, IsKilledWhenItsTimeIsUp) {
  Command command = shell("trap '' TERM; echo before; sleep 1000");
  command.timeout = milliseconds(100);
  const Ended ended = run_now(command);
  EXPECT_TRUE(ended.timed_out);
  EXPECT_EQ(ended.status, 128 + SIGKILL);
  EXPECT_EQ(ended.output, "before\n");
  EXPECT_LT(ended.duration, std::chrono::seconds(5));
}

TEST_F(Process, WhatHasEndedInTimeIsNotTimedOutByABusyLoop) {
  boost::asio::io_context loop{1};
  // It waits until it is waited for: one that has ended by then is reaped at once.
  ASSERT_EQ(::mkfifo((folder_ + "/go").c_str(), 0600), 0);
  const Fd go(::open((folder_ + "/go").c_str(), O_RDWR | O_CLOEXEC));
  Command command = shell("read line <go; exit 4");
  command.directory = folder_;
  command.timeout = milliseconds(50);
  std::optional<Ended> ended;
  boost::asio::co_spawn(loop, run(command), [&](const std::exception_ptr& problem, Ended result) {
    EXPECT_FALSE(problem);
    ended = std::move(result);
  });
  siginfo_t info{};
  while (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0) loop.run_one();  // until it is started
  ASSERT_EQ(::write(go.get(), "x\n", 2), 2);
  ASSERT_EQ(::waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
  boost::asio::steady_timer until(loop, milliseconds(60));
  until.wait();
  loop.run();
  ASSERT_TRUE(ended);
  EXPECT_FALSE(ended->timed_out);
  EXPECT_EQ(ended->status, 4);
}

TEST_F(Process, LeavesNoDescriptorOpen) {
  run_now(shell("true"));
  const auto before = open_descriptors();
  for (int i = 0; i < 10; ++i) {
    run_now(shell("true"));
    EXPECT_THROW(run_now(Command{{folder_ + "/missing"}, "", {}, nullptr, -1, milliseconds(1000)}), Error);
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(Process, SaysWhyItCannotBeStarted) {
  struct Case {
    std::string program;
    std::string why;
    std::string remedy;
  };
  const std::vector<Case> cases = {
      {folder_ + "/missing", "there is no such file", "correct its name"},
      {"plumbline-no-such-program", "not found in PATH (", "install it"},
      {folder_, "it is a folder", "name a program"},
      {file("plain", "#!/bin/sh\n", 0644), "it is not executable", "chmod +x " + folder_ + "/plain"},
      {file("lost", "#! /no/such/shell -eu\n"), "its interpreter /no/such/shell is not there", "first line"},
      {file("dos", "#!/bin/sh\r\ntrue\r\n"), "its first line ends with a carriage return", "sed -i"},
      {file("text", "echo no first line\n"), "neither a program for this machine nor a script", "#!/bin/sh"},
      {file("in_folder", "#!/bin\n"), "its interpreter /bin is a folder", "first line"},
      {file("a", "x") + "/b", "Not a directory", ""},
      {"", "none is named", ""},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.program);
    const Error error = refusal_of(each.program);
    EXPECT_EQ(error.kind(), ErrorKind::usage) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(each.why));
    EXPECT_THAT(error.remedy(), HasSubstr(each.remedy));
  }
}

TEST_F(Process, SaysWhyItsFolderWillNotDo) {
  Command command = shell("true");
  command.directory = folder_ + "/missing";
  try {
    run_now(command);
    FAIL() << "it ran";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), HasSubstr("missing: No such file or directory"));
  }
}

}  // namespace
}  // namespace plumbline::kernel
