#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_links.hpp"

namespace plumbline::proof {

CauseKind link_down_cause();

namespace {

using kernel::netlink::NeighbourState;
using testing::ip;

class LinkDown : public ::testing::Test, protected testing::Plugged {
 protected:
  std::optional<Finding> recognise() { return link_down_cause().recognise(question, facts); }
};

TEST_F(LinkDown, IsProvenOfAPortOnTheWay) {
  ask_in_vain();
  interface("host", "veth2").up = link("host:veth2").up = false;
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary, "host:veth2 is down, on the way from container-one to 192.168.99.12.");
  EXPECT_EQ(finding->fix, std::vector<std::string>{"ip link set veth2 up  # on host"});
}

TEST_F(LinkDown, IsProvenOfANodeThatHasNoOtherInterface) {
  interface("container-one", "eth0").up = link("container-one:eth0").up = false;
  question.outcome.status = traffic::ProbeOutcome::Status::local_error;
  ask("203.0.113.80", "internet");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
}

TEST_F(LinkDown, IsProvenWhereTheNodeGoesAnotherWayForIt) {
  question.from = "host";
  ask("192.168.99.12", "container-two");
  question.outcome.identity.source = ip("192.168.16.10");
  interface("host", "bridge0").up = link("host:bridge0").up = false;
  route("host", "192.168.99.12", "ens4", "192.168.16.1");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->evidence.front(), "host sends what is for 192.168.99.12 by ens4 instead");
}

TEST_F(LinkDown, IsNotClaimedWhereAllOnTheWayIsUp) {
  ask_in_vain();
  interface("host", "veth1").running = link("host:veth1").running = false;
  EXPECT_FALSE(recognise());
}

TEST_F(LinkDown, IsNotClaimedOfAnInterfaceThatIsNotOnTheWay) {
  ask("192.168.99.1", "host");
  route("container-one", "192.168.99.1", "eth0");
  neighbour("container-one", "eth0", "192.168.99.1", NeighbourState::incomplete);
  interface("host", "veth2").up = link("host:veth2").up = false;
  EXPECT_FALSE(recognise());
}

TEST_F(LinkDown, IsNotClaimedWhereARuleDroppedIt) {
  ask_in_vain();
  interface("host", "veth2").up = link("host:veth2").up = false;
  Passage& passage =
      testing::pass(question, "host", Hook::forward, Leg::forward, "192.168.99.11", "192.168.99.12", "drop");
  passage.rules.emplace_back().verdict = "drop";
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
