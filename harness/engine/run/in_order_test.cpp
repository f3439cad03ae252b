#include "harness/engine/run/in_order.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <utility>

#include "harness/base/error.hpp"

namespace plumbline::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Writes down what it is told.
class Diary : public Reporter {
 public:
  void scenario_started(const ScenarioResult& scenario, std::size_t checks) override {
    lines.push_back(fmt::format("{} starts with {}", scenario.name, checks));
  }
  void check_finished(const ScenarioResult& scenario, const CheckResult& check) override {
    lines.push_back(fmt::format("{}: {} {}", scenario.name, check.id, to_text(check.verdict)));
  }
  void scenario_finished(const ScenarioResult& scenario) override {
    lines.push_back(
        fmt::format("{} ends{}", scenario.name, scenario.error ? ": " + scenario.error->message : ""));
  }
  /// What is new.
  std::vector<std::string> take() { return std::exchange(lines, {}); }

  std::vector<std::string> lines;
};

ScenarioResult scenario(const std::string& name, Verdict verdict) {
  ScenarioResult result;
  result.name = name;
  for (const char* id : {"a", "b"}) {
    CheckResult& check = result.checks.emplace_back();
    check.id = id;
    check.verdict = verdict;
    check.observed = "not run";
  }
  return result;
}

class InOrderTest : public ::testing::Test {
 protected:
  void start(std::size_t number) {
    story_.started(number, scenario(std::array{"one", "two", "three"}.at(number), Verdict::skip));
  }
  Diary diary_;
  InOrder story_{3, {&diary_}};
};

TEST_F(InOrderTest, WhoseTurnItIsIsToldAtOnce) {
  start(0);
  EXPECT_THAT(diary_.take(), ElementsAre("one starts with 2"));
  story_.ended(0, CheckEnded{1, Verdict::fail, "", 0});
  EXPECT_THAT(diary_.take(), ElementsAre("one: b fail"));
  story_.ended(0, scenario("one", Verdict::pass));
  EXPECT_THAT(diary_.take(), ElementsAre("one ends"));
}

TEST_F(InOrderTest, WhatComesTooEarlyWaitsForItsTurn) {
  start(2);
  start(1);
  story_.ended(1, CheckEnded{0, Verdict::pass, "", 0});
  story_.ended(2, scenario("three", Verdict::pass));
  EXPECT_THAT(diary_.take(), IsEmpty());
  start(0);
  story_.ended(0, scenario("one", Verdict::pass));
  EXPECT_THAT(diary_.take(),
              ElementsAre("one starts with 2", "one ends", "two starts with 2", "two: a pass"));
  story_.ended(1, CheckEnded{1, Verdict::pass, "", 0});
  EXPECT_THAT(diary_.take(), ElementsAre("two: b pass"));
  story_.ended(1, scenario("two", Verdict::pass));
  EXPECT_THAT(diary_.take(), ElementsAre("two ends", "three starts with 2", "three ends"));
  EXPECT_EQ(story_.take().size(), 3U);
  EXPECT_THAT(diary_.take(), IsEmpty());
}

TEST_F(InOrderTest, WhatNeverStartedHoldsUpNothingInTheEnd) {
  start(1);
  story_.ended(1, scenario("two", Verdict::pass));
  start(2);
  story_.broke_off(2, "interrupted", std::nullopt);
  const auto results = story_.take();
  EXPECT_THAT(diary_.take(),
              ElementsAre("two starts with 2", "two ends", "three starts with 2", "three ends"));
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[0].name, "two");
  EXPECT_EQ(results[1].checks[0].observed, "interrupted");
}

TEST_F(InOrderTest, WhatWasKnownWhenItBrokeOffStays) {
  start(0);
  story_.ended(0, CheckEnded{1, Verdict::pass, "replied", 1.5});
  story_.broke_off(0, "could not be run", ScenarioError{"killed", "one.yaml", ""});
  EXPECT_THAT(diary_.take(), ElementsAre("one starts with 2", "one: b pass", "one ends: killed"));
  const ScenarioResult result = story_.take().front();
  EXPECT_EQ(result.checks[0].verdict, Verdict::skip);
  EXPECT_EQ(result.checks[0].observed, "could not be run");
  EXPECT_EQ(result.checks[1].verdict, Verdict::pass);
  EXPECT_EQ(result.checks[1].observed, "replied");
}

TEST_F(InOrderTest, WhatCannotBeIsRefused) {
  start(0);
  EXPECT_THROW(story_.ended(0, CheckEnded{2, Verdict::pass, "", 0}), Error);
  ScenarioResult other = scenario("one", Verdict::pass);
  other.checks.pop_back();
  EXPECT_THROW(story_.ended(0, std::move(other)), Error);
  story_.ended(0, scenario("one", Verdict::pass));
  EXPECT_THROW(story_.ended(0, CheckEnded{0, Verdict::pass, "", 0}), Error);
}

}  // namespace
}  // namespace plumbline::engine
