// On a network that is as it should be, but with taps that cut every frame before its transport header:
// nothing can be recognised, so nothing may pass, and what works may not be called broken.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>

#include "checks/kinds.hpp"
#include "harness/engine/run/testing/scenario.hpp"
#include "harness/network/discovery/discover.hpp"

namespace plumbline::checks {
namespace {

using engine::Verdict;
using engine::testing::Scenario;

boost::asio::awaitable<void> run_all(const std::vector<std::unique_ptr<engine::Check>>& checks,
                                     engine::Stage& stage, std::vector<engine::CheckResult>& results) {
  for (const auto& check : checks) {
    const engine::Outcome outcome = co_await check->run(stage);
    engine::CheckResult result = check->promise;
    result.verdict = outcome.judgement.verdict;
    result.observed = outcome.judgement.observed;
    results.push_back(result);
  }
}

std::vector<engine::CheckResult> run_blind(const spec::Spec& spec) {
  network::LiveNetwork network;
  network.build(spec.world);
  network.build(spec.addition);
  const auto checks = engine::parse_checks(spec, check_kinds());
  std::vector<engine::Need> needs;
  for (const auto& check : checks) {
    for (const engine::Need& need : check->needs()) needs.push_back(need);
  }
  engine::StageOptions options;
  options.tap_snap_length = 40;  // the SLL2 header and an IPv4 header
  boost::asio::io_context loop(1);
  engine::Stage stage(loop.get_executor(), network, network::discover(network, spec.intended()), needs,
                      options);
  std::vector<engine::CheckResult> results;
  std::exception_ptr problem;
  boost::asio::co_spawn(loop, run_all(checks, stage, results), [&](const std::exception_ptr& thrown) {
    problem = thrown;
    loop.stop();
  });
  loop.run();
  if (problem) std::rethrow_exception(problem);
  return results;
}

TEST(Blind, NoKindOfCheckPassesOrFailsWithoutItsProof) {
  Scenario scenario;
  scenario.checks(R"(  - reach: {from: container-one, to: container-two, with: [ping, tcp/8080, udp/5353]}
  - deny: {from: container-one, to: 10.1.2.3, with: [ping, tcp/80, udp/53], how: reject}
  - egress: {from: container-one, to: internet, via: ens4, with: [ping, tcp/80, udp/7]}
  - resolve: {from: container-one, name: www.example.test, expect: 203.0.113.80})");
  const auto results = run_blind(scenario.load());
  ASSERT_EQ(results.size(), 11U);
  for (const engine::CheckResult& result : results) {
    EXPECT_EQ(result.verdict, Verdict::inconclusive) << result.id << "\n  observed: " << result.observed;
  }
}

}  // namespace
}  // namespace plumbline::checks
