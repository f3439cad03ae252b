#include "harness/engine/matrix/plan.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "harness/base/error.hpp"
#include "harness/engine/report/matrix.hpp"
#include "harness/engine/run/runner.hpp"
#include "harness/engine/run/testing/scenario.hpp"

namespace plumbline::engine::matrix {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kChecks =
    "  - reach: {from: host, to: container-one, with: tcp/80}\n"
    "  - deny: {from: container-one, to: internal, with: udp/53, family: ipv4}\n"
    "  - route: {in: host, to: 203.0.113.80, expect: {dev: ens4}}\n"
    "  - then: {delete-link: {dev: veth1}}\n"
    "  - reach: {from: host, to: container-two, with: tcp/9999}\n";

std::set<std::string> planned(const Scope& scope, const std::string& checks = kChecks) {
  testing::Scenario scenario;
  scenario.checks(checks);
  RunOptions options;
  options.amend = [&scope](const spec::Spec& spec, Plan& plan) { complete(spec, scope, plan); };
  std::set<std::string> ids;
  for (const auto& [name, id] : list_checks({scenario.load()}, options)) ids.insert(id);
  return ids;
}

TEST(MatrixPlan, KeepsPromisesAndTriesEveryOtherPair) {
  const auto ids = planned({});
  EXPECT_THAT(ids, Contains("reach host -> container-one tcp/80"));
  EXPECT_THAT(ids, Contains("reach host -> container-one tcp/80 ipv6"));
  EXPECT_THAT(ids, Not(Contains("attempt host -> container-one tcp/80"))) << "it is promised";
  EXPECT_THAT(ids, Contains("attempt host -> container-one ping")) << "always";
  EXPECT_THAT(ids, Contains("attempt container-one -> host tcp/80 ipv6"));
  EXPECT_THAT(ids, Contains("attempt container-one -> internal udp/53 ipv6"));
  EXPECT_THAT(ids, Not(Contains("attempt container-one -> internal udp/53")));
  EXPECT_THAT(ids, Not(Contains("attempt host -> host ping")));
  // 12 nodes with both families, by three services
  EXPECT_EQ(ids.size(), 12U * 11U * 2U * 3U);
}

TEST(MatrixPlan, IsOfTheNetworkBeforeAnyChange) {
  for (const std::string& id : planned({})) {
    EXPECT_THAT(id, AllOf(Not(HasSubstr("tcp/9999")), Not(HasSubstr("route"))));
  }
}

TEST(MatrixPlan, IsNarrowedToNodesAndServices) {
  EXPECT_EQ(planned({.nodes = {"host", "container-one"}, .services = {Service{}}}),
            (std::set<std::string>{"attempt host -> container-one ping", "attempt container-one -> host ping",
                                   "attempt host -> container-one ping ipv6",
                                   "attempt container-one -> host ping ipv6"}));
}

TEST(MatrixPlan, PromisesToAddressesStayWithTheirNode) {
  const std::string checks = "  - deny: {from: container-one, to: 172.16.5.5}\n";
  EXPECT_THAT(planned({.nodes = {"container-one", "internal"}}, checks),
              Contains("deny container-one -> 172.16.5.5 ping"));
  EXPECT_THAT(planned({.nodes = {"container-one", "host"}}, checks),
              Not(Contains("deny container-one -> 172.16.5.5 ping")));
}

TEST(MatrixPlan, WhatIsIsolatedIsTriedOneByOneToo) {
  const std::string checks =
      "  - isolated: {from: host, to: container-one, at: 192.168.99.11, with: [ping, tcp/7]}\n";
  const Scope two{.nodes = {"host", "container-one"}};
  EXPECT_EQ(
      planned(two, checks),
      (std::set<std::string>{
          "isolated host -> container-one at 192.168.99.11 ping, tcp/7", "attempt host -> container-one ping",
          "attempt container-one -> host ping", "attempt host -> container-one ping ipv6",
          "attempt container-one -> host ping ipv6", "attempt host -> container-one tcp/7"}))
      << "what it sends it sends one way, to one address";
}

TEST(MatrixPlan, WhatIsIsolatedSendsTheServicesAskedForAlone) {
  const std::string checks = "  - isolated: {from: host, to: [container-one, container-two]}\n";
  const auto ids = planned({.nodes = {"host", "container-one"}, .services = {Service{}}}, checks);
  EXPECT_THAT(ids, Contains("isolated host -> container-one ping"));
  EXPECT_EQ(ids.size(), 5U);
}

TEST(MatrixPlan, TooManyProbesAreCountedAndRefused) {
  try {
    planned({.most = 700});
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(),
                HasSubstr("diy: its matrix is 795 probes, of 12 nodes and 3 services; the most are 700"));
    EXPECT_THAT(error.remedy(), AllOf(HasSubstr("--nodes"), HasSubstr("--with")));
  }
}

}  // namespace
}  // namespace plumbline::engine::matrix
