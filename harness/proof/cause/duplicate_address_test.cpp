#include <gtest/gtest.h>

#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/testing_links.hpp"

namespace plumbline::proof {

CauseKind duplicate_address_cause();

namespace {

using testing::ip;

class DuplicateAddress : public ::testing::Test, protected testing::Plugged {
 protected:
  std::optional<Finding> recognise() { return duplicate_address_cause().recognise(question, facts); }
};

TEST_F(DuplicateAddress, IsProvenWhereTheOtherGotThePacket) {
  question.from = "host";
  ask("192.168.99.11", "container-one");
  interface("container-two", "eth0").addresses.push_back(InterfaceAddress::parse("192.168.99.11/24").value());
  testing::see(question, Leg::forward, "container-two", "eth0", traffic::Direction::in, "192.168.99.1",
               "192.168.99.11");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->fix,
            std::vector<std::string>{"ip addr del 192.168.99.11/24 dev eth0  # on container-two"});
}

TEST_F(DuplicateAddress, IsProvenOfAnAddressThatWasRefused) {
  ask("fd00:99::12", "container-two");
  question.outcome.identity.source = ip("fd00:99::11");
  interface("container-two", "eth0").duplicate = {ip("fd00:99::12")};
  interface("container-one", "eth0").addresses.push_back(InterfaceAddress::parse("fd00:99::12/64").value());
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_NE(finding->summary.find("another owner, container-one:eth0"), std::string::npos)
      << finding->summary;
}

TEST_F(DuplicateAddress, IsProvenOfASenderThatHoldsTheTargetsAddress) {
  ask_in_vain();
  interface("container-one", "eth0").addresses.push_back(InterfaceAddress::parse("192.168.99.12/24").value());
  EXPECT_TRUE(recognise());
}

TEST_F(DuplicateAddress, IsNotClaimedWhereOneHoldsIt) {
  testing::see(question, Leg::forward, "container-two", "eth0", traffic::Direction::in, "192.168.99.11",
               "192.168.99.12");
  EXPECT_FALSE(recognise());
}

TEST_F(DuplicateAddress, IsToldOfADnsServersAddressWhoeverIsTakenForItsOwner) {
  question.from = "host";
  question.promise = Case::Promise::resolve;
  question.port = 53;
  ask("192.168.99.11", "container-one");
  interface("container-two", "eth0").addresses.push_back(InterfaceAddress::parse("192.168.99.11/24").value());
  network::Service& dns = facts.network.find("container-two")->services.emplace_back();
  dns.kind = network::Service::Kind::dns;
  dns.port = 53;
  testing::see(question, Leg::forward, "container-one", "eth0", traffic::Direction::in, "192.168.99.1",
               "192.168.99.11");
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_NE(finding->summary.find("it was container-one that got the packet"), std::string::npos)
      << finding->summary;
}

}  // namespace
}  // namespace plumbline::proof
