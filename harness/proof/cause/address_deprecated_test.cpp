#include <gtest/gtest.h>

#include "harness/proof/diagnosis/testing_ways.hpp"

namespace plumbline::proof {

CauseKind address_deprecated_cause();

namespace {

using testing::ip;

class AddressDeprecated : public testing::Ways {
 protected:
  AddressDeprecated() {
    network::Interface& uplink = *facts.network.find("host")->find_interface("ens4");
    for (const char* each : {"2001:db8:16::10/64", "2001:db8:16::77/64"})
      uplink.addresses.push_back(InterfaceAddress::parse(each).value());
    uplink.deprecated = {ip("2001:db8:16::10")};
    question.promise = Case::Promise::egress;
    question.via = "ens4";
    question.as = ip("2001:db8:16::10");
    question.to = ip("2001:db8:ffff::80");
    see(Leg::forward, "host", "ens4", traffic::Direction::out, "2001:db8:16::77", "2001:db8:ffff::80");
  }
  std::optional<Finding> recognise() { return address_deprecated_cause().recognise(question, facts); }
};

TEST_F(AddressDeprecated, IsProvenOfASourceThatTookItsPlace) {
  const auto finding = recognise();
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->certainty, Certainty::proven);
  EXPECT_EQ(finding->summary,
            "2001:db8:16::10 of host:ens4 is deprecated, so that 2001:db8:16::77 is the source instead.");
}

TEST_F(AddressDeprecated, IsProvenOfARoutesSource) {
  question.promise = Case::Promise::route;
  question.from = "host";
  question.route.emplace().source = ip("2001:db8:16::10");
  RouteAnswer& answer = facts.routes["host 2001:db8:ffff::80"];
  answer.dev = "ens4";
  answer.source = ip("2001:db8:16::77");
  EXPECT_TRUE(recognise());
}

TEST_F(AddressDeprecated, IsNotClaimedOfAnAddressInUse) {
  facts.network.find("host")->find_interface("ens4")->deprecated.clear();
  EXPECT_FALSE(recognise());
}

}  // namespace
}  // namespace plumbline::proof
