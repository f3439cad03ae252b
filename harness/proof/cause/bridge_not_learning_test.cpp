#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_links.hpp"

namespace plumbline::proof {

CauseKind bridge_not_learning_cause();

namespace {

class BridgeNotLearning : public ::testing::Test, protected testing::Plugged {
 protected:
  BridgeNotLearning() {
    question.promise = Case::Promise::learned;
    question.via = "bridge0";
    question.outcome.status = traffic::ProbeOutcome::Status::replied;
    link("host:bridge0").bridge.emplace();
  }
  std::optional<Finding> recognise() { return bridge_not_learning_cause().recognise(question, facts); }
};

TEST_F(BridgeNotLearning, IsProvenOfAPortThatDoesNotLearn) {
  link("host:veth2").port->learning = false;
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->fix, std::vector<std::string>{"bridge link set dev veth2 learning on  # on host"});
}

TEST_F(BridgeNotLearning, IsProvenOfABridgeThatForgetsAtOnce) {
  link("host:bridge0").bridge->ageing = 0;
  EXPECT_EQ(recognise()->fix,
            std::vector<std::string>{"ip link set bridge0 type bridge ageing_time 30000  # on host"});
}

TEST_F(BridgeNotLearning, IsProvenOfAFrameAtAnothersPort) {
  question.promise = Case::Promise::silent;
  question.via = "veth1";
  link("host:veth2").port->learning = false;
  EXPECT_TRUE(recognise());
}

TEST_F(BridgeNotLearning, IsNotClaimedWhereTheTableKnowsHim) {
  link("host:veth2").port->learning = false;
  facts.forwarding_of["host:bridge0"] = {{*link("container-two:eth0").mac, "veth2", false, true}};
  EXPECT_FALSE(recognise());
}

TEST_F(BridgeNotLearning, IsNotClaimedWhereItLearns) {
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
