#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_links.hpp"

namespace plumbline::proof {

CauseKind static_fdb_wrong_cause();

namespace {

class StaticFdbWrong : public ::testing::Test, protected testing::Plugged {
 protected:
  void entry(const std::string& whose, const std::string& port, bool fixed = true) {
    facts.forwarding_of["host:bridge0"] = {{*link(whose).mac, port, false, fixed}};
  }
  std::optional<Finding> recognise() { return static_fdb_wrong_cause().recognise(question, facts); }
};

TEST_F(StaticFdbWrong, IsProvenOfTheTargetsAddress) {
  ask_in_vain();
  entry("container-two:eth0", "veth1");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(
      finding->summary,
      "A fixed entry of host:bridge0 leads 02:00:00:00:97:02, the address of container-two:eth0, to veth1; "
      "it is plugged into veth2.");
  EXPECT_EQ(finding->fix,
            std::vector<std::string>{"bridge fdb del 02:00:00:00:97:02 dev veth1 master  # on host"});
}

TEST_F(StaticFdbWrong, IsProvenOfTheSendersAddressByWhichNoAnswerComesBack) {
  ask_in_vain();
  entry("container-one:eth0", "veth2");
  EXPECT_TRUE(recognise());
}

TEST_F(StaticFdbWrong, IsProvenOfWhatShowsAtAPortThatItIsNotFor) {
  question.promise = Case::Promise::silent;
  question.via = "veth1";
  entry("container-two:eth0", "veth1");
  EXPECT_TRUE(recognise());
}

TEST_F(StaticFdbWrong, IsNotClaimedOfTheRightPortNorOfWhatWasLearned) {
  ask_in_vain();
  entry("container-two:eth0", "veth2");
  EXPECT_FALSE(recognise());
  entry("container-two:eth0", "veth1", false);
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
