#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_links.hpp"

namespace plumbline::proof {

CauseKind no_carrier_cause();

namespace {

class NoCarrier : public ::testing::Test, protected testing::Plugged {
 protected:
  std::optional<Finding> recognise() { return no_carrier_cause().recognise(question, facts); }
};

TEST_F(NoCarrier, IsProvenAndNamesTheEndThatIsDown) {
  ask_in_vain();
  link("container-one:eth0").running = false;
  link("host:veth1").up = false;
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary,
            "container-one:eth0 has no carrier: host:veth1, the other end of its cable, is down.");
  EXPECT_EQ(finding->fix, std::vector<std::string>{"ip link set veth1 up  # on host"});
}

TEST_F(NoCarrier, IsNotClaimedOfWhatIsDown) {
  ask_in_vain();
  link("host:veth2").up = link("host:veth2").running = false;
  EXPECT_FALSE(recognise());
}

TEST_F(NoCarrier, IsNotClaimedWhereAllHaveOne) {
  ask_in_vain();
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
