#include "harness/proof/cause/firewall_testing.hpp"
#include "harness/proof/diagnosis/cause.hpp"

namespace plumbline::proof {

CauseKind destination_translated_cause();

namespace {

using testing::says;
using traffic::Direction;

class DestinationTranslated : public testing::FirewallCase {
 protected:
  DestinationTranslated() { comes_to_host(); }
  /// The host's rule that turns HTTP away, met at prerouting.
  void met(const std::string& text) {
    Chain& nat = chain("ip", "nat", "prerouting", Hook::prerouting, "accept", {text});
    Passage& passage =
        testing::pass(question, "host", Hook::prerouting, Leg::forward, "192.168.99.11", "203.0.113.80");
    meet(passage, nat, 0, "accept");
  }
  std::optional<Finding> recognise() { return destination_translated_cause().recognise(question, facts); }
};

TEST_F(DestinationTranslated, IsProvenOfAPacketThatIsSeenForAnother) {
  met("tcp dport 80 dnat to 192.168.16.66");
  testing::see(question, Leg::forward, "host", "ens4", Direction::out, "192.168.16.10", "192.168.16.66", 63);
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary, "host turns what is for 203.0.113.80 to 192.168.16.66.");
  EXPECT_TRUE(says(finding->evidence, "tcp dport 80 dnat to 192.168.16.66"));
  EXPECT_EQ(finding->fix, std::vector<std::string>{"nft delete rule ip nat prerouting handle 5"});
}

TEST_F(DestinationTranslated, IsProvenOfARedirectionToTheNodeItselfByTheNextHook) {
  met("tcp dport 80 redirect to :3128");
  testing::pass(question, "host", Hook::input, Leg::forward, "192.168.99.11", "192.168.99.1");
  EXPECT_EQ(recognise()->summary, "host turns what is for 203.0.113.80 to 192.168.99.1.");
}

TEST_F(DestinationTranslated, IsToldByConntrackWhereThereIsNoTrace) {
  chain("ip", "nat", "PREROUTING", Hook::prerouting, "ACCEPT",
        {"-A PREROUTING -i bridge0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 192.168.16.66"},
        RuleMet::Backend::iptables_legacy);
  Translation& known = question.kernel.translations.emplace_back();
  known.node = "host";
  known.original.destination = testing::ip("203.0.113.80");
  known.reply.source = testing::ip("192.168.16.66");
  known.destination_translated = true;
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_TRUE(says(finding->evidence, "--to-destination 192.168.16.66"));
  EXPECT_EQ(finding->fix, std::vector<std::string>{"iptables-legacy -t nat -D PREROUTING 1"});
}

TEST_F(DestinationTranslated, IsNotClaimedOfAPublishedPort) {
  question.to = testing::ip("192.168.16.10");
  question.to_node = "host";
  question.journey.sightings.clear();
  comes_to_host("192.168.99.11", "192.168.16.10");
  testing::see(question, Leg::forward, "host", "bridge0", Direction::out, "192.168.99.11", "192.168.99.12",
               63);
  EXPECT_FALSE(recognise());
}

TEST_F(DestinationTranslated, IsNotClaimedOfAPacketThatStays) {
  goes_out("192.168.16.10");
  EXPECT_FALSE(recognise());
}

TEST_F(DestinationTranslated, IsNotClaimedWhereOnlyTheIdIsAnother) {
  goes_out("192.168.16.10");
  Translation& known = question.kernel.translations.emplace_back();
  known.node = "host";
  known.original.destination = known.reply.source = testing::ip("203.0.113.80");
  known.source_translated = known.destination_translated = true;
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
