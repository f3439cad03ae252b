// plumbline-gtest as a user starts it: it makes its namespaces itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>

#include "harness/cli/testing/program.hpp"

namespace plumbline::cli::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kDiy = PLUMBLINE_SOURCE_DIR "/scenarios/diy.yaml";
const std::string kOne = "diy.native/reach host -> internet ping";

/// Names of the tests that GoogleTest says it ran, as often as it says so.
std::multiset<std::string> ran_tests(const std::string& output) {
  std::multiset<std::string> names;
  const std::string mark = "[ RUN      ] ";
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(mark)) names.insert(line.substr(mark.size()));
  }
  return names;
}

std::multiset<std::string> all_names() {
  std::multiset<std::string> names;
  std::istringstream lines(plumbline({"--list-checks", kDiy}).out);
  for (std::string line; std::getline(lines, line);) names.insert(line.substr(0, line.find('\t')));
  return names;
}

class ProgramInNamespaces : public ::testing::Test {
 protected:
  void SetUp() override {
    const Ran ran = plumbline({"--check", kOne, kDiy});
    if (ran.status == 0) return;
    if (ran.status == 77 && !in_ci()) GTEST_SKIP() << ran.err;
    FAIL() << ran.out << ran.err;
  }

  /// The scenario that ships, with one text of it exchanged.
  std::string edited(const std::string& from, const std::string& to) const {
    std::string text = text_of(kDiy);
    const auto at = text.find(from);
    if (at == std::string::npos) throw std::runtime_error("nothing to edit: " + from);
    return folder_.write("diy.yaml", text.replace(at, from.size(), to));
  }

  Folder folder_;
};

TEST_F(ProgramInNamespaces, RunsEveryCheckOnce) {
  const Ran ran = plumbline({kDiy});
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  EXPECT_EQ(ran_tests(ran.out), all_names());
}

TEST_F(ProgramInNamespaces, ShardsShareTheChecksOut) {
  std::multiset<std::string> together;
  for (int shard = 0; shard < 3; ++shard) {
    const Ran ran =
        run({.arguments = {kDiy},
             .environment = {{"GTEST_TOTAL_SHARDS", "3"}, {"GTEST_SHARD_INDEX", std::to_string(shard)}}});
    EXPECT_EQ(ran.status, 0) << ran.out;
    const auto names = ran_tests(ran.out);
    EXPECT_GT(names.size(), all_names().size() / 4);
    together.insert(names.begin(), names.end());
  }
  EXPECT_EQ(together, all_names()) << "all, and none twice";
}

TEST_F(ProgramInNamespaces, AFilterSelects) {
  const Ran ran = plumbline({kDiy, "--gtest_filter=diy.native/resolve *:-*tcp*"});
  EXPECT_EQ(ran.status, 0) << ran.out;
  const auto names = ran_tests(ran.out);
  EXPECT_FALSE(names.empty());
  for (const std::string& name : names)
    EXPECT_THAT(name, AllOf(HasSubstr("/resolve "), Not(HasSubstr("tcp"))));
}

TEST_F(ProgramInNamespaces, RepeatsFromABuiltNetworkOn) {
  const Ran ran = plumbline({kDiy, "--gtest_repeat=2", "--gtest_shuffle"});
  EXPECT_EQ(ran.status, 0) << ran.out;
  auto twice = all_names();
  for (const std::string& name : all_names()) twice.insert(name);
  EXPECT_EQ(ran_tests(ran.out), twice);
}

TEST_F(ProgramInNamespaces, ANamedCheckRunsAloneWhateverFilterAndShardSay) {
  const Ran ran = run(
      {.arguments = {"--check", kOne, kDiy},
       .environment = {{"GTEST_TOTAL_SHARDS", "3"}, {"GTEST_SHARD_INDEX", "2"}, {"GTEST_FILTER", "none"}}});
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  EXPECT_EQ(ran_tests(ran.out), std::multiset<std::string>{kOne});
}

/// Without what changes from run to run: times, identifiers, white space that their width moves about, and
/// whether a bridge has learned already to whom a port leads.
std::string without_chance(std::string text) {
  // A hardware address is by chance, its letters too.
  static const std::regex mac("([0-9a-f]{2}:){5}[0-9a-f]{2}");
  text = std::regex_replace(text, mac, "MAC");
  for (const std::string word :
       {"-- addressed to another's MAC, as a port of a bridge sees it", "--", "<-"}) {
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word))
      text.erase(at, word.size());
  }
  std::erase_if(text, [](unsigned char c) { return std::isspace(c) != 0 || std::isdigit(c) != 0; });
  return text;
}

TEST_F(ProgramInNamespaces, AFailureIsToldAsOnTheConsoleAtThePromisesPlace) {
  const std::string spec = edited("masquerade: ens4", "masquerade: ens5");
  const std::string id = "egress container-one -> internet ping via ens4";
  const Ran ran = plumbline({"--check=diy.native/" + id, spec});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.out, AllOf(HasSubstr(spec + ":"),
                             HasSubstr(": Failure\nFailed\nFAIL  " + id + "\n      expected  ")));
  EXPECT_THAT(ran.out, AllOf(HasSubstr("\n      control   "), HasSubstr("\n      journey "),
                             HasSubstr("\n      where     ")));

  const Ran console =
      run({.arguments = {"run", spec, "-k", "diy/" + id, "--trace", "none"}, .program = PLUMBLINE_CLI});
  const auto detail = [](const std::string& text) {
    const auto begin = text.find("      expected  ");
    const auto where = text.find("      where     ", begin);
    return without_chance(text.substr(begin, text.find('\n', where) - begin));
  };
  EXPECT_EQ(detail(ran.out), detail(console.out));
}

TEST_F(ProgramInNamespaces, InconclusiveIsAFailureAndSaysSo) {
  const std::string spec =
      edited("checks:\n", "checks:\n  - deny: {from: container-one, to: 192.168.16.99, with: ping}\n");
  const Ran ran = plumbline({"--check", "diy.native/deny container-one -> 192.168.16.99 ping", spec});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.out, HasSubstr("INCONCLUSIVE  deny container-one -> 192.168.16.99 ping\n"));
}

TEST_F(ProgramInNamespaces, AScenarioThatCannotBeBuiltFailsEachOfItsTests) {
  const std::string spec =
      edited("    masquerade: ens4\n", "    masquerade: ens4\n    nft: table inet mine { flurb }\n");
  const Ran ran = plumbline({spec, "--gtest_filter=*.native/resolve host*"});
  EXPECT_EQ(ran.status, 1);
  const std::size_t tests = ran_tests(ran.out).size();
  std::size_t told = 0;
  for (auto at = ran.out.find("syntax error"); at != std::string::npos;
       at = ran.out.find("syntax error", at + 1))
    ++told;
  EXPECT_GT(tests, 1U);
  EXPECT_EQ(told, tests) << ran.out;
}

TEST_F(ProgramInNamespaces, ReportsAreWrittenOutside) {
  const std::string report = folder_.path("report.xml");
  EXPECT_EQ(plumbline({"--check", kOne, kDiy, "--gtest_output=xml:" + report}).status, 0);
  EXPECT_THAT(text_of(report),
              AllOf(HasSubstr("name=\"native/reach host -&gt; internet ping\""),
                    HasSubstr("file=\"" + kDiy + "\""), HasSubstr("name=\"verdict\" value=\"pass\"")));
}

TEST_F(ProgramInNamespaces, KeepsTheTracesOfWhatDidNotPass) {
  const std::string spec = edited("masquerade: ens4", "masquerade: ens5");
  const Ran ran = plumbline({"--check=diy.native/egress container-one -> internet ping via ens4", spec,
                             "--out", folder_.path("out")});
  EXPECT_THAT(ran.out, HasSubstr("      trace     " + folder_.path("out")));
  EXPECT_FALSE(std::filesystem::is_empty(folder_.path("out")));
}

TEST_F(ProgramInNamespaces, ResultsAreKeptForTheTestsOfTheSameParent) {
  const std::string spec = edited("masquerade: ens4", "masquerade: ens5");
  const std::string results = folder_.path("results");
  const Ran network = plumbline({"--keep", results, "--setup", "native", spec});
  EXPECT_EQ(network.status, 0) << "what did not pass is for each test to tell";
  const std::string failing = "diy.native/egress container-one -> internet ping via ens4";
  // Without namespaces it can only be what was kept.
  const Ran told = run({.arguments = {"--check", failing, "--kept", results, spec}, .descriptors = 10});
  EXPECT_EQ(told.status, 1) << told.err;
  EXPECT_THAT(told.out,
              AllOf(HasSubstr("FAIL  egress container-one -> internet ping via ens4\n      expected  "),
                    HasSubstr("\n      journey ")));
  EXPECT_EQ(run({.arguments = {"--check", kOne, "--kept", results, spec}, .descriptors = 10}).status, 0);
  const Ran again = plumbline({"--check", kOne, "--kept", results, spec});
  EXPECT_EQ(again.status, 0) << "it runs the check itself";
}

/// As root of a user namespace that may make no more of them, without any capability.
TEST_F(ProgramInNamespaces, WhereNamespacesAreRefusedItSaysSoAndIsSkipped) {
  const auto refused = [](const std::string& environment, const std::string& arguments) {
    const std::string command =
        "unshare --user --map-root-user sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv "
        "--bounding-set=-all --inh-caps=-all " +
        environment + " " PLUMBLINE_PROGRAM " " + arguments + "' 2>&1";
    Ran ran;
    FILE* pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error("popen");
    char buffer[4096];
    for (std::size_t got = 0; (got = ::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
      ran.out.append(buffer, got);
    ran.status = WEXITSTATUS(::pclose(pipe));
    return ran;
  };
  const Ran ran = refused("env -u CI", kDiy);
  EXPECT_EQ(ran.status, 77) << ran.out;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("no sandbox here"), HasSubstr("remedy: ")));
  EXPECT_EQ(refused("env CI=true", kDiy).status, 1) << "a CI job that skips proves nothing";
  EXPECT_EQ(refused("env -u CI", "--list-checks " + kDiy).status, 0);
  EXPECT_EQ(refused("env -u CI", "/nowhere.yaml").status, 2) << "what is wrong is said first";
}

}  // namespace
}  // namespace plumbline::cli::testing
