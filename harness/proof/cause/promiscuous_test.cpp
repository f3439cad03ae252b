#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_links.hpp"

namespace plumbline::proof {

CauseKind promiscuous_cause();

namespace {

class Promiscuous : public ::testing::Test, protected testing::Plugged {
 protected:
  Promiscuous() {
    question.promise = Case::Promise::link;
    question.link.emplace();
    question.link->node = "host";
    question.link->interface = "veth2";
    question.link->promiscuous = false;
  }
  std::optional<Finding> recognise() { return promiscuous_cause().recognise(question, facts); }
};

TEST_F(Promiscuous, IsProvenOfTheFlag) {
  link("host:veth2").promiscuous = true;
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->fix, std::vector<std::string>{"ip link set veth2 promisc off  # on host"});
}

TEST_F(Promiscuous, IsProvenWhereItWasPromised) {
  question.link->promiscuous = true;
  EXPECT_EQ(recognise()->fix, std::vector<std::string>{"ip link set veth2 promisc on  # on host"});
}

TEST_F(Promiscuous, IsNotClaimedWhereNothingWasPromised) {
  link("host:veth2").promiscuous = true;
  question.link->promiscuous.reset();
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
