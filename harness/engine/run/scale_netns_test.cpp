// A hundred containers at once: the taps must keep up, or no denial could be proven.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/engine/run/testing/scenario.hpp"

namespace plumbline::engine {
namespace {

TEST(Scale, AHundredContainersLeaveNoVerdictOpen) {
  std::string containers;
  std::string names;
  for (int i = 1; i <= 100; ++i) {
    containers += fmt::format("{}c{}: 192.168.99.{}", i == 1 ? "" : ", ", i, i + 10);
    names += fmt::format("{}c{}", i == 1 ? "" : ", ", i);
  }
  testing::Scenario scenario;
  scenario.edit(
      "\n          container-one: [192.168.99.11, \"fd00:99::11\"]"
      "\n          container-two: [192.168.99.12, \"fd00:99::12\"]",
      " {" + containers + "}");
  scenario.checks(fmt::format(
      "  - deny: {{from: [{}], to: 10.1.2.3, with: [ping, tcp/80, udp/53], how: reject}}", names));
  const auto results = scenario.run({.timeout = std::chrono::milliseconds(5000)});
  EXPECT_EQ(results.size(), 300U);
  for (const auto& [id, check] : results) {
    EXPECT_EQ(check.verdict, Verdict::pass) << id << "\n  observed: " << check.observed;
  }
}

}  // namespace
}  // namespace plumbline::engine
