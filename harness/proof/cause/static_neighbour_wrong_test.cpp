#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_links.hpp"

namespace plumbline::proof {

CauseKind static_neighbour_wrong_cause();

namespace {

using kernel::netlink::NeighbourState;

class StaticNeighbourWrong : public ::testing::Test, protected testing::Plugged {
 protected:
  std::optional<Finding> recognise() { return static_neighbour_wrong_cause().recognise(question, facts); }
};

TEST_F(StaticNeighbourWrong, IsProvenByAPermanentEntryWithAnothersAddress) {
  route("container-one", "192.168.99.12", "eth0");
  neighbour("container-one", "eth0", "192.168.99.12", NeighbourState::permanent).mac =
      link("host:bridge0").mac;
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_NE(finding->summary.find("which is host:bridge0's"), std::string::npos) << finding->summary;
  EXPECT_EQ(finding->fix,
            std::vector<std::string>{"ip neigh del 192.168.99.12 dev eth0  # on container-one"});
}

TEST_F(StaticNeighbourWrong, IsNotClaimedOfTheRightOne) {
  route("container-one", "192.168.99.12", "eth0");
  neighbour("container-one", "eth0", "192.168.99.12", NeighbourState::permanent).mac =
      link("container-two:eth0").mac;
  EXPECT_FALSE(recognise());
}

TEST_F(StaticNeighbourWrong, IsNotClaimedOfOneThatWasLearned) {
  route("container-one", "192.168.99.12", "eth0");
  neighbour("container-one", "eth0", "192.168.99.12", NeighbourState::stale).mac = link("host:bridge0").mac;
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
