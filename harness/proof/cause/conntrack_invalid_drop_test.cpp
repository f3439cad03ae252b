#include <gtest/gtest.h>

#include "harness/proof/cause/firewall_testing.hpp"
#include "harness/proof/cause/kinds.hpp"

namespace plumbline::proof {

CauseKind conntrack_invalid_drop_cause();

namespace {

using testing::says;

class ConntrackInvalidDrop : public testing::FirewallCase {
 protected:
  std::optional<Finding> recognise() { return conntrack_invalid_drop_cause().recognise(question, facts); }
};

TEST_F(ConntrackInvalidDrop, IsProvenByARuleAboutWhatIsInvalid) {
  const Chain& held = forward("accept", {"ct state invalid counter drop"});
  meet(at_forward(Leg::reply, "203.0.113.80", "192.168.99.11"), held, 0, "drop");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(
      finding->summary,
      "To conntrack of host the answer belongs to no connection, and a rule of host's inet filter forward "
      "drops what is invalid.");
  EXPECT_TRUE(says(finding->fix, "nft insert rule inet filter forward handle 5"));
}

TEST_F(ConntrackInvalidDrop, NamesTheRuleThatKeptItFromConntrack) {
  const Chain raw =
      chain("ip", "raw", "PREROUTING", Hook::prerouting, "accept", {"ip saddr 192.168.99.11 notrack"});
  const Chain held = chain("ip", "filter", "FORWARD", Hook::forward, "accept", {"ct state invalid drop"});
  meet(testing::pass(question, "host", Hook::prerouting, Leg::forward, "192.168.99.11", "203.0.113.80"), raw,
       0, "continue");
  meet(at_forward(Leg::reply, "203.0.113.80", "192.168.99.11"), held, 0, "drop");
  EXPECT_EQ(recognise()->fix, std::vector<std::string>{"iptables-nft -t raw -D PREROUTING 1"});
}

TEST_F(ConntrackInvalidDrop, IsNotClaimedOfRulesAboutMoreOrLess) {
  const Chain held = forward("accept", {"ct state new,invalid drop", "ct state != established drop", "drop"});
  for (std::size_t i = 0; i < 3; ++i) {
    question.kernel.passages.clear();
    meet(at_forward(), held, i, "drop");
    EXPECT_FALSE(recognise()) << held.rules[i].text;
  }
}

TEST_F(ConntrackInvalidDrop, IsNotClaimedWhereSuchARuleLetItGoOn) {
  const Chain& held = forward("drop", {"ct state invalid drop"});
  meet(at_forward(), held, 1, "drop");
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
