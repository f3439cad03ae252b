#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_links.hpp"

namespace plumbline::proof {

CauseKind wrong_peer_cause();

namespace {

class WrongPeer : public ::testing::Test, protected testing::Plugged {
 protected:
  WrongPeer() {
    question.promise = Case::Promise::link;
    question.link.emplace();
    question.link->node = "host";
    question.link->interface = "veth1";
    question.link->peer = network::Endpoint{"container-one", "eth0"};
  }
  std::optional<Finding> recognise() { return wrong_peer_cause().recognise(question, facts); }
};

TEST_F(WrongPeer, IsProvenOfTwoCablesThatAreSwapped) {
  interface("host", "veth1").peer = network::Endpoint{"container-two", "eth0"};
  interface("host", "veth2").peer = network::Endpoint{"container-one", "eth0"};
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary, "The other end of host:veth1 is container-two:eth0, not container-one:eth0.");
  EXPECT_EQ(finding->fix, (std::vector<std::string>{"ip link set veth1 down name veth1.old  # on host",
                                                    "ip link set veth2 down name veth1 up  # on host",
                                                    "ip link set veth1.old name veth2 up  # on host"}));
}

TEST_F(WrongPeer, IsNotClaimedOfTheRightOne) {
  EXPECT_FALSE(recognise());
}

TEST_F(WrongPeer, IsNotClaimedWhereNoneWasPromised) {
  question.link->peer.reset();
  interface("host", "veth1").peer.reset();
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
