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

TEST_F(DestinationTranslated, OfAPublishedPortIsToldWhereItLeadsToAnotherNode) {
  add(facts.add("web", network::Role::container), "eth0", network::LinkKind::veth, {"192.168.99.12/24"});
  question.from = "lan-peer";
  question.to = testing::ip("192.168.16.10");
  question.to_node = "host";
  question.published_at = "web";
  Translation& known = question.kernel.translations.emplace_back();
  known.node = "host";
  known.original.destination = question.to;
  known.reply.source = testing::ip("192.168.99.12");
  known.destination_translated = true;
  EXPECT_FALSE(recognise()) << "it leads where it is to";
  known.reply.source = testing::ip("192.168.99.14");
  EXPECT_FALSE(recognise()) << "nobody's address: who is meant is not known";
  known.reply.source = testing::ip("192.168.99.11");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->summary,
            "host turns what is for 192.168.16.10 to 192.168.99.11, which is container-one, not web.");

  // One rule: container-one's own, and web has none.
  question.port = 8080;
  Chain& rules =
      chain("ip", "nat", "DOCKER", Hook::prerouting, "accept", {"tcp dport 8080 dnat to 192.168.99.11:80"});
  EXPECT_EQ(recognise()->fix, std::vector<std::string>{"docker port container-one"});
  rules.name = "prerouting";
  EXPECT_EQ(recognise()->fix, std::vector<std::string>{"nft -a list chain ip nat prerouting"});
  rules.rules.push_back({6, "tcp dport 8080 dnat to 192.168.99.12:80", "", {}});
  EXPECT_EQ(recognise()->fix, std::vector<std::string>{"nft delete rule ip nat prerouting handle 5"});
}

TEST_F(DestinationTranslated, IsNotClaimedOfAPortThatIsForwardedInTwoSteps) {
  add(facts.add("gateway", network::Role::world), "wan", network::LinkKind::veth, {"192.168.16.1/24"});
  question.from = "internet";
  question.to = testing::ip("192.168.16.1");
  question.to_node = "gateway";
  question.published_at = "container-one";
  const auto turns = [&](const char* node, const char* from, const char* to) {
    Translation& known = question.kernel.translations.emplace_back();
    known.node = node;
    known.original.destination = testing::ip(from);
    known.reply.source = testing::ip(to);
    known.destination_translated = true;
  };
  turns("gateway", "192.168.16.1", "192.168.16.10");
  const auto finding = recognise();
  ASSERT_TRUE(finding) << "it ends at the host";
  EXPECT_EQ(finding->summary,
            "gateway turns what is for 192.168.16.1 to 192.168.16.10, which is host, not container-one.");
  turns("host", "192.168.16.10", "192.168.99.11");
  EXPECT_FALSE(recognise()) << "the host turns it on";
  question.kernel.translations.pop_back();
  testing::see(question, Leg::forward, "container-one", "eth0", Direction::in, "203.0.113.80",
               "192.168.99.11", 62);
  EXPECT_FALSE(recognise()) << "it came to container-one";
}

TEST_F(DestinationTranslated, IsNotClaimedWhereTheOneThatIsMeantHoldsTheAddressToo) {
  for (const char* name : {"other", "web"})
    add(facts.add(name, network::Role::container), "eth0", network::LinkKind::veth, {"192.168.99.12/24"});
  question.from = "internet";
  question.to = testing::ip("192.168.16.10");
  question.to_node = "host";
  question.published_at = "web";
  Translation& known = question.kernel.translations.emplace_back();
  known.node = "host";
  known.original.destination = question.to;
  known.reply.source = testing::ip("192.168.99.12");
  known.destination_translated = true;
  EXPECT_FALSE(recognise());
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

TEST_F(DestinationTranslated, NamesARuleThatWasNotTracedOnlyWhereNoOtherCanHaveDoneIt) {
  Translation& known = question.kernel.translations.emplace_back();
  known.node = "host";
  known.original.destination = testing::ip("203.0.113.80");
  known.reply.source = testing::ip("192.168.16.66");
  known.destination_translated = true;
  const std::vector<std::string> unknown{"nft -a list ruleset"};
  chain("ip", "nat", "output", Hook::output, "accept", {"tcp dport 80 dnat to 192.168.16.66"});
  EXPECT_EQ(recognise()->fix, unknown) << "for what the host sends itself";
  chain("ip", "nat", "prerouting", Hook::prerouting, "accept",
        {"tcp dport 80 dnat to 192.168.16.67", "jump web"});
  EXPECT_EQ(recognise()->fix, unknown) << "to another address than was seen";
  chain("ip", "nat", "web", Hook::prerouting, "", {"tcp dport 80 dnat to 192.168.16.66"}).hook.reset();
  EXPECT_EQ(recognise()->fix, std::vector<std::string>{"nft delete rule ip nat web handle 5"});
  facts.chains_of["host"].back().rules.push_back({6, "dnat to 192.168.16.66", "", {}});
  EXPECT_EQ(recognise()->fix, unknown) << "two that fit";
}

TEST_F(DestinationTranslated, OfATargetBeyondItIsToldWhereSomebodyAnsweredInItsName) {
  question.to_node.clear();
  chain("ip", "nat", "prerouting", Hook::prerouting, "accept",
        {"ip daddr 203.0.113.80 dnat to 192.168.16.66"});
  testing::see(question, Leg::forward, "host", "ens4", Direction::out, "192.168.16.10", "192.168.16.66", 63);
  EXPECT_FALSE(recognise()) << "whoever keeps silent may be the one that is meant";
  question.outcome.status = traffic::ProbeOutcome::Status::replied;
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->summary, "host turns what is for 203.0.113.80 to 192.168.16.66.");
  EXPECT_TRUE(says(finding->evidence, "ip daddr 203.0.113.80 dnat to 192.168.16.66"));
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
