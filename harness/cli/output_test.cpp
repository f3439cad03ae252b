#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/json.hpp>
#include <future>

#include "harness/cli/testing/program.hpp"

/// Where reports are written to.
namespace plumbline::cli::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CliPlaces : public ::testing::Test {
 protected:
  /// Writes reports of a run of nothing.
  Start start(std::vector<std::string> reports) const {
    Start start{.arguments = {"report", run_}, .folder = folder_.path()};
    for (std::string& report : reports) start.arguments.insert(start.arguments.end(), {"--report", report});
    return start;
  }
  bool is_report(const std::string& name) const {
    boost::json::error_code problem;
    const boost::json::value value = boost::json::parse(text_of(folder_.path(name)), problem);
    return !problem && value.at("schema") == 1;
  }

  Folder folder_;
  const std::string run_ = folder_.write(
      "run.json",
      R"({"schema": 1, "plumbline": "1", "summary": {"passed": 0, "failed": 0, "inconclusive": 0, "skipped": 0,
          "errors": 0}, "duration_ms": 1, "interrupted": false, "repetitions": 1, "differing": [],
          "scenarios": []})");
};

TEST_F(CliPlaces, AFifoIsOpenedOnce) {
  const std::string fifo = folder_.path("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  auto read = std::async(std::launch::async, [&fifo] { return text_of(fifo); });
  const Ran ran = run(start({"json=fifo"}));
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(read.get(), HasSubstr("\"schema\": 1"));
}

TEST_F(CliPlaces, ASignalEndsTheWaitForAFifosReader) {
  ASSERT_EQ(::mkfifo(folder_.path("fifo").c_str(), 0600), 0);
  Start waits = start({"json=fifo"});
  Running running(waits);
  ASSERT_THAT(running.line_with("waiting for"), HasSubstr("fifo: waiting for somebody who reads it"));
  ::kill(running.pid(), SIGTERM);
  EXPECT_EQ(running.wait().status, 128 + SIGTERM);
}

TEST_F(CliPlaces, ASignalEndsTheWaitForAReaderWhoReadsNothing) {
  const std::string path = folder_.path("fifo");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(::fcntl(reader, F_SETPIPE_SZ, 4096), 4096);
  Start stuck = start({"html=fifo"});
  // As while a run is under way.
  stuck.prepare = [] {
    sigset_t held;
    ::sigemptyset(&held);
    ::sigaddset(&held, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &held, nullptr);
    ::raise(SIGTERM);
  };
  const Ran ran = run(stuck);
  ::close(reader);
  EXPECT_EQ(ran.status, 5);
  EXPECT_THAT(ran.err, HasSubstr("the html report is not whole: fifo: write: Interrupted system call"));
}

TEST_F(CliPlaces, OneFileThatIsNotThereYetIsKnownByAllItsPaths) {
  for (const std::string& other :
       {std::string("./x.json"), std::string("d/../x.json"), folder_.path("x.json")}) {
    const Ran ran = run(start({"json=x.json", "html=" + other}));
    EXPECT_EQ(ran.status, 2) << other;
    EXPECT_THAT(ran.err, HasSubstr("two reports to " + other));
  }
  Start summary = start({"github", "json=./x.md"});
  summary.environment["GITHUB_STEP_SUMMARY"] = folder_.path("x.md");
  EXPECT_THAT(run(summary).err, HasSubstr("two reports to " + folder_.path("x.md")));
}

TEST_F(CliPlaces, AMissingFolderIsMadeUnlessTheRunIsRefused) {
  EXPECT_EQ(run(start({"json=a/b/x.json", "console=/proc/no/such"})).status, 2);
  EXPECT_FALSE(fs::exists(folder_.path("a")));
  const Ran ran = run(start({"json=a/b/x.json", "console=c/x.txt"}));
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_TRUE(is_report("a/b/x.json"));
  EXPECT_THAT(text_of(folder_.path("c/x.txt")), HasSubstr("0 checks"));
}

TEST_F(CliPlaces, AFilesModeAndOwnerStay) {
  const std::string file = folder_.write("x.json", "old");
  ASSERT_EQ(::chmod(file.c_str(), 0640), 0);
  constexpr uid_t kNobody = 65534;
  const bool given = ::geteuid() == 0 && ::chown(file.c_str(), kNobody, kNobody) == 0;
  EXPECT_EQ(run(start({"json=x.json"})).status, 0);
  EXPECT_TRUE(is_report("x.json"));
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0640U);
  if (given) {
    EXPECT_EQ(status.st_uid, kNobody);
  }
}

TEST_F(CliPlaces, ClosedStandardDescriptorsAreNobodyElses) {
  for (const int closed : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    Start without = start({"json=x.json", "console"});
    without.prepare = [closed] { ::close(closed); };
    const Ran ran = run(without);
    EXPECT_EQ(ran.status, 0) << closed << ran.err;
    EXPECT_THAT(ran.err, IsEmpty());
    EXPECT_TRUE(is_report("x.json")) << closed;
  }
}

}  // namespace
}  // namespace plumbline::cli::testing
