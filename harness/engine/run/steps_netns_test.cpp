// Scenarios that change their network between checks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "harness/engine/run/runner.hpp"
#include "harness/engine/run/testing/scenario.hpp"

namespace plumbline::engine {
namespace {

using ::testing::HasSubstr;
using testing::Scenario;
using ::testing::StartsWith;

ScenarioResult run_one(const Scenario& scenario, RunOptions options = {}) {
  RunResult run = engine::run({scenario.load()}, options, {});
  EXPECT_EQ(run.scenarios.size(), 1U);
  return run.scenarios.empty() ? ScenarioResult() : std::move(run.scenarios.front());
}

void expect_all_pass(const ScenarioResult& scenario) {
  EXPECT_FALSE(scenario.error) << scenario.error->message;
  for (const CheckResult& each : scenario.checks) {
    EXPECT_EQ(each.verdict, Verdict::pass) << each.id << ": " << each.observed;
  }
}

TEST(Steps, EveryKindOfChangeIsMadeBetweenTheChecksAroundIt) {
  Scenario scenario;
  scenario.checks(R"(  - link: {dev: veth1, state: up}
  - reach: {from: container-one, to: internet, family: ipv4}
  - then: {set-link: {dev: veth1, up: false, mtu: 1400}}
  - link: {dev: veth1, state: down, mtu: 1400}
  - then: {set-link: {dev: veth1, up: true, master: none}}
  - link: {dev: veth1, state: up, master: none}
  - then: {set-link: {dev: veth1, master: bridge0}}
  - reach: {from: container-one, to: internet, family: ipv4}
  - then:
      - add-address: {in: container-one, dev: eth0, address: 192.168.99.44/24}
      - delete-address: {in: container-one, dev: eth0, address: 192.168.99.44/24}
      - add-address: {in: container-one, dev: eth0, address: 192.168.99.45/24}
  - reach: {from: host, to: 192.168.99.45}
  - then: {delete-route: {in: container-two, to: default, via: 192.168.99.1}}
  - route: {in: container-two, to: 203.0.113.80, expect: {error: network unreachable}}
  - then: {add-route: {in: container-two, to: 203.0.113.0/24, via: 192.168.99.1, dev: eth0}}
  - reach: {from: container-two, to: internet, family: ipv4}
  - then: {nft: {rules: "table inet more { chain f { type filter hook forward priority -10; ip daddr 203.0.113.80 drop; }; }"}}
  - deny: {from: container-two, to: internet, family: ipv4, how: drop}
  - then: {nft: {rules: "delete table inet more"}}
  - then: {sysctl: {set: {net.ipv4.ip_forward: 0}}}
  - deny: {from: container-two, to: internet, family: ipv4, how: drop}
  - run: {shell: "echo 1 >/proc/sys/net/ipv4/ip_forward"}
  - reach: {from: container-two, to: internet, family: ipv4}
  - then: {delete-link: {dev: veth1}}
  - link: {in: container-one, only: [lo]})");
  const ScenarioResult result = run_one(scenario, {.timeout = std::chrono::milliseconds(300)});
  expect_all_pass(result);
  EXPECT_EQ(result.changes.size(), 13U);
  for (const ChangeResult& change : result.changes) EXPECT_TRUE(change.made) << change.about;
  EXPECT_EQ(result.changes.front().about, "set-link host:veth1 down mtu 1400");
  EXPECT_EQ(result.changes.front().before, 2U);
  EXPECT_EQ(result.changes.back().before, result.checks.size() - 1);
}

TEST(Steps, ServersAreStoppedAndReplaced) {
  Scenario scenario;
  scenario.checks(R"(  - reach: {from: host, to: internet, with: tcp/80, family: ipv4, times: 3}
  - resolve: {from: container-one, name: www.example.test, expect: 203.0.113.80, family: ipv4}
  - then:
      - service: {in: internet, port: 80, does: reset}
      - service: {in: lan-resolver, port: 53, over: tcp, does: stop}
  - reach: {from: host, to: internet, with: tcp/80, family: ipv4, times: 3}
  - resolve: {from: container-one, name: www.example.test, expect: 203.0.113.80, family: ipv4}
  - then:
      - service: {in: internet, port: 80, does: http}
      - service: {in: lan-resolver, port: 53, does: dns, names: {www.example.test: 203.0.113.99}}
  - reach: {from: host, to: internet, with: tcp/80, family: ipv4, times: 3}
  - resolve: {from: container-one, name: www.example.test, expect: 203.0.113.99, family: ipv4})");
  const ScenarioResult result = run_one(scenario);
  ASSERT_FALSE(result.error) << result.error->message;
  ASSERT_EQ(result.checks.size(), 9U);
  for (const std::size_t passes : {0U, 1U, 2U, 4U, 6U, 7U, 8U}) {
    EXPECT_EQ(result.checks.at(passes).verdict, Verdict::pass)
        << result.checks.at(passes).id << ": " << result.checks.at(passes).observed;
  }
  const CheckResult& reset = result.checks.at(3);
  EXPECT_EQ(reset.verdict, Verdict::fail);
  EXPECT_THAT(reset.observed, StartsWith("probe 1 of 3: connected, but no answer: Connection reset by peer"));
  ASSERT_FALSE(reset.causes.empty());
  EXPECT_EQ(reset.causes.front().code, "connection-reset");
  const CheckResult& over_tcp = result.checks.at(5);
  EXPECT_EQ(over_tcp.verdict, Verdict::fail);
  ASSERT_FALSE(over_tcp.causes.empty());
  EXPECT_EQ(over_tcp.causes.front().code, "dns-udp-only");
}

TEST(Steps, ADelayedAnswerIsSeenAfterItsTimeOut) {
  Scenario scenario;
  scenario.checks(R"(  - then: {service: {in: container-one, port: 5353, over: udp, does: echo, delay: 500ms}}
  - reach: {from: host, to: container-one, with: udp/5353, family: ipv4})");
  const ScenarioResult result = run_one(scenario, {.timeout = std::chrono::milliseconds(300)});
  ASSERT_FALSE(result.error) << result.error->message;
  const CheckResult& late = result.checks.at(0);
  EXPECT_EQ(late.verdict, Verdict::fail);
  ASSERT_FALSE(late.causes.empty());
  EXPECT_EQ(late.causes.front().code, "answer-too-late");
}

TEST(Steps, OneLossInTenIsFoundByTenProbesInARow) {
  Scenario scenario;
  const std::string reach = "  - reach: {from: container-one, to: internet, family: ipv4, times: 10}\n";
  scenario.checks(reach + R"(  - then:
      nft:
        rules: |
          table inet lossy {
            chain forward {
              type filter hook forward priority 10; policy accept;
              iifname "bridge0" numgen inc mod 10 0 drop
            }
          }
)" + reach);
  const ScenarioResult result = run_one(scenario, {.timeout = std::chrono::milliseconds(300)});
  ASSERT_FALSE(result.error) << result.error->message;
  EXPECT_EQ(result.checks.at(0).verdict, Verdict::pass) << result.checks.at(0).observed;
  EXPECT_EQ(result.checks.at(1).verdict, Verdict::fail) << result.checks.at(1).observed;
  EXPECT_EQ(result.checks.at(1).causes.at(0).code, "forward-rule-drop");
}

TEST(Steps, ResolversThatChangeAreAskedFromThenOn) {
  Scenario scenario;
  const std::string resolve =
      "  - resolve: {from: container-one, name: www.example.test, family: ipv4, with: udp}\n";
  scenario.checks(resolve + "  - then: {resolvers: {in: container-one, are: 198.51.100.53}}\n" + resolve);
  const ScenarioResult result = run_one(scenario);
  expect_all_pass(result);
  EXPECT_THAT(result.checks.at(0).id, HasSubstr("at 192.168.16.53"));
  EXPECT_THAT(result.checks.at(1).id, HasSubstr("at 198.51.100.53"));
}

TEST(Steps, AFailingCheckStopsNothing) {
  Scenario scenario;
  scenario.checks(R"(  - link: {dev: veth1, mtu: 1400}
  - then: {set-link: {dev: veth1, mtu: 1400}}
  - link: {dev: veth1, mtu: 1400})");
  const ScenarioResult result = run_one(scenario);
  EXPECT_FALSE(result.error);
  EXPECT_EQ(result.checks.front().verdict, Verdict::fail);
  EXPECT_EQ(result.checks.back().verdict, Verdict::pass);
  EXPECT_THAT(result.checks.back().id, HasSubstr(" after set-link host:veth1 mtu 1400"));
}

TEST(Steps, AFailingChangeSkipsWhatFollowsAndSaysWhatTheKernelSaid) {
  Scenario scenario;
  scenario.checks(R"(  - link: {dev: veth1, state: up}
  - then: {add-address: {dev: bridge0, address: 192.168.99.1/24}}
  - link: {dev: veth2, state: up}
  - then: {delete-link: {dev: veth1}}
  - silent: {dev: ens4, filter: arp, control: "host:bridge0"})");
  const RunResult run = engine::run({scenario.load()}, {}, {});
  const ScenarioResult& result = run.scenarios.at(0);
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->kind, ErrorKind::setup);
  EXPECT_THAT(result.error->message, StartsWith("add-address host:bridge0 192.168.99.1/24: node host: "));
  EXPECT_THAT(result.error->message, HasSubstr("File exists"));
  EXPECT_THAT(result.error->where, HasSubstr("scenario.yaml:"));
  EXPECT_EQ(result.checks.at(0).verdict, Verdict::pass);
  EXPECT_EQ(result.checks.at(1).verdict, Verdict::skip);
  EXPECT_EQ(result.checks.at(2).verdict, Verdict::skip) << "judged last, but of a network that nobody meant";
  ASSERT_EQ(result.changes.size(), 1U) << "nothing is changed any more";
  EXPECT_FALSE(result.changes.front().made);
  EXPECT_EQ(run.exit_status(), 1);
}

TEST(Steps, AScriptThatMustFailFailsTheScenarioWhenItDoesNot) {
  Scenario well;
  well.checks(
      "  - run: {shell: ip link add veth1 type veth peer name x, fails: File exists}\n"
      "  - link: {dev: veth1, state: up}");
  expect_all_pass(run_one(well));
  for (const char* step :
       {"{shell: \"true\", fails: no}", "{shell: \"echo other; exit 3\", fails: File exists}",
        "{shell: \"exit 3\"}", "{shell: \"while :; do :; done\", timeout: 100ms}"}) {
    Scenario badly;
    badly.checks(std::string("  - run: ") + step + "\n  - link: {dev: veth1, state: up}");
    const ScenarioResult result = run_one(badly);
    ASSERT_TRUE(result.error) << step;
    EXPECT_EQ(result.error->kind, ErrorKind::setup) << result.error->message;
    EXPECT_EQ(result.checks.front().verdict, Verdict::skip);
  }
}

TEST(Steps, ANamespaceThatAStepNamesIsANodeFromThenOn) {
  Scenario scenario;
  scenario.checks(R"(  - reach: {from: container-one, to: 192.168.99.77, with: ping, family: ipv4}
  - run:
      shell: |
        ip netns add late
        ip link add late0 master bridge0 type veth peer name eth0 netns late
        ip link set late0 up
        ip -n late link set lo up
        ip -n late link set eth0 up
        ip -n late addr add 192.168.99.77/24 dev eth0
  - reach: {from: container-one, to: 192.168.99.77, with: [ping, tcp/80], family: ipv4})");
  const ScenarioResult result = run_one(scenario, {.timeout = std::chrono::milliseconds(300)});
  ASSERT_FALSE(result.error) << result.error->message;
  EXPECT_EQ(result.checks.at(0).verdict, Verdict::fail);
  EXPECT_EQ(result.checks.at(1).verdict, Verdict::pass) << result.checks.at(1).observed;
  EXPECT_THAT(result.checks.at(1).observed, HasSubstr("arrived at late:eth0"));
  EXPECT_EQ(result.checks.at(2).verdict, Verdict::pass) << result.checks.at(2).observed;
}

TEST(Steps, ANodeThatIsMadeAnewUnderItsNameIsWatchedAnew) {
  const std::string there =
      R"(  - reach: {from: host, to: container-one, with: [ping, tcp/80, udp/9], family: ipv4}
  - hooks: {from: host, to: container-one, with: ping, in: container-one, expect: [prerouting, input], family: ipv4}
)";
  const std::string anew = R"(        ip netns add container-one
        ip link add veth1 master bridge0 type veth peer name eth0 netns container-one
        ip link set veth1 up
        ip -n container-one link set lo up
        ip -n container-one link set eth0 up
        ip -n container-one addr add 192.168.99.11/24 dev eth0
        ip neigh flush dev bridge0  # it has another MAC now
)";
  const std::string in_one_step =
      "  - run:\n      shell: |\n        ip link del veth1\n        ip netns del container-one\n" + anew;
  const std::string in_two_steps =
      "  - run: {shell: ip link del veth1; ip netns del container-one}\n  - run:\n      shell: |\n" + anew;
  for (const std::string& step : {in_one_step, in_two_steps}) {
    Scenario scenario;
    scenario.checks(there + step + there + in_one_step + there);
    const ScenarioResult result = run_one(scenario, {.timeout = std::chrono::milliseconds(300)});
    expect_all_pass(result);
    EXPECT_EQ(result.checks.size(), 12U);
  }
}

TEST(Steps, OfANodeThatIsMadeAnewNothingPassesForWantOfReports) {
  Scenario scenario;
  scenario.checks(R"(  - reach: {from: host, to: container-one, family: ipv4}
  - run:
      shell: |
        ip link del veth1
        ip netns del container-one
        ip netns add container-one
        ip link add veth1 master bridge0 type veth peer name eth0 netns container-one
        ip link set veth1 up
        ip -n container-one link set lo up
        ip -n container-one link set eth0 up
        ip -n container-one addr add 192.168.99.11/24 dev eth0
        ip neigh flush dev bridge0  # it has another MAC now
        ip netns exec container-one nft 'table ip t { chain i { type filter hook input priority 0; log prefix "X"; }; }'
  - hooks: {from: host, to: container-one, with: ping, in: container-one, expect: [], family: ipv4}
  - logged: {from: host, to: container-one, with: ping, in: container-one, prefix: X, never: true, family: ipv4})");
  const ScenarioResult result = run_one(scenario);
  ASSERT_FALSE(result.error) << result.error->message;
  ASSERT_EQ(result.checks.size(), 3U);
  EXPECT_EQ(result.checks.at(1).verdict, Verdict::fail) << result.checks.at(1).observed;
  EXPECT_EQ(result.checks.at(2).verdict, Verdict::fail) << result.checks.at(2).observed;
}

TEST(Steps, AScriptThatMissesSomethingSkipsWhatFollowsWithItsLastLine) {
  Scenario scenario;
  scenario.checks(R"(  - link: {dev: veth1, mtu: 1500}
  - run: {shell: "echo looking; echo no frobnicator here; exit 77"}
  - link: {dev: veth1, mtu: 1400}
  - then: {set-link: {dev: veth1, mtu: 1300}}
  - link: {dev: veth1, mtu: 1300})");
  const ScenarioResult result = run_one(scenario);
  EXPECT_FALSE(result.error) << result.error->message;
  ASSERT_EQ(result.checks.size(), 3U);
  EXPECT_EQ(result.checks.at(0).verdict, Verdict::pass);
  for (const std::size_t later : {1U, 2U}) {
    EXPECT_EQ(result.checks.at(later).verdict, Verdict::skip);
    EXPECT_EQ(result.checks.at(later).observed, "no frobnicator here");
  }
  ASSERT_EQ(result.changes.size(), 1U) << "what comes after it is not made";
  EXPECT_FALSE(result.changes.front().made);
}

TEST(Steps, OneCheckAloneIsJudgedAfterAllChangesBeforeIt) {
  Scenario scenario;
  scenario.checks(R"(  - link: {dev: veth1, mtu: 1500}
  - then: {set-link: {dev: veth1, mtu: 1400}}
  - link: {dev: veth1, mtu: 1400}
  - then: {set-link: {dev: veth1, mtu: 1300}}
  - link: {dev: veth1, mtu: 1300})");
  const ScenarioResult result = run_one(scenario, {.pattern = "mtu 1400"});
  ASSERT_EQ(result.checks.size(), 1U);
  expect_all_pass(result);
  EXPECT_EQ(result.changes.size(), 1U) << "what comes after it is made for nobody";
}

TEST(Steps, SilenceAloneIsJudgedWithTheTrafficOfAllOthers) {
  Scenario scenario;
  scenario.checks(R"(  - egress: {from: container-one, to: internet, via: ens4}
  - silent: {dev: ens4, filter: net 192.168.99.0/24, control: "host:bridge0"})");
  const ScenarioResult result = run_one(scenario, {.pattern = "silent"});
  ASSERT_EQ(result.checks.size(), 1U) << "only what was asked for is told";
  expect_all_pass(result);
}

}  // namespace
}  // namespace plumbline::engine
