#include "harness/proof/diagnosis/denial.hpp"

#include <gtest/gtest.h>

#include "harness/proof/diagnosis/testing.hpp"

namespace plumbline::proof {
namespace {

/// container-one is not to come through the host to 10.1.2.3; something keeps it back.
class Denial : public ::testing::Test {
 protected:
  Denial() {
    network::Node& host = facts.add("host", network::Role::host);
    network::Interface& bridge = host.interfaces.emplace_back();
    bridge.name = "bridge0";
    bridge.kind = network::LinkKind::bridge;
    question.promise = Case::Promise::deny;
    question.guard = "host";
    question.to = testing::ip("10.1.2.3");
    question.protocol = traffic::Protocol::tcp;
    question.port = 80;
    facts.routes["host 192.168.99.11"].dev = "bridge0";
    facts.routes["host 10.1.2.3"].dev = "ens4";
    facts.routes["host 192.168.99.11"].error = facts.routes["host 10.1.2.3"].error = 0;
    Chain& forward = facts.chains_of["host"].emplace_back();
    forward.family = "inet";
    forward.table = "filter";
    forward.name = "forward";
    forward.type = "filter";
    forward.hook = Hook::forward;
    forward.policy = "accept";
  }
  Finding shut(const std::string& node, bool rule) {
    Finding finding;
    finding.fix = {"open it"};
    finding.opens = {node, rule};
    keep_shut(question, facts, finding);
    return finding;
  }
  void deny_by_rule() {
    facts.chains_of["host"].front().rules.push_back(
        {5, "iifname \"bridge0\" oifname \"ens4\" ip daddr 10.0.0.0/8 drop", "", {}});
  }

  Case question = testing::unanswered();
  testing::FakeFacts facts;
};

TEST_F(Denial, OpensNothingThatKeepsTheProbeBackAtTheGuard) {
  const Finding finding = shut("host", false);
  EXPECT_TRUE(finding.fix.empty());
  EXPECT_EQ(
      finding.evidence.back(),
      "nothing is to be opened for a probe that host is to stop: no rule of it is known to stop this one "
      "otherwise");
}

TEST_F(Denial, MendsWhatTheGuardsRulesStopAnyhow) {
  deny_by_rule();
  EXPECT_FALSE(shut("host", false).fix.empty());
  EXPECT_FALSE(shut("container-one", false).fix.empty());
  // Nothing says so of what the bridge passes on.
  facts.routes["host 10.1.2.3"].dev = "bridge0";
  EXPECT_TRUE(shut("host", false).fix.empty());
}

/// What is published on the guard is led on, and its INPUT never hears of it.
TEST_F(Denial, OpensNothingOnTheWordOfAChainThatAPublishedPortDoesNotMeet) {
  question.to_node = "host";
  Chain input = facts.chains_of["host"].front();
  input.name = "input";
  input.hook = Hook::input;
  input.policy = "drop";
  Chain nat = input;
  nat.name = "prerouting";
  nat.hook = Hook::prerouting;
  nat.type = "nat";
  nat.policy = "accept";
  nat.rules.push_back({5, "iifname \"bridge0\" tcp dport 8080 dnat ip to 192.168.99.12:80", "", {}});
  facts.chains_of["host"] = {input, nat};
  EXPECT_FALSE(shut("container-one", false).fix.empty()) << "another port is published";
  question.port = 8080;
  EXPECT_TRUE(shut("container-one", false).fix.empty());
  EXPECT_TRUE(shut("host", false).fix.empty());
}

TEST_F(Denial, AcceptsTheProbeInNobodysFirewall) {
  deny_by_rule();
  EXPECT_TRUE(shut("host", true).fix.empty());
  const Finding finding = shut("container-one", true);
  EXPECT_TRUE(finding.fix.empty());
  EXPECT_EQ(
      finding.evidence.back(),
      "so the denied probe does not pass container-one, whatever host would do: where that is as it should "
      "be, say `guard: container-one`");
}

TEST_F(Denial, AsksForAnotherControlWhereTheGuardStopsThisOne) {
  question.promise = Case::Promise::reach;
  question.from = "host";
  const Finding finding = shut("host", false);
  EXPECT_TRUE(finding.fix.empty());
  EXPECT_EQ(finding.evidence.back(),
            "host is to deny this target, and stops the control host as well: rather than open it, name with "
            "`control:` a node that it does not stop");
  EXPECT_FALSE(shut("internet", true).fix.empty());
}

TEST_F(Denial, LeavesOtherPromisesAndOtherFindingsAlone) {
  Finding finding;
  finding.fix = {"ip link set eth0 up"};
  keep_shut(question, facts, finding);
  EXPECT_FALSE(finding.fix.empty());
  question.promise = Case::Promise::reach;
  question.guard.clear();
  EXPECT_FALSE(shut("host", true).fix.empty());
}

}  // namespace
}  // namespace plumbline::proof
