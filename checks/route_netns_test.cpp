// The kernel's own lookups, on the seed's host with a second uplink.
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

CheckResult judged(const std::string& check) {
  return Arranged(arranged_spec("  - route: " + check)).judge_only();
}

TEST(Route, PassesWhereTheKernelWouldGoAsPromised) {
  Arranged arranged(arranged_spec(
      R"(  - route: {in: host, from: 192.168.99.11, iif: bridge0, to: 203.0.113.80, expect: {dev: ens5, via: 192.168.17.1, table: 88}}
  - route: {to: 203.0.113.80, expect: {dev: ens4, via: 192.168.16.1, src: 192.168.16.10, table: main}}
  - route: {to: 192.168.99.11, expect: {dev: bridge0, via: none, table: 88, type: unicast}}
  - route: {to: host, in: host, family: ipv4, expect: {type: local, table: local, dev: lo}}
  - route: {in: container-one, to: internet, family: ipv4, expect: {via: 192.168.99.1, dev: eth0, src: 192.168.99.11}}
  - route: {in: container-one, to: internet, family: ipv6, expect: {via: "fd00:99::1", dev: eth0, src: "fd00:99::11"}}
  - route: {in: public-resolver, to: 10.1.2.3, expect: {error: network unreachable}}
  - route: {in: container-one, to: container-two, expect: {dev: eth0, via: none}})"));
  const auto results = arranged.judge();
  EXPECT_EQ(results.size(), 9U) << "the last one for both families";
  for (const CheckResult& check : results) {
    EXPECT_EQ(check.verdict, Verdict::pass) << check.id << ": " << check.observed;
  }
  EXPECT_EQ(results.at(0).id, "route host to 203.0.113.80 from 192.168.99.11 iif bridge0");
  EXPECT_EQ(results.at(0).observed,
            "203.0.113.80 from 192.168.99.11 iif bridge0: via 192.168.17.1 dev ens5 table 88");
  EXPECT_EQ(results.at(0).expected,
            "203.0.113.80 from 192.168.99.11 iif bridge0: via 192.168.17.1 dev ens5 table 88");
  EXPECT_EQ(results.back().id, "route container-one to container-two ipv6");
}

TEST(Route, FailsWhereAnotherUplinkIsTaken) {
  const CheckResult check = judged("{to: 203.0.113.80, expect: {dev: ens5}}");
  EXPECT_EQ(check.verdict, Verdict::fail);
  EXPECT_THAT(check.observed, HasSubstr("via 192.168.16.1 dev ens4 table main"));
}

TEST(Route, FailsWhereForwardingWasTurnedOff) {
  Arranged arranged(
      arranged_spec("  - route: {from: 192.168.99.11, iif: bridge0, to: 203.0.113.80, expect: {dev: ens5}}"));
  arranged.run("host", "sysctl -qw net.ipv4.ip_forward=0");
  const CheckResult check = arranged.judge_only();
  EXPECT_EQ(check.verdict, Verdict::fail);
  EXPECT_THAT(check.observed, HasSubstr("host unreachable; forwarding is off on bridge0"));
}

TEST(Route, FailsWhereForwardingOfIpv6WasTurnedOff) {
  Arranged arranged(arranged_spec(
      R"(  - route: {from: "fd00:99::11", iif: bridge0, to: internet, expect: {type: unicast}}
  - route: {to: internet, family: ipv6, expect: {type: unicast}}
  - route: {from: "fd00:99::11", iif: bridge0, to: host, expect: {type: local}})"));
  EXPECT_EQ(arranged.judge().front().verdict, Verdict::pass);
  arranged.run("host", "sysctl -qw net.ipv6.conf.all.forwarding=0");
  const auto results = arranged.judge();
  EXPECT_EQ(results.at(0).verdict, Verdict::fail) << results.at(0).observed;
  EXPECT_THAT(results.at(0).observed, HasSubstr("host unreachable; forwarding is off on bridge0"));
  EXPECT_EQ(results.at(1).verdict, Verdict::pass) << "its own packets need none: " << results.at(1).observed;
  EXPECT_EQ(results.at(2).verdict, Verdict::pass) << results.at(2).observed;
}

TEST(Route, OfAnUnreachableRouteIsInconclusiveWhereNothingIsForwarded) {
  Arranged arranged(arranged_spec(
      "  - route: {from: 192.168.99.11, iif: bridge0, to: 203.0.113.80, expect: {type: unreachable}}"));
  arranged.run("host", "ip route add unreachable 203.0.113.0/24 table 88");
  EXPECT_EQ(arranged.judge_only().verdict, Verdict::pass);
  arranged.run("host", "sysctl -qw net.ipv4.ip_forward=0");
  EXPECT_EQ(arranged.judge_only().verdict, Verdict::inconclusive);
}

TEST(Route, OfASourceThatIsNotItsOwnIsInconclusive) {
  const CheckResult check =
      judged("{in: container-one, from: 192.0.2.1, to: 203.0.113.80, expect: {error: network unreachable}}");
  EXPECT_EQ(check.verdict, Verdict::inconclusive) << check.observed;
}

TEST(Route, KnowsRoutesThatRefuse) {
  Arranged arranged(arranged_spec(
      R"(  - route: {to: 10.0.0.1, expect: {type: blackhole}}
  - route: {to: 10.0.0.2, expect: {type: prohibit}}
  - route: {to: 10.0.0.3, expect: {error: host unreachable}}
  - route: {to: "fd01::1", expect: {type: blackhole}}
  - route: {to: 10.0.0.2, mark: 7, expect: {type: blackhole}})"));
  arranged.run(
      "host",
      "ip route add blackhole 10.0.0.1; ip route add prohibit 10.0.0.2; ip route add unreachable 10.0.0.3;"
      "ip -6 route add blackhole fd01::1; ip rule add fwmark 7 table 77; ip route add blackhole default "
      "table 77");
  for (const CheckResult& check : arranged.judge()) {
    EXPECT_EQ(check.verdict, Verdict::pass) << check.id << ": " << check.observed;
  }
}

TEST(Route, AnInterfaceThatIsNotThereIsAnError) {
  const CheckResult check =
      judged("{from: 192.168.99.11, iif: bridge9, to: 203.0.113.80, expect: {dev: ens5}}");
  EXPECT_EQ(check.verdict, Verdict::error);
  EXPECT_THAT(check.observed, HasSubstr("host has no interface bridge9; it has lo, "));
}

TEST(Route, RefusesWhatCannotBeAsked) {
  for (const char* wrong : {
           "{to: 203.0.113.80, expect: {}}",
           "{to: 203.0.113.80, expect: {dev: ens4, error: network unreachable}}",
           "{to: 203.0.113.80, expect: {error: network gone}}",
           "{to: 203.0.113.80, expect: {type: blackhole, dev: ens4}}",
           "{to: 203.0.113.80, iif: bridge0, expect: {dev: ens4}}",
           "{to: 203.0.113.80, from: \"fd00:99::11\", expect: {dev: ens4}}",
           "{in: nobody, to: 203.0.113.80, expect: {dev: ens4}}",
           "{to: 203.0.113.80, expect: {table: mine}}",
       }) {
    EXPECT_THROW(Arranged(arranged_spec(std::string("  - route: ") + wrong)), spec::SpecError) << wrong;
  }
}

}  // namespace
}  // namespace plumbline::checks
