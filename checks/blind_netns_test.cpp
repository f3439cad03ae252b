// On a network that is as it should be, but with taps that cut every frame before its transport header:
// nothing can be recognised, so nothing may pass, and what works may not be called broken.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "checks/testing_arranged.hpp"

namespace plumbline::checks {
namespace {

using engine::Verdict;
using engine::testing::Scenario;

std::vector<engine::CheckResult> run_blind(const spec::Spec& spec) {
  engine::StageOptions options;
  options.tap_snap_length = 40;  // the SLL2 header and an IPv4 header
  return testing_support::Arranged(spec).judge(options);
}

TEST(Blind, NoKindOfCheckPassesOrFailsWithoutItsProof) {
  Scenario scenario;
  scenario.checks(R"(  - reach: {from: container-one, to: container-two, with: [ping, tcp/8080, udp/5353]}
  - deny: {from: container-one, to: 10.1.2.3, with: [ping, tcp/80, udp/53], how: reject}
  - egress: {from: container-one, to: internet, via: ens4, hops: 1, with: [ping, tcp/80, udp/7]}
  - resolve: {from: container-one, name: www.example.test, expect: 203.0.113.80}
  - isolated: {from: container-one, to: container-two, with: ping}
  - learned: {from: container-one, to: container-two, bridge: bridge0})");
  const auto results = run_blind(scenario.load());
  std::set<std::string> types;
  for (const engine::CheckResult& result : results) types.insert(result.type);
  EXPECT_EQ(types.size(), 6U);
  for (const engine::CheckResult& result : results) {
    EXPECT_EQ(result.verdict, Verdict::inconclusive) << result.id << "\n  observed: " << result.observed;
  }
}

}  // namespace
}  // namespace plumbline::checks
