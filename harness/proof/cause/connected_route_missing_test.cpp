#include <gtest/gtest.h>

#include "harness/proof/diagnosis/testing_ways.hpp"

namespace plumbline::proof {

CauseKind connected_route_missing_cause();

namespace {

using testing::ip;

class ConnectedRouteMissing : public testing::Ways {
 protected:
  ConnectedRouteMissing() {
    question.from = "host";
    question.to = ip("192.168.99.11");
    question.to_node = "container-one";
    question.outcome.identity.source = ip("192.168.16.10");
    in_table("host", "0.0.0.0/0", "192.168.16.1", "ens4");
    in_table("host", "192.168.16.0/24", "", "ens4");
    in_table("container-one", "0.0.0.0/0", "192.168.99.1", "eth0");
    in_table("container-one", "192.168.99.0/24", "", "eth0");
    route("host", "192.168.99.11", "192.168.16.1", "ens4");
  }
  std::optional<Finding> recognise() { return connected_route_missing_cause().recognise(question, facts); }
};

TEST_F(ConnectedRouteMissing, IsProvenOfANetworkWithoutARoute) {
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(
      finding->summary,
      "host holds an address of 192.168.99.0/24 on bridge0, but has no route to that network: what is for "
      "192.168.99.11 goes by ens4.");
  EXPECT_EQ(finding->fix, std::vector<std::string>{"ip route add 192.168.99.0/24 dev bridge0  # on host"});
}

TEST_F(ConnectedRouteMissing, IsNotClaimedWhereThereIsARoute) {
  in_table("host", "192.168.99.0/24", "", "bridge0");
  route("host", "192.168.99.11", "", "bridge0");
  EXPECT_FALSE(recognise());
}

TEST_F(ConnectedRouteMissing, IsNotClaimedWhereTheInterfaceIsDown) {
  facts.network.find("host")->find_interface("bridge0")->up = false;
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
