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

TEST(Scale, TwoThousandProbesAtOnceAreEachTracedToTheirRule) {
  std::string ports;
  for (int port = 2000; port < 2200; ++port)
    ports += fmt::format("{}udp/{}", ports.empty() ? "" : ", ", port);
  testing::Scenario scenario;
  scenario.edit("how: reject", "how: drop");
  scenario.checks(
      fmt::format("  - deny: {{from: [container-one, container-two], with: [{}], to: [10.1.2.3, "
                  "172.16.5.5, 192.168.44.4, 100.64.0.7, \"fd00:1::3\"]}}",
                  ports));
  const auto results = scenario.run({.jobs = 2000, .timeout = std::chrono::milliseconds(100'000)});
  EXPECT_EQ(results.size(), 2000U);
  std::size_t untraced = 0;
  for (const auto& [id, check] : results) {
    EXPECT_EQ(check.verdict, Verdict::pass) << id << "\n  observed: " << check.observed;
    if (!check.observed.starts_with("dropped by rule of host's inet filter forward")) ++untraced;
  }
  EXPECT_EQ(untraced, 0U) << "reports were lost, or came to nobody";
}

}  // namespace
}  // namespace plumbline::engine
