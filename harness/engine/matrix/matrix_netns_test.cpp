// Matrices of the diy world: as it should be, with a firewall that was broken, and with ends that are dead.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "harness/engine/matrix/fold.hpp"
#include "harness/engine/matrix/plan.hpp"
#include "harness/engine/run/testing/scenario.hpp"

namespace plumbline::engine::matrix {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr const char* kChecks =
    "  - reach: {from: host, to: [container-one, internal], with: [ping, tcp/80]}\n"
    "  - deny: {from: container-one, to: internal, with: tcp/80, how: reject}\n"
    "  - deny: {from: container-one, to: 10.1.2.3, with: ping, how: reject}\n";

RunResult tried(const testing::Scenario& scenario, const Scope& scope) {
  RunOptions options;
  options.timeout = std::chrono::milliseconds(500);
  options.amend = [&scope](const spec::Spec& spec, Plan& plan) { complete(spec, scope, plan); };
  RunResult run = engine::run({scenario.load()}, options, {});
  EXPECT_THAT(run.scenarios, SizeIs(1));
  for (const ScenarioResult& each : run.scenarios) EXPECT_FALSE(each.error) << each.error->message;
  fold(run);
  return run;
}

/// Sign and reason.
std::pair<char, std::string> cell(const RunResult& run, const std::string& with, const std::string& from,
                                  const std::string& to, const std::string& family = "ipv4") {
  for (const Matrix& matrix : run.scenarios.at(0).matrix) {
    const auto row = std::ranges::find(matrix.from, from) - matrix.from.begin();
    const auto column = std::ranges::find(matrix.to, to) - matrix.to.begin();
    const bool holds = row < std::ssize(matrix.from) && column < std::ssize(matrix.to);
    if (matrix.with != with || matrix.family != family || !holds) continue;
    const std::pair<std::size_t, std::size_t> place(row, column);
    for (const MatrixReason& reason : matrix.reasons) {
      if (std::ranges::find(reason.cells, place) != reason.cells.end())
        return {matrix.cells[place.first][place.second], reason.text};
    }
    return {matrix.cells[place.first][place.second], ""};
  }
  ADD_FAILURE() << "no cell " << from << " -> " << to << " " << with;
  return {' ', ""};
}

char sign(const RunResult& run, const std::string& with, const std::string& from, const std::string& to,
          const std::string& family = "ipv4") {
  return cell(run, with, from, to, family).first;
}

TEST(MatrixInNamespaces, TellsOfEveryPairOfAHealthyNetwork) {
  testing::Scenario scenario;
  scenario.checks(kChecks);
  const RunResult run = tried(scenario, {});
  EXPECT_EQ(run.exit_status(), 0);
  EXPECT_THAT(run.scenarios.front().checks, SizeIs(11))
      << "the promises alone: five over IPv4 and IPv6, one to an address";
  EXPECT_EQ(sign(run, "tcp/80", "host", "container-one", "ipv6"), '.') << "promised";
  EXPECT_EQ(sign(run, "tcp/80", "container-one", "internal"), 'X') << "promised";
  EXPECT_EQ(sign(run, "ping", "container-one", "internal"), 'X') << "promised by its address";
  EXPECT_EQ(sign(run, "ping", "container-two", "container-one"), '.') << "tried";
  EXPECT_EQ(sign(run, "ping", "container-one", "internet"), '.') << "tried";
  const auto [denied, by] = cell(run, "tcp/80", "container-two", "metadata");
  EXPECT_EQ(denied, 'X');
  EXPECT_THAT(by, HasSubstr("host forward: inet filter forward handle"));
  const auto [homeless, why] = cell(run, "tcp/80", "internet", "container-one");
  EXPECT_EQ(homeless, 'X');
  EXPECT_THAT(why, HasSubstr("internet: connect: Network is unreachable"));
  const auto [astray, where] = cell(run, "ping", "lan-peer", "container-one");
  EXPECT_EQ(astray, 'X');
  EXPECT_THAT(where, HasSubstr("192.168.99.11 leads to internal, which answered"));
}

TEST(MatrixInNamespaces, ABrokenFirewallDiffersFromThePromiseBothWays) {
  testing::Scenario scenario;
  scenario.edit("deny: [10.0.0.0/8,", "deny: [11.0.0.0/8,");
  scenario.checks(std::string(kChecks) + "  - reach: {from: container-one, to: lan-peer}\n");
  const RunResult run = tried(scenario, {});
  EXPECT_EQ(run.exit_status(), 1);
  EXPECT_EQ(sign(run, "tcp/80", "container-one", "internal"), '!') << "promised denied, and it leaks";
  EXPECT_EQ(sign(run, "tcp/80", "container-two", "internal"), '.') << "the same without a promise";
  const auto [broken, why] = cell(run, "ping", "container-one", "lan-peer");
  EXPECT_EQ(broken, '!') << "promised allowed, and denied";
  EXPECT_THAT(why, HasSubstr("ICMP port unreachable from 192.168.99.1"));
  EXPECT_EQ(sign(run, "ping", "container-two", "lan-peer"), 'X') << "the same without a promise";
}

TEST(MatrixInNamespaces, WhatIsIsolatedAtOneAddressIsNotDeniedAtAnother) {
  testing::Scenario scenario;
  scenario.checks(
      "  - isolated: {from: container-one, to: metadata, with: [ping, tcp/80]}\n"
      "  - isolated: {from: host, to: container-one, at: 192.168.99.11, with: [ping, tcp/7]}\n");
  const RunResult run = tried(scenario, {.nodes = {"host", "container-one", "metadata"}});
  EXPECT_EQ(run.exit_status(), 1) << "the second is not kept";
  EXPECT_EQ(sign(run, "tcp/80", "container-one", "metadata"), 'X');
  EXPECT_EQ(sign(run, "ping", "host", "container-one"), '!');
  EXPECT_EQ(sign(run, "tcp/7", "host", "container-one"), '!') << "each by itself";
  EXPECT_EQ(sign(run, "ping", "host", "container-one", "ipv6"), '.') << "not what was promised";
}

TEST(MatrixInNamespaces, ADeadEndProvesNothing) {
  testing::Scenario scenario;
  scenario.edit_world("  lan-peer:\n",
                      "  lan-peer:\n    plant: false\n    sysctls: {net.ipv4.icmp_echo_ignore_all: 1}\n");
  scenario.checks("  - deny: {from: container-one, to: lan-peer, with: tcp/80, how: reject}\n");
  const RunResult run = tried(scenario, {.nodes = {"host", "lan-peer", "container-one"}});
  EXPECT_EQ(run.exit_status(), 4) << "its control got no answer either";
  EXPECT_EQ(sign(run, "tcp/80", "container-one", "lan-peer"), '?') << "promised";
  EXPECT_EQ(sign(run, "ping", "host", "lan-peer"), '?') << "it takes the probe in silence";
  EXPECT_EQ(sign(run, "tcp/80", "host", "lan-peer"), '?') << "nobody listens, which is no denial";
  EXPECT_EQ(sign(run, "ping", "host", "lan-peer", "ipv6"), '.');
  EXPECT_EQ(sign(run, "ping", "container-one", "lan-peer"), 'X') << "it does not even get there";
}

/// More pairs than kernels keep neighbours (gc_thresh3).
TEST(MatrixInNamespaces, ManyNodesDoNotRunOutOfNeighbours) {
  std::string containers;
  for (int i = 1; i <= 35; ++i)
    containers += fmt::format("{}c{}: 192.168.99.{}", i == 1 ? "" : ", ", i, i + 10);
  testing::Scenario scenario;
  scenario.edit(
      "\n          container-one: [192.168.99.11, \"fd00:99::11\"]"
      "\n          container-two: [192.168.99.12, \"fd00:99::12\"]",
      " {" + containers + "}");
  scenario.checks("  - reach: {from: host, to: c1}\n");
  const RunResult run = tried(scenario, {.services = {Service{}, Service{traffic::Protocol::tcp, 80}}});
  EXPECT_EQ(run.exit_status(), 0);
  std::size_t unproven = 0;
  for (const Matrix& matrix : run.scenarios.front().matrix) {
    for (const std::string& row : matrix.cells)
      unproven += static_cast<std::size_t>(std::ranges::count(row, '?'));
  }
  EXPECT_EQ(unproven, 0U);
}

}  // namespace
}  // namespace plumbline::engine::matrix
