#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/testing_arranged.hpp"

namespace plumbline::checks {
namespace {

using engine::CheckResult;
using engine::Verdict;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using testing_support::Arranged;
using testing_support::arranged_spec;

// A container that nothing was plugged into, beside two that share a bridge.
constexpr const char* kAlone = R"(
    bridges:
      bridge0:
        address: [192.168.99.1/24, "fd00:99::1/64"]
        containers:
          container-one: [192.168.99.11, "fd00:99::11"]
          container-two: [192.168.99.12, "fd00:99::12"]
    containers: {alone: {}}
)";

TEST(Isolated, PassesForANodeOfWhichNothingLeadsOut) {
  Arranged arranged(arranged_spec(R"(  - isolated: {from: alone, to: host, error: network unreachable}
  - isolated: {from: host, to: alone}
  - isolated: {from: alone, to: container-one})",
                                  kAlone));
  for (const CheckResult& check : arranged.judge()) {
    EXPECT_EQ(check.verdict, Verdict::pass) << check.id << ": " << check.observed;
    EXPECT_THAT(check.observed, HasSubstr("6 answered by its own loopback"));
  }
}

TEST(Isolated, FailsBetweenNeighboursAndNamesTheLeak) {
  const CheckResult check =
      Arranged(arranged_spec("  - isolated: {from: container-one, to: container-two}", kAlone)).judge_only();
  EXPECT_EQ(check.verdict, Verdict::fail);
  EXPECT_THAT(check.observed, MatchesRegex("ping to .* was seen at container-two:eth0; .*"));
  EXPECT_FALSE(check.journey.empty());
}

TEST(Isolated, FindsALeakOverLinkLocalAddressesAlone) {
  Arranged arranged(arranged_spec("  - isolated: {from: container-one, to: container-two}", kAlone));
  arranged.run(
      "host",
      "nft 'table bridge cut { chain f { type filter hook forward priority 0; ip daddr 192.168.99.12 drop;"
      "ip6 daddr fd00:99::12 drop; }; }'");
  const CheckResult check = arranged.judge_only();
  EXPECT_EQ(check.verdict, Verdict::fail);
  EXPECT_THAT(check.observed, MatchesRegex("ping to fe80::.*%eth0 was seen at container-two:eth0; .*"));
}

TEST(Isolated, PassesWhereAllIsDroppedOnTheWay) {
  Arranged arranged(arranged_spec("  - isolated: {from: container-one, to: container-two}", kAlone));
  arranged.run("host",
               "nft 'table bridge cut { chain f { type filter hook forward priority 0; policy drop; }; }'");
  const CheckResult check = arranged.judge_only();
  EXPECT_EQ(check.verdict, Verdict::pass) << check.observed;
  EXPECT_THAT(check.observed, HasSubstr("9 never sent for want of a neighbour"));
}

TEST(Isolated, PassesWhereProbesLeaveAndAreDropped) {
  Arranged arranged(arranged_spec("  - isolated: {from: container-one, to: container-two}", kAlone));
  arranged.run(
      "host",
      "nft 'table bridge cut { chain f { type filter hook forward priority 0; meta l4proto { tcp, udp } drop;"
      "icmp type echo-request drop; icmpv6 type echo-request drop; }; }'");
  const CheckResult check = arranged.judge_only();
  EXPECT_EQ(check.verdict, Verdict::pass) << check.observed;
  EXPECT_THAT(check.observed, HasSubstr("9 no answer"));
}

TEST(Isolated, FailsWhereSilenceIsNotTheErrorThatWasPromised) {
  Arranged arranged(arranged_spec(
      "  - isolated: {from: container-one, to: container-two, at: 192.168.99.12, with: tcp/7, error: network "
      "unreachable}",
      kAlone));
  arranged.run("host",
               "nft 'table bridge cut { chain f { type filter hook forward priority 0; policy drop; }; }'");
  const CheckResult check = arranged.judge_only();
  EXPECT_EQ(check.verdict, Verdict::fail);
  EXPECT_EQ(check.id, "isolated container-one -> container-two at 192.168.99.12 tcp/7");
}

TEST(Isolated, OfANodeThatDoesNotReachItselfIsInconclusive) {
  Arranged arranged(
      arranged_spec("  - isolated: {from: container-one, to: container-two, with: udp/7}", kAlone));
  arranged.run("host",
               "nft 'table bridge cut { chain f { type filter hook forward priority 0; policy drop; }; }'");
  arranged.run("container-two",
               "nft 'table inet deaf { chain i { type filter hook input priority 0; udp dport 7 drop; }; }'");
  const CheckResult check = arranged.judge_only();
  EXPECT_EQ(check.verdict, Verdict::inconclusive);
  EXPECT_THAT(check.observed, HasSubstr("container-two does not even reach itself there"));
}

TEST(Isolated, AtAnAddressThatNobodyHoldsIsInconclusive) {
  const CheckResult check =
      Arranged(
          arranged_spec("  - isolated: {from: container-one, to: container-two, at: 192.168.99.77}", kAlone))
          .judge_only();
  EXPECT_EQ(check.verdict, Verdict::inconclusive) << check.observed;
}

TEST(Isolated, OfANodeWithoutAddressesIsInconclusive) {
  Arranged arranged(arranged_spec("  - isolated: {from: host, to: alone}", kAlone));
  arranged.run("alone", "ip link set lo down");
  const CheckResult check = arranged.judge_only();
  EXPECT_EQ(check.verdict, Verdict::inconclusive);
  EXPECT_THAT(check.observed, HasSubstr("alone holds no address"));
}

TEST(Isolated, RefusesANodeAgainstItself) {
  for (const char* wrong :
       {"{from: host, to: host}", "{from: host, to: 192.168.99.11}",
        "{from: host, to: alone, error: network gone}", "{from: host, to: alone, at: here}"}) {
    EXPECT_THROW(Arranged(arranged_spec(std::string("  - isolated: ") + wrong, kAlone)), spec::SpecError)
        << wrong;
  }
}

}  // namespace
}  // namespace plumbline::checks
