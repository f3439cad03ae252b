// Scenarios side by side and again and again, through the program as a user runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/stat.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <set>

#include "harness/cli/testing/program.hpp"

namespace plumbline::cli::testing {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// Holds at once.
const std::string kQuick =
    "  - reach: {from: host, to: [lan-peer, internet], with: [ping, tcp/80], family: ipv4}\n";
/// Nobody has this address: it waits out its time-out.
const std::string kSlow = "  - reach: {from: host, to: 192.168.16.99}\n";

class Parallel : public ::testing::Test {
 protected:
  void SetUp() override {
    const Ran doctor = plumbline({"doctor"});
    if (doctor.status == 0) return;
    if (in_ci()) FAIL() << doctor.out << doctor.err;
    GTEST_SKIP() << doctor.out << doctor.err;
  }

  void write(const std::string& name, const std::string& checks, const std::string& more = {}) {
    folder_.write(name + ".yaml", "version: 1\nname: " + name +
                                      "\nworld: diy\nsetup:\n  native:\n    bridges: {b: {address: "
                                      "192.168.99.1/24, containers: {box: 192.168.99.11}}}\n" +
                                      more + "checks:\n" + checks);
  }

  Start start(std::vector<std::string> more) const {
    std::vector<std::string> arguments{"run",      folder_.path(),
                                       "--out",    folder_.path("out"),
                                       "--report", "json=" + folder_.path("report.json"),
                                       "--report", "console"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return {.arguments = std::move(arguments), .environment = {{"PLUMBLINE_LOG", "debug"}}};
  }
  json::value report() const { return json::parse(text_of(folder_.path("report.json"))); }

  Folder folder_;
};

/// What must be the same in every run: no times, and no packets, whose ports and ids are chosen anew.
std::vector<std::string> gist(const json::value& report) {
  std::vector<std::string> lines;
  for (const json::value& scenario : report.at("scenarios").as_array()) {
    std::string line = json::serialize(scenario.at("name")) + json::serialize(scenario.at("setup"));
    if (const json::value* error = scenario.as_object().if_contains("error")) line += json::serialize(*error);
    lines.push_back(line);
    for (const json::value& check : scenario.at("checks").as_array()) {
      line.clear();
      for (const char* key : {"id", "type", "from", "to", "with", "where", "verdict", "expected", "trace"})
        line += json::serialize(check.at(key)) + " ";
      lines.push_back(line);
    }
  }
  lines.push_back(json::serialize(report.at("summary")));
  return lines;
}

std::vector<std::string> names(const json::value& report) {
  std::vector<std::string> all;
  for (const json::value& scenario : report.at("scenarios").as_array())
    all.emplace_back(scenario.at("name").as_string());
  return all;
}

pid_t sandbox_of(Running& running, const std::string& name) {
  const std::string line = running.line_with(name + " (native): sandbox ");
  const std::string before = ": sandbox ";
  return static_cast<pid_t>(std::atoi(line.substr(line.find(before) + before.size()).c_str()));
}

TEST_F(Parallel, GiveTheSameReportAsOneAfterTheOther) {
  write("a-quick", kQuick);
  write("b-fails", kSlow + kQuick);
  write("c-broken", kQuick, "    nft: |\n      table inet mine {\n        flurb\n      }\n");
  write("d-more",
        kQuick + "  - reach: {from: box, to: host, with: [ping, tcp/8080, udp/5353], family: ipv4}\n");
  write("e-last", "  - reach: {from: box, to: host}\n");
  std::vector<std::vector<std::string>> reports;
  std::vector<std::vector<std::string>> headers;
  for (const char* parallel : {"1", "2", "5", "100"}) {
    const Ran ran = run(start({"--parallel", parallel, "--timeout", "200ms"}));
    EXPECT_EQ(ran.status, 1) << ran.out << ran.err;
    reports.push_back(gist(report()));
    std::vector<std::string> header;
    std::istringstream lines(ran.out);
    for (std::string line; std::getline(lines, line);) {
      if (line.find("(setup native)") != std::string::npos) header.push_back(line);
    }
    headers.push_back(header);
  }
  for (std::size_t i = 1; i < reports.size(); ++i) {
    EXPECT_EQ(reports[i], reports[0]);
    EXPECT_EQ(headers[i], headers[0]);
  }
  EXPECT_THAT(names(report()), ElementsAre("a-quick", "b-fails", "c-broken", "d-more", "e-last"));
  EXPECT_TRUE(
      std::filesystem::exists(folder_.path("out/b-fails.native/reach-host-192.168.16.99-ping.pcapng")));
}

TEST_F(Parallel, ASandboxThatSomebodyElseEndsPolitelyIsNoSuccess) {
  write("a-slow", kQuick + kSlow);
  write("b-quick", kQuick);
  Running running(start({"--parallel", "2", "--timeout", "60s"}));
  const pid_t sandbox = sandbox_of(running, "a-slow");
  ASSERT_GT(sandbox, 1);
  ASSERT_NE(running.line_with("b-quick ended with status 0"), "");
  ASSERT_EQ(::kill(sandbox, SIGTERM), 0);
  const Ran ran = running.wait();
  EXPECT_EQ(ran.status, 5) << ran.out << ran.err;
  EXPECT_THAT(std::string(report().at("scenarios").at(0).at("error").at("message").as_string()),
              HasSubstr("by somebody else than this program"));
  EXPECT_FALSE(report().at("interrupted").as_bool());
}

TEST_F(Parallel, ASandboxThatIsKilledCostsItsScenarioAlone) {
  write("a-quick", kQuick);
  write("b-slow", kQuick + kSlow);
  write("c-quick", kQuick);
  Running running(start({"--parallel", "3", "--timeout", "60s"}));
  const pid_t sandbox = sandbox_of(running, "b-slow");
  ASSERT_GT(sandbox, 1);
  ASSERT_NE(running.line_with("c-quick ended with status 0"), "");
  ASSERT_EQ(::kill(sandbox, SIGKILL), 0);
  const Ran ran = running.wait();
  EXPECT_EQ(ran.status, 5) << ran.out << ran.err;
  const json::value told = report();
  EXPECT_THAT(names(told), ElementsAre("a-quick", "b-slow", "c-quick"));
  const json::value& killed = told.at("scenarios").at(1);
  EXPECT_THAT(std::string(killed.at("error").at("message").as_string()), HasSubstr("signal 9 (Killed)"));
  EXPECT_THAT(std::string(killed.at("error").at("remedy").as_string()), HasSubstr("--parallel 1"));
  EXPECT_EQ(killed.at("checks").as_array().size(), 5U);
  EXPECT_EQ(killed.at("checks").at(4).at("verdict"), "skip");
  for (const std::size_t other : {0U, 2U}) {
    EXPECT_FALSE(told.at("scenarios").at(other).as_object().contains("error"));
    EXPECT_EQ(told.at("scenarios").at(other).at("checks").at(0).at("verdict"), "pass");
  }
  EXPECT_EQ(told.at("summary").at("errors"), 1);
  EXPECT_THAT(ran.out, HasSubstr("this scenario could not be run"));
}

TEST_F(Parallel, AnInterruptKeepsWhatHadEnded) {
  write("a-slow", kQuick + kSlow);
  write("b-quick", kQuick);
  write("c-slow", kSlow);
  write("d-never", kQuick);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
    // The two with fewer checks are started last.
    Running running(start({"--parallel", "2", "--timeout", "60s"}));
    ASSERT_NE(running.line_with("b-quick ended with status 0"), "");
    ASSERT_NE(running.line_with("c-slow: network built"), "");
    ::kill(running.pid(), number);
    const Ran ran = running.wait();
    EXPECT_EQ(ran.status, 130) << ran.out << ran.err;
    const json::value told = report();
    EXPECT_TRUE(told.at("interrupted").as_bool());
    EXPECT_THAT(names(told), ElementsAre("a-slow", "b-quick", "c-slow", "d-never"));
    EXPECT_EQ(told.at("scenarios").at(1).at("checks").at(0).at("verdict"), "pass");
    EXPECT_EQ(told.at("scenarios").at(0).at("checks").at(4).at("observed"), "interrupted");
    EXPECT_EQ(told.at("scenarios").at(2).at("checks").at(0).at("observed"), "interrupted");
    EXPECT_FALSE(told.at("scenarios").at(0).as_object().contains("error"));
    EXPECT_EQ(told.at("summary").at("errors"), 0);
    EXPECT_THAT(ran.out, HasSubstr("interrupted: what follows counts only what had ended by then"));
  }
}

/// Stops it as a whole, so that it cannot heed a signal.
void freeze(pid_t sandbox) {
  ::kill(sandbox, SIGSTOP);
  const std::string status = "/proc/" + std::to_string(sandbox) + "/status";
  while (text_of(status).find("State:\tT") == std::string::npos) ::sched_yield();
}

TEST_F(Parallel, ASecondSignalWaitsForNobody) {
  write("a-quick", kQuick);
  write("b-stuck", kSlow);
  Running running(start({"--parallel", "2", "--timeout", "60s"}));
  const pid_t stuck = sandbox_of(running, "b-stuck");
  ASSERT_NE(running.line_with("a-quick ended with status 0"), "");
  freeze(stuck);
  ::kill(running.pid(), SIGTERM);
  ::kill(running.pid(), SIGINT);
  EXPECT_EQ(running.wait().status, 130);
  EXPECT_THAT(names(report()), ElementsAre("a-quick", "b-stuck"));
  EXPECT_EQ(report().at("scenarios").at(1).at("checks").at(0).at("observed"), "interrupted");
}

/// The end of the pipe to the process outside, opened anew; -1: there is none.
int results_of(pid_t sandbox) {
  const std::string folder = "/proc/" + std::to_string(sandbox) + "/fd";
  std::error_code problem;
  for (const auto& entry : std::filesystem::directory_iterator(folder, problem)) {
    if (std::stoi(entry.path().filename()) <= STDERR_FILENO) continue;
    const bool pipe = std::filesystem::read_symlink(entry.path(), problem).string().starts_with("pipe:");
    struct stat link {};
    // The link's own mode says for what it is open.
    if (pipe && ::lstat(entry.path().c_str(), &link) == 0 && (link.st_mode & S_IWUSR) != 0)
      return ::open(entry.path().c_str(), O_WRONLY | O_CLOEXEC);
  }
  return -1;
}

TEST_F(Parallel, NonsenseFromASandboxCostsItsScenarioAlone) {
  write("a-quick", kQuick);
  write("b-strange", kSlow);
  Running running(start({"--parallel", "2", "--timeout", "60s"}));
  const pid_t strange = sandbox_of(running, "b-strange");
  ASSERT_NE(running.line_with("b-strange: network built"), "");
  const int results = results_of(strange);
  if (results < 0) {
    ::kill(running.pid(), SIGKILL);
    GTEST_SKIP() << "this machine does not show the sandbox's descriptors";
  }
  EXPECT_EQ(::write(results, "{\"check\": 99}\n", 14), 14);
  ::close(results);
  const Ran ran = running.wait();
  EXPECT_EQ(ran.status, 5) << ran.out << ran.err;
  EXPECT_THAT(names(report()), ElementsAre("a-quick", "b-strange"));
  EXPECT_THAT(std::string(report().at("scenarios").at(1).at("error").at("message").as_string()),
              HasSubstr("not what a sandbox tells of its scenario"));
  EXPECT_EQ(report().at("scenarios").at(0).at("checks").at(0).at("verdict"), "pass");
}

TEST_F(Parallel, OneScenarioWithTwoSetupsIsTwoRuns) {
  folder_.write(
      "two.yaml",
      "version: 1\nname: two\nworld: diy\nsetup:\n  native: {bridges: {b: {address: 192.168.99.1/24}}}\n"
      "  script: {shell: 'ip link add name b type bridge'}\nchecks:\n" +
          kQuick);
  const Ran ran = run(start({"--trace", "all"}));
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  EXPECT_THAT(names(report()), ElementsAre("two", "two"));
  EXPECT_EQ(report().at("scenarios").at(0).at("setup"), "native");
  EXPECT_EQ(report().at("scenarios").at(1).at("setup"), "script");
  EXPECT_TRUE(std::filesystem::exists(folder_.path("out/two.native")));
  EXPECT_TRUE(std::filesystem::exists(folder_.path("out/two.script")));
  EXPECT_EQ(run(start({"--setup", "script"})).status, 0);
  ASSERT_THAT(names(report()), ElementsAre("two"));
  EXPECT_EQ(report().at("scenarios").at(0).at("setup"), "script");
}

TEST_F(Parallel, WhatHadNotBegunAtAnInterruptIsMissing) {
  write("a-slow", kQuick + kSlow);
  write("b-never", kQuick);
  Running running(start({"--parallel", "1", "--timeout", "60s"}));
  ASSERT_NE(running.line_with("a-slow: network built"), "");
  ::kill(running.pid(), SIGTERM);
  EXPECT_EQ(running.wait().status, 130);
  EXPECT_THAT(names(report()), ElementsAre("a-slow"));
}

TEST_F(Parallel, AnInterruptBeforeTheNetworkStandsIsOneToo) {
  write("a-slow", kSlow);
  write("b-slow", kSlow);
  Running running(start({"--parallel", "2", "--timeout", "60s"}));
  ASSERT_GT(sandbox_of(running, "b-slow"), 1);
  ::kill(running.pid(), SIGTERM);
  const Ran ran = running.wait();
  EXPECT_EQ(ran.status, 130) << ran.out << ran.err;
  EXPECT_TRUE(report().at("interrupted").as_bool());
}

TEST_F(Parallel, KillingItLeavesNobody) {
  for (const char* name : {"a", "b", "c", "d"}) write(name, kSlow);
  Running running(start({"--parallel", "4", "--timeout", "60s"}));
  std::set<pid_t> sandboxes;
  for (const char* name : {"a", "b", "c", "d"}) sandboxes.insert(sandbox_of(running, name));
  EXPECT_EQ(sandboxes.size(), 4U);
  ::kill(running.pid(), SIGKILL);
  EXPECT_EQ(running.wait().status, 128 + SIGKILL);  // returns once none of them holds the pipe any more
}

TEST_F(Parallel, RepetitionsAreToldOneAfterTheOther) {
  write("a", kQuick);
  write("b", "  - reach: {from: box, to: host}\n");
  const Ran ran = run(start({"--repeat", "3", "--trace", "all"}));
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  const json::value told = report();
  EXPECT_EQ(told.at("repetitions"), 3);
  EXPECT_EQ(told.at("differing").as_array().size(), 0U);
  EXPECT_THAT(names(told), ElementsAre("a", "b", "a", "b", "a", "b"));
  EXPECT_EQ(told.at("scenarios").at(2).at("repetition"), 2);
  EXPECT_EQ(told.at("summary").at("passed"), 15);
  EXPECT_THAT(ran.out, HasSubstr("(setup native, repetition 3)"));
  EXPECT_THAT(ran.out, HasSubstr("\n3 repetitions: no verdict differed\n15 checks: 15 passed"));
  for (const char* folder : {"out/a.native#1", "out/a.native#2", "out/a.native#3", "out/b.native#3"}) {
    EXPECT_TRUE(std::filesystem::exists(folder_.path(folder))) << folder;
  }
  const int valid = validate(folder_, folder_.write("schema.json", plumbline({"schema", "report"}).out),
                             folder_.path("report.json"));
  if (valid == 77 && !in_ci()) GTEST_SKIP() << "python3-jsonschema is not installed";
  EXPECT_EQ(valid, 0);
}

/// A run in which no network namespace may be made.
void forbid_network_namespaces() {
  if (::unshare(CLONE_NEWUSER) != 0) ::_exit(126);
  std::ofstream limit("/proc/sys/user/max_net_namespaces");
  if (!(limit << 0 << std::flush)) ::_exit(125);
}

TEST_F(Parallel, AMachineThatRefusesSandboxesIsToldOnceAndWritesNoReport) {
  for (const char* name : {"a", "b", "c"}) write(name, kQuick);
  Start forbidden = start({});
  forbidden.environment.clear();
  forbidden.prepare = forbid_network_namespaces;
  const Ran ran = run(forbidden);
  if (ran.status >= 125) GTEST_SKIP() << "this machine does not allow that to be set up";
  EXPECT_EQ(ran.status, 3) << ran.out << ran.err;
  EXPECT_EQ(ran.out, "");
  const std::size_t remedy = ran.err.find("remedy: ");
  EXPECT_NE(remedy, std::string::npos) << ran.err;
  EXPECT_EQ(ran.err.find("remedy: ", remedy + 1), std::string::npos) << ran.err;
  EXPECT_FALSE(std::filesystem::exists(folder_.path("report.json")));
}

TEST_F(Parallel, TerminalsSeeProgressThoughScenariosEndInAnyOrder) {
  for (const char* name : {"a", "b", "c"}) write(name, kQuick);
  Start terminal = start({"--parallel", "3"});
  terminal.environment = {{"LC_ALL", "C.UTF-8"}, {"TERM", "xterm"}};
  const Ran ran = run_on_terminal(terminal, 100);
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("\r\x1b[K0/12  00:00  a (native), b (native), c (native)"));
  EXPECT_THAT(ran.out, HasSubstr("\r\x1b[K\x1b[1ma\x1b[0m  "));
}

}  // namespace
}  // namespace plumbline::cli::testing
