#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/json.hpp>
#include <fstream>
#include <sstream>

#include "harness/cli/testing/program.hpp"

namespace plumbline::cli::testing {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

const std::string kDiy = PLUMBLINE_SOURCE_DIR "/scenarios/diy.yaml";

/// Exit status 2, nothing on standard output, and an error that says `what`.
void expect_usage_error(const Ran& ran, const std::string& what) {
  EXPECT_EQ(ran.status, 2) << ran.err;
  EXPECT_THAT(ran.out, IsEmpty());
  EXPECT_THAT(ran.err, HasSubstr(what));
}

TEST(Cli, HelpHasExamplesAndExitStatuses) {
  const Ran ran = plumbline({"--help"});
  EXPECT_EQ(ran.status, 0);
  EXPECT_THAT(ran.err, IsEmpty());
  EXPECT_THAT(ran.out, AllOf(HasSubstr("plumbline run"), HasSubstr("doctor"), HasSubstr("Exit status:"),
                             HasSubstr("130"), HasSubstr("128+N")));
}

TEST(Cli, EverySubcommandHasHelp) {
  for (const char* command : {"run", "report", "list", "explain", "doctor", "schema", "selftest", "matrix"}) {
    const Ran ran = plumbline({command, "--help"});
    EXPECT_EQ(ran.status, 0) << command;
    EXPECT_THAT(ran.out, HasSubstr(std::string("plumbline ") + command)) << command;
  }
  EXPECT_THAT(plumbline({"run", "--help"}).out, HasSubstr("--report FORMAT[=FILE]"));
  for (const char* command : {"list", "explain", "schema", "doctor"}) {
    EXPECT_THAT(plumbline({command, "--help"}).out, Not(AnyOf(HasSubstr("plumbline run"), HasSubstr("130"))))
        << "what is another's";
  }
}

TEST(Cli, MatrixExplainsItsSignsAndRefusesWhatItCannotTry) {
  const Ran help = plumbline({"matrix", "--help"});
  EXPECT_THAT(help.out,
              AllOf(HasSubstr("  .  allowed"), HasSubstr("  X  denied"), HasSubstr("  ?  inconclusive"),
                    HasSubstr("  !  differs from the promise"), HasSubstr("by default the scenario diy")));
  expect_usage_error(plumbline({"matrix", kDiy, "--with", "tcp"}),
                     "--with tcp: expected ping, tcp/PORT or udp/PORT");
  expect_usage_error(plumbline({"matrix", kDiy, "--with", ","}), "--with names no service");
  expect_usage_error(plumbline({"matrix", kDiy, "--nodes", "host,contaner-one"}),
                     "there is no node 'contaner-one'; did you mean 'container-one'?");
  expect_usage_error(plumbline({"matrix", kDiy, "--nodes", "host,lan"}), "'lan' is a segment's bridge");
  expect_usage_error(plumbline({"matrix", kDiy, "--nodes", "host,host"}), "a matrix needs two at least");
  expect_usage_error(plumbline({"matrix", kDiy, "--setup", "docker"}),
                     "--setup docker: no scenario has this setup");
  expect_usage_error(plumbline({"matrix", "nowhere.yaml"}), "nowhere.yaml");
  expect_usage_error(plumbline({"matrix", kDiy, "-q", "-v"}), "excludes");
}

TEST(Cli, ExplainsEveryCauseThatItLists) {
  const Ran listed = plumbline({"list", "causes", "--json"});
  ASSERT_EQ(listed.status, 0) << listed.err;
  const auto causes = boost::json::parse(listed.out).at("causes").as_array();
  EXPECT_FALSE(causes.empty());
  for (const auto& cause : causes) {
    const std::string code(cause.at("code").as_string());
    const Ran ran = plumbline({"explain", code});
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_THAT(ran.out,
                AllOf(StartsWith(code + ": "), HasSubstr("Recognised by\n"), HasSubstr("Mending\n")));
  }
}

TEST(Cli, UnknownCauseNamesTheNearest) {
  expect_usage_error(plumbline({"explain", "forwarding-disbled"}),
                     "there is no cause 'forwarding-disbled'; did you mean 'forwarding-disabled'?");
  expect_usage_error(plumbline({"explain", "FORWARDING-disabled"}), "; did you mean 'forwarding-disabled'?");
  expect_usage_error(plumbline({"explain", "forwarding-dis"}), "; did you mean 'forwarding-disabled'?");
  expect_usage_error(plumbline({"explain"}), "which cause?");
}

TEST(Cli, TheDocumentedCausesAreThoseOfTheProgram) {
  std::ostringstream page;
  page << std::ifstream(PLUMBLINE_SOURCE_DIR "/docs/causes.md").rdbuf();
  EXPECT_EQ(plumbline({"explain", "--markdown"}).out, page.str())
      << "docs/causes.md is made by: plumbline explain --markdown > docs/causes.md";
}

TEST(Cli, VersionIsTheProjects) {
  const Ran ran = plumbline({"--version"});
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.out, "plumbline " PLUMBLINE_VERSION "\n");
}

TEST(Cli, DiscoverRefusesTargetsThatNobodyHas) {
  for (const char* target : {"224.0.0.1", "239.1.1.1:80", "0.0.0.0", "0.1.2.3", "127.0.0.1", "127.8.8.8:53",
                             "255.255.255.255", "::", "::1", "ff02::1", "[fe80::1]:80"}) {
    expect_usage_error(plumbline({"discover", "--internet", target}),
                       std::string("--internet ") + target + ": no host can be reached by that address");
  }
  for (const char* name : {"bad name", "a..b", ""}) {
    expect_usage_error(plumbline({"discover", "--name", name}),
                       std::string("--name '") + name + "': that is not a host name");
  }
}

TEST(Cli, AnEngineThatIsAskedForByNameMustBeThere) {
  for (const char* option : {"--docker", "--podman"}) {
    const Ran ran = plumbline({"discover", option, "/nowhere/engine.sock"});
    expect_usage_error(
        ran, std::string(option) + ": container engine at /nowhere/engine.sock: there is no such socket");
    EXPECT_THAT(ran.err, HasSubstr("remedy: "));
  }
}

TEST(Cli, AnEngineThatIsSilentIsThisMachines) {
  const Folder folder;
  const std::string path = folder.path("sock");
  boost::asio::io_context loop;
  // It is connected to, and nobody ever takes it.
  const boost::asio::local::stream_protocol::acceptor silent(loop, path);
  const Ran ran = plumbline({"discover", "--podman=", "--docker", path});
  EXPECT_EQ(ran.status, 3) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("no answer within"));
}

TEST(Cli, AnEmptyValueTakesNoFurtherWord) {
  expect_usage_error(plumbline({"discover", "--docker=", "--podman=", "--internet", "0.0.0.0"}),
                     "--internet 0.0.0.0: ");
  expect_usage_error(plumbline({"run", "--out=", kDiy}), "--out: expected a folder");
}

TEST(Cli, UnknownCommandNamesTheNearest) {
  expect_usage_error(plumbline({"dcotor"}), "plumbline: 'dcotor' is no command; did you mean 'doctor'?");
  expect_usage_error(plumbline({"frobnicate"}), "'frobnicate' is no command\n  remedy: ");
  expect_usage_error(plumbline({}), "which command?");
}

TEST(Cli, UnknownOptionNamesTheNearest) {
  expect_usage_error(plumbline({"run", "--repotr", "json"}),
                     "option '--repotr' is not known; did you mean '--report'?");
  expect_usage_error(plumbline({"run", "--bogus"}), "option '--bogus' is not known\n");
  expect_usage_error(plumbline({"run", "-k", "a", "-k", "b"}), "-k: given 2 times, and can be given once");
  expect_usage_error(plumbline({"--frobnicate"}), "plumbline");
  expect_usage_error(plumbline({"run", "-j", "0"}), "--jobs");
  expect_usage_error(plumbline({"run", "-j", "many"}), "many");
  expect_usage_error(plumbline({"run", "-v", "-q"}), "--quiet");
  expect_usage_error(plumbline({"run", "--color", "sometimes"}),
                     "--color: 'sometimes' is not known (there are: auto, always, never)");
}

TEST(Cli, HostileArgumentsDoNotSteerTheTerminal) {
  const Ran ran = plumbline({"\x1b[2Jrun"});
  expect_usage_error(ran, "\\x1b[2Jrun");
  EXPECT_THAT(ran.err, Not(HasSubstr("\x1b")));
}

TEST(CliRun, UnknownReportFormatListsThoseThatExist) {
  expect_usage_error(plumbline({"run", "--report", "jsno"}), "no format 'jsno'; did you mean 'json'?");
  expect_usage_error(plumbline({"run", "--report", "pdf=x"}),
                     "the formats are console, github, html, json, ");
  expect_usage_error(plumbline({"run", "--report", "json="}), "no file after '='");
  expect_usage_error(plumbline({"run", "--report", "json", "--report", "console"}),
                     "two reports to standard output");
}

TEST(CliRun, TimeoutsAreTimes) {
  for (const char* wrong : {"", "fast", "-1", "0", "1h", "2s3", "nan", "inf", "1e99", "601s"}) {
    expect_usage_error(plumbline({"run", "--timeout", wrong, kDiy}), "--timeout");
  }
}

TEST(CliRun, MissingSpecIsSaidWithItsPlace) {
  const Folder folder;
  const std::string path = folder.path("nowhere.yaml");
  const Ran ran = plumbline({"run", path});
  expect_usage_error(ran, path + ":1:1: ");
  EXPECT_THAT(ran.err, StartsWith(path));
  EXPECT_TRUE(folder.empty());
}

TEST(CliRun, AScenariosNameLeadsToItsFile) {
  expect_usage_error(run({.arguments = {"run", "diy"}, .folder = PLUMBLINE_SOURCE_DIR}),
                     "plumbline: diy: there is no such file; did you mean scenarios/diy.yaml?");
}

TEST(CliRun, StandardInputIsASpecToo) {
  const Folder folder;
  const std::string spec = folder.write("wrong.yaml", "version: 1\nname: wrong\nchecsk: []\n");
  Start start{.arguments = {"run", "-"}};
  start.prepare = [spec] { ::dup2(::open(spec.c_str(), O_RDONLY), STDIN_FILENO); };
  expect_usage_error(run(start), "/dev/stdin:3:1: ");
}

TEST(CliRun, AllWrongSpecsAreSaidAndNothingIsBuilt) {
  const Folder folder;
  const std::string first = folder.write("first.yaml", "version: 1\nname: first\nchecsk: []\n");
  const std::string second = folder.write("second.yaml", "");
  const Ran ran = run({.arguments = {"run", first, kDiy, second, "--out", folder.path("out")}});
  expect_usage_error(ran, first + ":3:1: ");
  EXPECT_THAT(ran.err, HasSubstr(second + ":1:1: "));
  EXPECT_THAT(ran.err, HasSubstr("2 of 3 specs cannot be run; nothing was built"));
  EXPECT_FALSE(std::filesystem::exists(folder.path("out")));
}

TEST(CliRun, SpecsThatAreNoFilesAreRefused) {
  const Folder folder;
  expect_usage_error(plumbline({"run", folder.path()}), "no *.yaml in this folder");
  expect_usage_error(plumbline({"run", "/dev/null"}), "/dev/null:1:1: ");
}

TEST(CliRun, APatternThatSelectsNothingNamesTheNearest) {
  const Ran ran = plumbline({"run", kDiy, "-k", "contianer-one"});
  expect_usage_error(ran, "-k 'contianer-one' selects none of ");
  EXPECT_THAT(ran.err, AllOf(HasSubstr("the nearest are:"), HasSubstr("container-one")));
}

TEST(CliRun, AnUnknownSetupNamesThoseThatAreThere) {
  expect_usage_error(plumbline({"run", kDiy, "--setup", "docker"}), "the setups here are: native");
}

/// A scenario of two setups.
std::string two_setups(const std::string& name) {
  return "version: 1\nname: " + name +
         "\nworld: diy\nsetup:\n  native: {bridges: {b: {address: 192.168.99.1/24}}}\n  script: {shell: "
         "'true'}\n"
         "checks:\n  - reach: {from: host, to: internet}\n";
}

TEST(CliRun, ASetupIsSelectedByItsNameOrKind) {
  const Folder folder;
  const std::string spec = folder.write("two.yaml", two_setups("two"));
  expect_usage_error(plumbline({"run", spec, "--setup", "docker"}), "the setups here are: native, script");
}

TEST(CliRun, TwoScenariosOfOneNameAndSetupAreRefused) {
  const Folder folder;
  folder.write("one.yaml", two_setups("same"));
  folder.write("two.yaml", two_setups("same"));
  expect_usage_error(plumbline({"run", folder.path()}),
                     "two scenarios are named 'same' and have the setup native: ");
}

TEST(CliRun, PlacesThatCannotBeWrittenAreSaidBeforeAnythingIsBuilt) {
  const Folder folder;
  const std::string file = folder.write("file", "");
  expect_usage_error(plumbline({"run", kDiy, "--out", file + "/below"}), file);
  expect_usage_error(plumbline({"run", kDiy, "--out", "/proc/plumbline"}), "/proc/plumbline");
  expect_usage_error(
      plumbline({"run", kDiy, "--out", folder.path("out"), "--report", "json=/proc/no/such/f"}),
      "the json report: /proc/no: create a folder: No such file or directory");
  expect_usage_error(
      plumbline({"run", kDiy, "--out", folder.path("out"), "--report", "json=" + folder.path()}),
      "Is a directory");
  EXPECT_FALSE(std::filesystem::exists(folder.path("out")));
}

TEST(CliRun, WhatWouldBeLostWithTheSandboxesOwnRunIsRefused) {
  for (const char* out : {"/run", "/run/", "/run/plumbline-none", "/run/plumbline-none/a/b",
                          "/run/../run/none/a", "/run/netns/a", "/run/mount/a"}) {
    expect_usage_error(plumbline({"run", kDiy, "--trace", "all", "--out", out}),
                       "made in /run it would be lost");
  }
  expect_usage_error(run({.arguments = {"run", kDiy, "--trace", "all", "--out", "none/a"}, .folder = "/run"}),
                     "none/a: made in /run it would be lost");
}

TEST(CliList, NamesWhatShips) {
  const Ran ran = plumbline({"list"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("scenarios\n  diy  "), HasSubstr("\nchecks\n"),
                             HasSubstr("\n  deny\n"), HasSubstr("\nworlds\n"), HasSubstr("\n  diy  ")));
}

TEST(CliList, IsJsonOnDemand) {
  const Ran ran = plumbline({"list", "--json"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  const boost::json::value value = boost::json::parse(ran.out);
  EXPECT_EQ(value.at("scenarios").at(0).at("name"), "diy");
  EXPECT_EQ(value.at("scenarios").at(0).at("setups").at(0), "native");
  EXPECT_GE(value.at("scenarios").at(0).at("checks").as_array().size(), 25U);
  EXPECT_GE(value.at("checks").as_array().size(), 4U);
  std::vector<std::string> worlds;
  for (const auto& world : value.at("worlds").as_array()) worlds.emplace_back(world.at("name").as_string());
  EXPECT_THAT(worlds, ::testing::Contains("diy"));
}

TEST(CliList, ListsOneThingAndFilters) {
  const Ran worlds = plumbline({"list", "worlds"});
  EXPECT_THAT(worlds.out, AllOf(HasSubstr("worlds\n"), Not(HasSubstr("checks\n"))));
  const Ran kinds = plumbline({"list", "checks", "-k", "resolve"});
  EXPECT_THAT(kinds.out, AllOf(HasSubstr("  resolve\n"), Not(HasSubstr("  deny\n"))));
  EXPECT_THAT(plumbline({"list", "scenarios", "-v"}).out, HasSubstr("deny container-one"));
  expect_usage_error(plumbline({"list", "everything"}),
                     "plumbline: 'everything' is not known (there are: scenarios, checks, worlds, causes, "
                     "faults)\n  remedy: ");
  expect_usage_error(plumbline({"list", "wrolds"}), "'wrolds' is not known; did you mean 'worlds'?");
}

TEST(CliList, FaultsAreListedWithWhatTheyBreak) {
  const Ran ran = plumbline({"list", "faults", "-k", "container-link-down"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("faults\n  link/container-link-down  "), HasSubstr("(setup native)"),
                             HasSubstr("container-one's cable is down")));
}

TEST(CliSelftest, WhatIsWrongIsSaidBeforeAnythingIsBuilt) {
  expect_usage_error(plumbline({"selftest", "-k", "no such fault"}),
                     "plumbline: -k 'no such fault' selects none of ");
  const Folder folder;
  const std::string file = folder.write("broken.yaml",
                                        "version: 1\nabout: x\nclass: link\nscenario: diy\n"
                                        "change: {set-link: {dev: veth1, up: false}}\n"
                                        "expect: {checks: \"nobody\", cause: link-down}\n");
  expect_usage_error(plumbline({"selftest", file}), file + ":6:9: 'nobody' is about no check of ");
  expect_usage_error(plumbline({"selftest", folder.path("none.yaml")}), folder.path("none.yaml"));
}

TEST(CliList, PathsAreShortBelowTheWorkingFolder) {
  const Ran ran = run({.arguments = {"list", "scenarios"}, .folder = PLUMBLINE_SOURCE_DIR});
  EXPECT_THAT(ran.out, HasSubstr("  diy  scenarios/diy.yaml  ("));
}

TEST(CliData, PlumblineDataNamesTheFolder) {
  const Folder folder;
  expect_usage_error(run({.arguments = {"list"}, .environment = {{"PLUMBLINE_DATA", folder.path()}}}),
                     "PLUMBLINE_DATA");
  std::filesystem::create_directories(folder.path("scenarios"));
  std::filesystem::create_directories(folder.path("fixtures/worlds"));
  const Ran ran =
      run({.arguments = {"list", "scenarios"}, .environment = {{"PLUMBLINE_DATA", folder.path()}}});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.out, "scenarios\n");
  expect_usage_error(run({.arguments = {"run"}, .environment = {{"PLUMBLINE_DATA", folder.path()}}}),
                     "no scenario");
}

TEST(CliSchema, AreValidJsonSchemas) {
  const Folder folder;
  for (const char* what : {"spec", "report"}) {
    const Ran ran = plumbline({"schema", what});
    ASSERT_EQ(ran.status, 0) << ran.err;
    EXPECT_EQ(boost::json::parse(ran.out).at("$schema"), "https://json-schema.org/draft/2020-12/schema");
    const int valid = validate(folder, folder.write("schema.json", ran.out), "");
    if (valid == 77 && !in_ci()) GTEST_SKIP() << "python3-jsonschema is not installed";
    EXPECT_EQ(valid, 0) << what;
  }
  EXPECT_EQ(plumbline({"schema"}).out, plumbline({"schema", "spec"}).out);
  expect_usage_error(plumbline({"schema", "foo"}),
                     "plumbline: 'foo' is not known (there are: spec, report)\n  remedy: ");
  expect_usage_error(plumbline({"schema", "reprot"}), "did you mean 'report'?");
}

TEST(CliOutput, AClosedPipeEndsQuietly) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ::close(ends[0]);
  const Ran ran = run({.arguments = {"schema", "report"}, .standard_output = ends[1]});
  ::close(ends[1]);
  EXPECT_EQ(ran.status, 0);
  EXPECT_THAT(ran.err, IsEmpty());
}

TEST(CliOutput, AFullDiskIsSaid) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  const Ran ran = run({.arguments = {"schema"}, .standard_output = full});
  ::close(full);
  EXPECT_EQ(ran.status, 5);
  EXPECT_THAT(ran.err, HasSubstr("standard output: write: No space left on device"));
}

TEST(CliLog, LevelComesFromTheEnvironment) {
  expect_usage_error(run({.arguments = {"schema"}, .environment = {{"PLUMBLINE_LOG", "loud"}}}),
                     "PLUMBLINE_LOG=loud");
  EXPECT_EQ(run({.arguments = {"schema"}, .environment = {{"PLUMBLINE_LOG", "off"}}}).status, 0);
}

}  // namespace
}  // namespace plumbline::cli::testing
