#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/testing_arranged.hpp"

namespace plumbline::checks {
namespace {

using engine::CheckResult;
using engine::Verdict;
using ::testing::HasSubstr;
using testing_support::Arranged;
using testing_support::arranged_spec;

constexpr const char* kBetween =
    "  - learned: {from: container-one, to: container-two, bridge: bridge0, family: ipv4}";

TEST(Learned, PassesInEveryDirectionAndFamily) {
  Arranged arranged(arranged_spec(R"(  - learned: {from: container-one, to: container-two, bridge: bridge0}
  - learned: {from: [host, container-two], to: container-one, bridge: bridge0}
  - learned: {from: container-two, to: host, bridge: bridge0})"));
  const auto results = arranged.judge();
  EXPECT_EQ(results.size(), 8U);
  for (const CheckResult& check : results) {
    EXPECT_EQ(check.verdict, Verdict::pass) << check.id << ": " << check.observed;
  }
  EXPECT_EQ(results.at(0).id, "learned container-one -> container-two on bridge0");
  EXPECT_THAT(results.at(0).observed, HasSubstr("of container-one on veth1"));
  EXPECT_EQ(results.at(1).id, "learned container-one -> container-two on bridge0 ipv6");
}

TEST(Learned, FailsWhereAPortDoesNotLearn) {
  Arranged arranged(arranged_spec(kBetween));
  arranged.run("host",
               "bridge link set dev veth2 learning off; bridge fdb flush dev veth2 2>/dev/null || true; "
               "ip link set veth2 down; ip link set veth2 up");
  const CheckResult check = arranged.judge_only();
  EXPECT_EQ(check.verdict, Verdict::fail) << check.observed;
  EXPECT_THAT(check.observed, HasSubstr("bridge0 has not learned container-two's"));
}

TEST(Learned, FailsWhereTheBridgeWasToldAnotherPort) {
  Arranged arranged(arranged_spec(kBetween));
  arranged.run("host",
               "mac=$(ip netns exec container-one cat /sys/class/net/eth0/address);"
               "bridge fdb replace $mac dev veth2 master static sticky");
  const CheckResult check = arranged.judge_only();
  EXPECT_EQ(check.verdict, Verdict::fail) << check.observed;
  EXPECT_THAT(check.observed, HasSubstr("on veth2, but it is plugged into veth1"));
}

TEST(Learned, FailsWhereANeighbourWasToldAnotherAddress) {
  Arranged arranged(arranged_spec(kBetween));
  arranged.run("container-one",
               "ip neigh replace 192.168.99.12 lladdr 02:00:00:00:00:77 dev eth0 nud permanent");
  const CheckResult check = arranged.judge_only();
  EXPECT_EQ(check.verdict, Verdict::fail) << check.observed;
  EXPECT_THAT(check.observed, HasSubstr("container-one has 02:00:00:00:00:77 for 192.168.99.12 (permanent)"));
}

TEST(Learned, FailsWhereTheBridgeWasToldTheRightPort) {
  Arranged arranged(arranged_spec(kBetween));
  arranged.run("host",
               "mac=$(ip netns exec container-one cat /sys/class/net/eth0/address);"
               "bridge fdb replace $mac dev veth1 master static");
  const CheckResult check = arranged.judge_only();
  EXPECT_EQ(check.verdict, Verdict::fail) << check.observed;
  EXPECT_THAT(check.observed, HasSubstr("on veth1 by a static entry: it was set by hand, not learned"));
}

TEST(Learned, FailsWhereANeighbourWasToldTheRightAddress) {
  Arranged arranged(arranged_spec(kBetween));
  arranged.run("host",
               "mac=$(ip netns exec container-two cat /sys/class/net/eth0/address);"
               "ip -n container-one neigh replace 192.168.99.12 lladdr $mac dev eth0 nud permanent");
  const CheckResult check = arranged.judge_only();
  EXPECT_EQ(check.verdict, Verdict::fail) << check.observed;
  EXPECT_THAT(check.observed, HasSubstr("(permanent): it was set by hand, not learned"));
}

TEST(Learned, OfAPingThatIsNotAnsweredIsInconclusive) {
  Arranged arranged(arranged_spec(kBetween));
  arranged.run("container-two", "ip link set eth0 down");
  const CheckResult check = arranged.judge_only();
  EXPECT_EQ(check.verdict, Verdict::inconclusive) << check.observed;
}

TEST(Learned, FailsWhereTheWayDoesNotLeadOverThatBridge) {
  Arranged arranged(
      arranged_spec("  - learned: {from: container-one, to: internet, bridge: bridge0, family: ipv4}"));
  const CheckResult check = arranged.judge_only();
  EXPECT_EQ(check.verdict, Verdict::fail) << check.observed;
}

TEST(Learned, ABridgeThatIsNotThereIsAnErrorAndOtherSlipsAreRefused) {
  const CheckResult check =
      Arranged(
          arranged_spec("  - learned: {from: container-one, to: container-two, bridge: ens4, family: ipv4}"))
          .judge_only();
  EXPECT_EQ(check.verdict, Verdict::error);
  EXPECT_EQ(check.observed, "host has no bridge ens4");
  for (const char* wrong : {
           "{from: container-one, to: container-one, bridge: bridge0}",
           "{from: container-one, to: 192.168.99.12, bridge: bridge0}",
           "{from: container-one, to: container-two}",
           "{from: container-one, to: container-two, bridge: bridge0, in: nowhere}",
       }) {
    EXPECT_THROW(Arranged(arranged_spec(std::string("  - learned: ") + wrong)), spec::SpecError) << wrong;
  }
}

}  // namespace
}  // namespace plumbline::checks
