// plumbline-gtest as a user starts it, where it needs no namespaces.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "harness/cli/testing/program.hpp"

namespace plumbline::cli::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

const std::string kDiy = PLUMBLINE_SOURCE_DIR "/scenarios/diy.yaml";

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST(Program, ListsNamePlaceAndSetup) {
  const Ran ran = plumbline({"--list-checks", kDiy});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("diy.native/deny container-one -> 10.1.2.3 tcp/80\t" + kDiy + ":"));
  std::istringstream lines(ran.out);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_EQ(std::count(line.begin(), line.end(), '\t'), 3) << line;
    EXPECT_THAT(line, StartsWith("diy.")) << line;
  }
}

TEST(Program, GoogleTestListsTheSame) {
  const Ran ran = plumbline({"--gtest_list_tests", kDiy});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out,
              AllOf(StartsWith("diy.\n"), HasSubstr("\n  native/deny container-one -> 10.1.2.3 tcp/80\n")));
  EXPECT_EQ(lines_of(ran.out), 1 + lines_of(plumbline({"--list-checks", kDiy}).out));
}

TEST(Program, TakesSpecsFromTheEnvironment) {
  const Ran ran = run({.arguments = {"--list-checks"}, .environment = {{"PLUMBLINE_SPECS", kDiy}}});
  EXPECT_EQ(ran.out, plumbline({"--list-checks", kDiy}).out);
  EXPECT_THAT(plumbline({"--list-checks"}).out, HasSubstr("diy.native/")) << "all that ship";
}

TEST(Program, AWrongSpecIsSaidWithItsPlaceAndTheOthersAreListed) {
  const Folder folder;
  folder.write("wrong.yaml", "version: 1\nnmae: x\n");
  std::filesystem::copy(kDiy, folder.path("right.yaml"));
  const Ran ran = plumbline({"--list-checks", folder.path()});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr(folder.path("wrong.yaml") + ":2:1: unknown key 'nmae'"));
  EXPECT_THAT(ran.out, HasSubstr("diy.native/"));
  const Ran whole = plumbline({folder.path()});
  EXPECT_EQ(whole.status, 2);
  EXPECT_THAT(whole.out, IsEmpty()) << "nothing is run where one is wrong";
  EXPECT_THAT(whole.err, HasSubstr("1 spec cannot be run; nothing was built"));
}

TEST(Program, TwoScenariosOfOneNameAreRefused) {
  const Folder folder;
  for (const char* name : {"a.yaml", "b.yaml"}) std::filesystem::copy(kDiy, folder.path(name));
  const Ran ran = plumbline({"--list-checks", folder.path()});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("b.yaml: a scenario named 'diy' is in"), HasSubstr("a.yaml already")));
}

TEST(Program, WhatIsNotKnownIsAUsageError) {
  EXPECT_EQ(plumbline({"--check", "diy.native/no such check", kDiy}).status, 2);
  EXPECT_EQ(plumbline({"--check"}).status, 2);
  EXPECT_EQ(plumbline({"--timeout", "soon", kDiy}).status, 2);
  EXPECT_THAT(plumbline({"--chekc", "x"}).err, HasSubstr("option '--chekc' is not known"));
  EXPECT_EQ(plumbline({"/nowhere.yaml"}).status, 2);
}

TEST(Program, HelpTellsItsOwnOptionsAndGoogleTests) {
  const Ran ran = plumbline({"--help"});
  EXPECT_EQ(ran.status, 0);
  EXPECT_THAT(ran.out,
              AllOf(HasSubstr("--list-checks"), HasSubstr("Exit status:"), HasSubstr("--gtest_filter")));
}

}  // namespace
}  // namespace plumbline::cli::testing
