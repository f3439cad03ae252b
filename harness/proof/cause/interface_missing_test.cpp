#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_links.hpp"

namespace plumbline::proof {

CauseKind interface_missing_cause();

namespace {

class InterfaceMissing : public ::testing::Test, protected testing::Plugged {
 protected:
  std::optional<Finding> recognise() { return interface_missing_cause().recognise(question, facts); }
};

TEST_F(InterfaceMissing, IsProvenOfANameThatWasPromised) {
  question.promise = Case::Promise::link;
  question.link.emplace();
  question.link->node = "host";
  question.link->interface = "veth7";
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary, "host has no interface veth7.");
  EXPECT_EQ(finding->evidence, std::vector<std::string>{"host has bridge0, veth1, veth2"});
}

TEST_F(InterfaceMissing, IsProvenOfANodeWithoutACable) {
  facts.network.find("container-one")->interfaces.clear();
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->summary, "container-one has no interface but its loopback: no cable is plugged in.");
}

TEST_F(InterfaceMissing, IsProvenOfABridgeWhosePortsHangInTheAir) {
  network::Node& host = *facts.network.find("host");
  std::erase_if(host.interfaces, [](const network::Interface& each) { return each.name == "bridge0"; });
  for (network::Interface& each : host.interfaces) each.master.clear();
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->summary, "host has no bridge for 192.168.99.0/24: veth1, veth2 are ports of none.");
}

TEST_F(InterfaceMissing, IsNotClaimedOfOneCableThatHangsInTheAir) {
  interface("host", "veth1").master.clear();  // the bridge is there
  EXPECT_FALSE(recognise());
}

TEST_F(InterfaceMissing, IsNotClaimedWhereAllIsThere) {
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
