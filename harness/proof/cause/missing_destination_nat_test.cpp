#include "harness/proof/cause/firewall_testing.hpp"
#include "harness/proof/diagnosis/cause.hpp"

namespace plumbline::proof {

CauseKind missing_destination_nat_cause();

namespace {

using testing::says;
using traffic::Direction;

/// The internet asks the host's 8080, whose bytes container-one gets.
class MissingDestinationNat : public testing::FirewallCase {
 protected:
  MissingDestinationNat() {
    question.from = "internet";
    question.to = testing::ip("192.168.16.10");
    question.to_node = "host";
    question.port = 8080;
    question.delivered_to = "container-one";
    testing::see(question, Leg::forward, "internet", "eth0", Direction::out, "203.0.113.80", "192.168.16.10");
    testing::see(question, Leg::forward, "host", "ens4", Direction::in, "203.0.113.80", "192.168.16.10", 62);
  }
  std::optional<Finding> recognise() { return missing_destination_nat_cause().recognise(question, facts); }
};

TEST_F(MissingDestinationNat, IsToldWhereAProxyAsksInTheSendersPlace) {
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(
      finding->summary,
      "No rule of host turns port 8080 of 192.168.16.10 to container-one: a proxy on host takes it, and "
      "asks with an address of its own.");
  EXPECT_TRUE(says(finding->evidence, "the probe came in at host:ens4"));
  EXPECT_EQ(finding->fix, std::vector<std::string>{"iptables -t nat -S"});
}

TEST_F(MissingDestinationNat, NamesTheToolAndTheEngineOfTheRulesThatAreThere) {
  chain("ip", "nat", "PREROUTING", Hook::prerouting, "ACCEPT", {}, RuleMet::Backend::iptables_legacy);
  facts.chains_of["host"].emplace_back().name = "DOCKER-USER";
  EXPECT_EQ(recognise()->fix,
            (std::vector<std::string>{"iptables-legacy -t nat -S", "docker port container-one",
                                      "systemctl restart docker"}));
}

/// Nobody passes it on, and a rule is there that nearly would have.
class NearlyPublished : public MissingDestinationNat {
 protected:
  NearlyPublished() {
    question.delivered_to.clear();
    question.published_at = "container-one";
    testing::pass(question, "host", Hook::input, Leg::forward, "203.0.113.80", "192.168.16.10");
  }
  std::optional<Finding> beside(const std::string& rule, const std::string& name = "PREROUTING",
                                Hook hook = Hook::prerouting) {
    facts.chains_of.clear();
    chain("ip", "nat", "PREROUTING", Hook::prerouting, "accept", {});
    chain("ip", "nat", name, hook, "accept", {rule});
    return recognise();
  }
};

TEST_F(NearlyPublished, NamesInWhatTheRuleDiffers) {
  const std::vector<std::pair<std::string, std::string>> rules{
      {"iifname \"ens5\" tcp dport 8080 counter packets 0 bytes 0 dnat to 192.168.99.11:80",
       "it takes only what comes in by ens5"},
      {"ip daddr 192.168.16.11 tcp dport 8080 dnat to 192.168.99.11:80",
       "it takes only what is for 192.168.16.11"},
      {"udp dport 8080 dnat to 192.168.99.11:80", "it takes only UDP"}};
  for (const auto& [rule, differs] : rules) {
    const auto finding = beside(rule);
    ASSERT_TRUE(finding);
    EXPECT_NE(finding->summary.find("; there is a rule for that port, but " + differs + "."),
              std::string::npos)
        << finding->summary;
    EXPECT_EQ(finding->fix, std::vector<std::string>{
                                "iptables-nft -t nat -I PREROUTING -d 192.168.16.10 -p tcp --dport 8080 -j "
                                "DNAT --to-destination 192.168.99.11:80"});
  }
}

TEST_F(NearlyPublished, SaysThatAPortIsForLoopbackAlone) {
  Chain& docker =
      chain("ip", "nat", "DOCKER", Hook::prerouting, "",
            {"iifname != \"docker0\" ip daddr 127.0.0.1 tcp dport 8080 dnat to 192.168.99.11:80"});
  docker.hook.reset();
  docker.type.clear();
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_NE(finding->summary.find("; the port is published on 127.0.0.1 alone."), std::string::npos);
  EXPECT_EQ(finding->fix, std::vector<std::string>{"docker port container-one"});
}

TEST_F(NearlyPublished, TellsTheHooksApart) {
  const auto finding = beside("tcp dport 8080 dnat to 192.168.99.11:80", "OUTPUT", Hook::output);
  ASSERT_TRUE(finding);
  EXPECT_NE(finding->summary.find("it takes only what the node itself sends"), std::string::npos);
}

TEST_F(NearlyPublished, NamesNoRuleThatLeadsElsewhereOrIsOfAnotherPort) {
  for (const char* rule :
       {"udp dport 8080 dnat to 192.168.99.12:80", "tcp dport 8081 dnat to 192.168.99.11:80",
        "tcp dport 8080 dnat to 192.168.99.11:80"}) {
    const auto finding = beside(rule);
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->summary.find(';'), std::string::npos) << rule;
  }
}

TEST_F(MissingDestinationNat, IsNotClaimedOfAPacketThatWasTranslated) {
  Translation& known = question.kernel.translations.emplace_back();
  known.node = "host";
  known.original.destination = question.to;
  known.reply.source = testing::ip("192.168.99.11");
  known.destination_translated = true;
  EXPECT_FALSE(recognise());
}

TEST_F(MissingDestinationNat, IsToldOfADatagramWhoseBytesTheProxySendsOn) {
  testing::see(question, Leg::forward, "host", "bridge0", Direction::out, "192.168.99.1", "192.168.99.11");
  testing::see(question, Leg::forward, "container-one", "eth0", Direction::in, "192.168.99.1",
               "192.168.99.11");
  EXPECT_FALSE(recognise()) << "it may have been translated";
  Translation& known = question.kernel.translations.emplace_back();
  known.node = "host";
  known.original.destination = known.reply.source = question.to;
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_TRUE(says(finding->evidence, "the kernel of host took it for its own"));
}

TEST_F(MissingDestinationNat, IsToldOfAPublishedPortThatNobodyPassesOn) {
  question.delivered_to.clear();
  question.published_at = "container-one";
  EXPECT_FALSE(recognise()) << "it may have been dropped behind a translation";
  testing::pass(question, "host", Hook::input, Leg::forward, "203.0.113.80", "192.168.16.10");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(
      finding->summary,
      "No rule of host turns port 8080 of 192.168.16.10 to container-one, and nothing else there passes it "
      "on.");
}

TEST_F(MissingDestinationNat, IsNotClaimedOfAPacketThatCameToTheServer) {
  testing::see(question, Leg::forward, "container-one", "eth0", Direction::in, "192.168.99.1",
               "192.168.99.11", 61);
  EXPECT_FALSE(recognise());
}

TEST_F(MissingDestinationNat, IsNotClaimedOfTheAskedNodesOwnServer) {
  question.delivered_to = "host";
  EXPECT_FALSE(recognise());
  question.delivered_to.clear();
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
