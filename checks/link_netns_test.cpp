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

TEST(Link, PassesWhereTheKernelSaysAsPromised) {
  Arranged arranged(arranged_spec(
      R"(  - link: {dev: veth1, state: up, kind: veth, peer: "container-one:eth0", master: bridge0, mtu: 1500}
  - link: {in: container-one, dev: eth0, state: up, peer: "host:veth1", master: none, addresses: [192.168.99.11/24, "fd00:99::11/64"]}
  - link: {dev: bridge0, kind: bridge, state: up, addresses: [192.168.99.1, "fd00:99::1"]}
  - link: {in: [container-one, container-two], only: [lo, eth0]}
  - link: {in: container-one, dev: lo, kind: loopback, state: up}
  - link: {absent: veth9})"));
  const auto results = arranged.judge();
  EXPECT_EQ(results.size(), 7U);
  for (const CheckResult& check : results) {
    EXPECT_EQ(check.verdict, Verdict::pass) << check.id << ": " << check.observed;
  }
  EXPECT_EQ(results.at(0).id, "link host:veth1");
  EXPECT_EQ(results.at(4).id, "link container-two only lo, eth0");
}

TEST(Link, FailsWhatWasChangedSince) {
  Arranged arranged(arranged_spec(R"(  - link: {dev: veth1, state: up, mtu: 1500}
  - link: {in: container-one, dev: eth0, addresses: 192.168.99.11}
  - link: {dev: veth2, master: bridge0}
  - link: {in: container-two, only: lo}
  - link: {absent: veth1})"));
  arranged.run("host", "ip link set veth1 down mtu 1400; ip link set veth2 nomaster");
  const auto results = arranged.judge();
  for (const CheckResult& check : results) EXPECT_EQ(check.verdict, Verdict::fail) << check.id;
  EXPECT_EQ(results.at(0).observed, "host:veth1: down instead of up; mtu 1400 instead of 1500");
  EXPECT_THAT(results.at(1).observed, HasSubstr("fd00:99::11/64 instead of 192.168.99.11"));
}

TEST(Link, UpTakesBothEnds) {
  Arranged arranged(arranged_spec("  - link: {dev: veth1, state: up}"));
  arranged.run("container-one", "ip link set eth0 down");
  const CheckResult check = arranged.judge_only();
  EXPECT_EQ(check.verdict, Verdict::fail);
  EXPECT_EQ(check.observed, "host:veth1: no-carrier instead of up");
}

TEST(Link, WaitsForACarrierThatIsOnItsWay) {
  Arranged arranged(arranged_spec("  - link: {dev: veth1, state: up}"));
  for (int again = 0; again < 5; ++again) {
    arranged.run("container-one", "ip link set eth0 down; ip link set eth0 up");
    const CheckResult check = arranged.judge_only();
    EXPECT_EQ(check.verdict, Verdict::pass) << check.observed;
  }
}

TEST(Link, DeletingOneEndRemovesBoth) {
  Arranged arranged(arranged_spec("  - link: {absent: veth1}\n  - link: {in: container-one, absent: eth0}"));
  arranged.run("container-one", "ip link del eth0");
  for (const CheckResult& check : arranged.judge()) EXPECT_EQ(check.verdict, Verdict::pass) << check.id;
}

TEST(Link, OfAnAddressThatIsStillTentativeIsInconclusive) {
  Arranged arranged(
      arranged_spec("  - link: {in: container-one, dev: eth0, addresses: [192.168.99.11, \"fd00:99::11\", "
                    "\"fd00:99::5\"]}"));
  arranged.run("container-one",
               "sysctl -qw net.ipv6.conf.eth0.accept_dad=1 net.ipv6.conf.eth0.dad_transmits=20;"
               "ip addr add fd00:99::5/64 dev eth0");
  const CheckResult check = arranged.judge_only();
  EXPECT_EQ(check.verdict, Verdict::inconclusive) << check.observed;
  EXPECT_THAT(check.observed, HasSubstr("fd00:99::5 is still tentative"));
}

TEST(Link, ADuplicateAddressFails) {
  Arranged arranged(
      arranged_spec("  - link: {in: container-one, dev: eth0, addresses: [192.168.99.11, \"fd00:99::11\", "
                    "\"fd00:99::12\"]}"));
  arranged.run("container-one",
               "sysctl -qw net.ipv6.conf.eth0.accept_dad=1 net.ipv6.conf.eth0.dad_transmits=1;"
               "ip addr add fd00:99::12/64 dev eth0");  // container-two's
  for (int again = 0; again < 5; ++again) {
    const CheckResult check = arranged.judge_only();
    if (check.verdict == Verdict::inconclusive) continue;  // the kernel begins it within a second
    EXPECT_EQ(check.verdict, Verdict::fail) << check.observed;
    EXPECT_THAT(check.observed, HasSubstr("held by somebody else"));
    return;
  }
  FAIL() << "duplicate address detection did not end";
}

TEST(Link, RefusesWhatSaysNothingOrTooMuch) {
  for (const char* wrong : {
           "{dev: veth1}",
           "{state: up}",
           "{dev: veth1, state: sideways}",
           "{dev: veth1, peer: container-one}",
           "{dev: veth1, peer: \"container-on:eth0\"}",
           "{absent: veth1, state: up}",
           "{only: lo, dev: lo}",
           "{in: container-three, dev: eth0, state: up}",
           "{dev: veth1, mac: nonsense}",
           "{dev: veth1, addresses: 192.168.99}",
       }) {
    EXPECT_THROW(Arranged(arranged_spec(std::string("  - link: ") + wrong)), spec::SpecError) << wrong;
  }
}

}  // namespace
}  // namespace plumbline::checks
