#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "harness/cli/testing/program.hpp"

namespace plumbline::cli::testing {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::string kDiy = PLUMBLINE_SOURCE_DIR "/scenarios/diy.yaml";

/// Without the console's line breaks, which depend on how long the paths are.
std::string unwrapped(const std::string& text) {
  std::string one;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n';
    if (!space || (!one.empty() && one.back() != ' ')) one.push_back(space ? ' ' : c);
  }
  return one;
}

/// The program makes its own namespaces here; where the machine refuses them there is nothing to test.
class CliInNamespaces : public ::testing::Test {
 protected:
  void SetUp() override {
    const Ran doctor = plumbline({"doctor"});
    if (doctor.status == 0) return;
    if (in_ci()) FAIL() << doctor.out << doctor.err;
    GTEST_SKIP() << doctor.out << doctor.err;
  }

  /// `plumbline run` on the scenario that ships with its setup native, its traces in a folder of the test's
  /// own.
  Ran run_diy(std::vector<std::string> more, std::map<std::string, std::string> environment = {}) const {
    std::vector<std::string> arguments{"run", kDiy, "--setup", "native", "--out", folder_.path("out")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run({.arguments = std::move(arguments), .environment = std::move(environment)});
  }

  Folder folder_;
};

TEST_F(CliInNamespaces, MatrixTellsWhoReachesWhom) {
  const std::vector<std::string> diy{
      "matrix", kDiy, "--setup", "native", "--nodes", "host,container-one,internal", "--with", "ping,tcp/80"};
  const Ran ran = run({.arguments = diy});
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("  ping, tcp/80 over IPv4 and IPv6\n"
                                 "                   host  container-one  internal\n"
                                 "    host           -     .              .\n"
                                 "    container-one  .     -              X\n"));
  std::vector<std::string> as_json = diy;
  as_json.insert(as_json.end(), {"--report", "json"});
  const Ran json = run({.arguments = as_json});
  EXPECT_EQ(json.status, 0);
  const auto scenario = boost::json::parse(json.out).at("scenarios").at(0);
  EXPECT_EQ(scenario.at("matrix").as_array().size(), 4U) << "two services over two families";
  for (const auto& check : scenario.at("checks").as_array())
    EXPECT_NE(check.at("type"), "attempt") << "nobody promised it";
}

/// Its runtimes are not in PATH, and its engines' sockets are none.
TEST_F(CliInNamespaces, DoctorSaysWhatOfTheEnginesIsMissing) {
  const Ran ran =
      run({.arguments = {"doctor"},
           .environment = {{"PATH", "/nowhere"}, {"DOCKER_HOST", "unix:///nowhere/docker.sock"}}});
  EXPECT_EQ(ran.status, 0) << "a run does without" << ran.err;
  const std::string said = unwrapped(ran.out);
  if (said.find("a container engine needs root") == std::string::npos) {
    EXPECT_THAT(said, HasSubstr("setup docker its scenarios are skipped: docker needs dockerd"));
    EXPECT_THAT(said, HasSubstr("remedy: apt-get install docker.io"));
    EXPECT_THAT(said, HasSubstr("remedy: apt-get install podman"));
  }
  EXPECT_THAT(said, HasSubstr("docker no engine at /nowhere/docker.sock"));
}

TEST_F(CliInNamespaces, AnEngineThatASpecNeedsIsMissedAtThePlaceOfTheNode) {
  const std::string spec = folder_.write("live.yaml",
                                         "version: 1\nname: live\nnodes:\n  web: {docker: web}\nchecks:\n"
                                         "  - reach: {from: host, to: web}\n");
  const Ran ran = plumbline({"validate", spec, "--docker", "/nowhere/engine.sock"});
  if (ran.err.find("lacks CAP_") != std::string::npos) GTEST_SKIP() << "only root may look into a host";
  EXPECT_NE(ran.status, 0);
  EXPECT_THAT(ran.err, HasSubstr("live.yaml:4:"));
  EXPECT_THAT(ran.err, HasSubstr("/nowhere/engine.sock: there is no such socket"));
}

TEST_F(CliInNamespaces, DoctorTellsEachThing) {
  const Ran ran = plumbline({"doctor", "--json"});
  ASSERT_EQ(ran.status, 0) << ran.out << ran.err;
  const boost::json::value value = boost::json::parse(ran.out);
  EXPECT_TRUE(value.at("can_run").as_bool());
  std::vector<std::string> names;
  for (const auto& finding : value.at("findings").as_array())
    names.emplace_back(finding.at("name").as_string());
  EXPECT_THAT(names,
              ::testing::IsSupersetOf(
                  {"kernel",       "privileges",   "namespaces", "netns",     "veth",         "bridge",
                   "ipv6",         "capture",      "nftables",   "nft trace", "legacy trace", "drop reasons",
                   "counters",     "br_netfilter", "nft",        "live host", "docker",       "podman",
                   "setup docker", "setup podman", "setup cni"}));
  EXPECT_THAT(plumbline({"doctor"}).out, HasSubstr("This machine can run plumbline."));
}

TEST_F(CliInNamespaces, DoctorNamesToolsThatAreAbsentAndTheRemedy) {
  const Ran ran = run({.arguments = {"doctor"}, .environment = {{"PATH", folder_.path()}}});
  EXPECT_EQ(ran.status, 0) << "a run needs no tool";
  EXPECT_THAT(ran.out, HasSubstr("absent   tshark"));
  EXPECT_THAT(ran.out, HasSubstr("remedy: apt-get install tshark"));
}

TEST_F(CliInNamespaces, DoctorSaysWhoStandsOutside) {
  const Ran ran = run({.arguments = {"doctor"}, .environment = {{"PLUMBLINE_OUTSIDE", "somebody else"}}});
  const std::string outside = ::geteuid() == 0 ? "root" : "uid " + std::to_string(::geteuid());
  EXPECT_THAT(ran.out, HasSubstr("ok       privileges    " + outside));
  EXPECT_THAT(ran.out, Not(HasSubstr("somebody")));
  if (::geteuid() == 0) return;
  EXPECT_THAT(ran.out, HasSubstr(", root inside a user namespace"));
}

TEST_F(CliInNamespaces, TooFewDescriptorsAreTheMachinesAndHaveARemedy) {
  for (const rlim_t descriptors : {12U, 20U, 30U}) {
    const Ran ran = run({.arguments = {"run", kDiy, "--trace", "none", "-q"}, .descriptors = descriptors});
    EXPECT_EQ(ran.status, 3) << descriptors << "\n" << ran.out << ran.err;
    EXPECT_THAT(ran.out + ran.err, HasSubstr("ulimit -n")) << descriptors;
  }
}

TEST_F(CliInNamespaces, AnErrorInTheUsersRulesetNamesTheSpecsLine) {
  const std::string spec = folder_.write(
      "t.yaml",
      "version: 1\nname: t\nworld: diy\nsetup:\n  native:\n    bridges: {b: {address: 192.168.99.1/24}}\n"
      "    nft: |\n      table inet mine {\n        flurb\n      }\nchecks:\n"
      "  - reach: {from: host, to: [internet, gateway], family: ipv4}\n");
  const Ran ran = plumbline({"run", spec, "-q", "--trace", "none"});
  EXPECT_EQ(ran.status, 2) << ran.out << ran.err;
  EXPECT_THAT(unwrapped(ran.out), HasSubstr("t.yaml:7 (nft of host):2:"));
  EXPECT_THAT(ran.out, HasSubstr("2 checks not run\n"));
  EXPECT_THAT(ran.out, Not(HasSubstr("reach host -> ")));
}

TEST_F(CliInNamespaces, TheSeedsNetworkPassesAndTheReportIsWhatItsSchemaSays) {
  const std::string file = folder_.path("report.json");
  const Ran ran = run_diy({"--report", "json=" + file});
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.err, IsEmpty());
  EXPECT_THAT(ran.out, HasSubstr(" 0 failed, 0 inconclusive, 0 skipped, 0 errors in "));
  const boost::json::value report = boost::json::parse(text_of(file));
  EXPECT_EQ(report.at("scenarios").at(0).at("file"), boost::json::string_view(kDiy))
      << "the path as it was given";
  EXPECT_GE(report.at("summary").at("passed").to_number<int>(), 25);
  const int valid =
      validate(folder_, folder_.write("schema.json", plumbline({"schema", "report"}).out), file);
  if (valid == 77 && !in_ci()) GTEST_SKIP() << "python3-jsonschema is not installed";
  EXPECT_EQ(valid, 0);
}

TEST_F(CliInNamespaces, JsonOnStandardOutputStandsThereAlone) {
  const Ran ran = run_diy({"--report", "json", "-k", "ping"});
  ASSERT_EQ(ran.status, 0) << ran.out << ran.err;
  const boost::json::value report = boost::json::parse(ran.out);
  for (const auto& check : report.at("scenarios").at(0).at("checks").as_array()) {
    EXPECT_THAT(std::string(check.at("id").as_string()), HasSubstr("ping"));
  }
}

TEST_F(CliInNamespaces, TracesAreKeptAsAskedFor) {
  EXPECT_EQ(run_diy({"-k", "ping"}).status, 0);
  EXPECT_FALSE(std::filesystem::exists(folder_.path("out"))) << "nothing failed, so there is nothing to keep";
  const Ran all = run_diy({"-k", "ping", "--trace", "all", "-v"});
  EXPECT_EQ(all.status, 0) << all.err;
  EXPECT_THAT(all.out, HasSubstr("trace     " + folder_.path("out")));
  std::size_t traces = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path("out"))) {
    if (entry.path().extension() == ".pcapng") ++traces;
  }
  EXPECT_GT(traces, 0U);
}

TEST_F(CliInNamespaces, AFolderThatCannotBeWrittenCostsOnlyTheTracesThatNobodyAskedFor) {
  const Ran without = run({.arguments = {"run", kDiy, "-k", "reach host"}, .folder = "/proc"});
  EXPECT_EQ(without.status, 0) << without.out << without.err;
  EXPECT_THAT(without.err, HasSubstr("no traces will be written"));
  const Ran asked =
      run({.arguments = {"run", kDiy, "-k", "reach host", "--out", "traces"}, .folder = "/proc"});
  EXPECT_EQ(asked.status, 2) << asked.out << asked.err;
}

TEST_F(CliInNamespaces, ColourIsForTerminalsUnlessAskedFor) {
  EXPECT_THAT(run_diy({"-k", "ping"}).out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(run_diy({"-k", "ping", "--color", "always"}).out, HasSubstr("\x1b[32m"));
  EXPECT_THAT(run_diy({"-k", "ping", "--color", "always"}, {{"NO_COLOR", "1"}}).out, HasSubstr("\x1b[32m"));
}

TEST_F(CliInNamespaces, ATerminalShowsColoursGlyphsAndProgress) {
  const Start start{.arguments = {"run", kDiy, "--out", folder_.path("out"), "-k", "ping"},
                    .environment = {{"LC_ALL", "C.UTF-8"}, {"TERM", "xterm"}}};
  const Ran ran = run_on_terminal(start, 100);
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("\x1b[32m✓\x1b[0m"));
  EXPECT_THAT(ran.out, HasSubstr("\r\x1b[K0/"));

  Start plain = start;
  plain.environment["NO_COLOR"] = "1";
  plain.environment["LC_ALL"] = "C";
  EXPECT_THAT(run_on_terminal(plain, 100).out,
              ::testing::AllOf(HasSubstr("  PASS  "), Not(HasSubstr("\x1b[32m"))));
  plain.environment["TERM"] = "dumb";
  EXPECT_THAT(run_on_terminal(plain, 100).out, Not(HasSubstr("\x1b")));
}

TEST_F(CliInNamespaces, QuietSaysOnlyTheTotalsWhenAllPassed) {
  const Ran ran = run_diy({"-q", "-k", "ping"});
  EXPECT_THAT(ran.out, ::testing::MatchesRegex(
                           "[0-9]+ checks: [^\n]*\\(1 scenario\\); [0-9]+ checks left out by -k\n"));
}

TEST_F(CliInNamespaces, AClosedPipeDoesNotChangeTheVerdict) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ::close(ends[0]);
  const Ran ran = run(
      {.arguments = {"run", kDiy, "--out", folder_.path("out"), "-k", "ping"}, .standard_output = ends[1]});
  ::close(ends[1]);
  EXPECT_EQ(ran.status, 0);
  EXPECT_THAT(ran.err, IsEmpty());
}

TEST_F(CliInNamespaces, AReportThatCannotBeWrittenToItsEndIsAnError) {
  const std::string other = folder_.path("other.xml");
  const Ran ran = run_diy({"-k", "ping", "--report", "json=/dev/full", "--report", "junit=" + other});
  EXPECT_EQ(ran.status, 5);
  EXPECT_THAT(ran.err, HasSubstr("the json report is not whole: /dev/full: write: No space left on device"));
  EXPECT_THAT(ran.err, ContainsRegex("the verdicts: [1-9][0-9]* passed, 0 failed"));
  EXPECT_THAT(text_of(other), HasSubstr("</testsuites>"));
}

TEST_F(CliInNamespaces, AFileThatMayNotGrowHidesNoVerdict) {
  Start small{.arguments = {"run", kDiy, "--out", folder_.path("out"), "-k", "ping", "--report",
                            "json=" + folder_.path("report.json")}};
  small.prepare = [] {
    const rlimit limit{10'000, 10'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  };
  const Ran ran = run(small);
  EXPECT_EQ(ran.status, 5);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("the json report is not whole"), HasSubstr("File too large"),
                             ContainsRegex("the verdicts: [1-9][0-9]* passed, 0 failed")));
  EXPECT_FALSE(std::filesystem::exists(folder_.path("report.json")));
}

TEST_F(CliInNamespaces, AReportThatCannotBeWrittenHidesNoFailure) {
  const std::string spec =
      folder_.write("broken.yaml",
                    "version: 1\nname: broken\nworld: diy\n"
                    "setup: {native: {bridges: {b: {address: 192.168.99.1/24, containers: {c: "
                    "192.168.99.11}}}}}\nchecks:\n  - deny: {from: host, to: c, with: ping}\n");
  const Ran ran = run({.arguments = {"run", spec, "--trace", "none", "--report", "html=/dev/full"}});
  EXPECT_EQ(ran.status, 1) << ran.out;
  EXPECT_THAT(ran.err, HasSubstr("the html report is not whole: /dev/full: write: No space left on device"));
  EXPECT_THAT(ran.err, HasSubstr("0 passed, 1 failed"));
  EXPECT_THAT(ran.out, HasSubstr("FAIL  deny host -> c ping"));
}

}  // namespace
}  // namespace plumbline::cli::testing
