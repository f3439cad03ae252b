// Hops, sources and families of egress and resolve.
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

TEST(EgressHops, AndSourcesOfBothFamiliesPass) {
  Arranged arranged(arranged_spec(
      R"(  - egress: {from: container-one, to: internet, via: ens5, as: [192.168.17.10, "2001:db8:17::10"], hops: 1, with: [ping, tcp/80, udp/7]}
  - egress: {from: host, to: internet, via: ens4, as: unchanged, hops: 0})"));
  const auto results = arranged.judge();
  EXPECT_EQ(results.size(), 8U);
  for (const CheckResult& check : results) {
    EXPECT_EQ(check.verdict, Verdict::pass) << check.id << ": " << check.observed;
  }
  EXPECT_THAT(results.at(0).observed, HasSubstr("as 192.168.17.10 after 1 hop"));
}

TEST(EgressHops, FailWhereSomethingRewritesTheTtl) {
  Arranged arranged(
      arranged_spec("  - egress: {from: container-one, to: internet, via: ens5, hops: 1, family: ipv4}"));
  arranged.run(
      "host",
      "nft 'table ip mangle { chain p { type filter hook postrouting priority -150; oifname ens5 ip ttl "
      "set 99; }; }'");
  const CheckResult check = arranged.judge_only();
  EXPECT_EQ(check.verdict, Verdict::fail);
  EXPECT_THAT(check.observed,
              HasSubstr("the TTL fell by -35 instead of 1 between container-one and host:ens5"));
}

TEST(EgressSource, UnchangedFailsWhereItIsTranslated) {
  const CheckResult check =
      Arranged(arranged_spec(
                   "  - egress: {from: container-one, to: internet, via: ens5, as: unchanged, family: ipv4}"))
          .judge_only();
  EXPECT_EQ(check.verdict, Verdict::fail);
  EXPECT_THAT(check.observed, HasSubstr("as 192.168.17.10 instead of 192.168.99.11"));
}

TEST(EgressSource, TakesOneAddressOfAFamily) {
  for (const char* as : {"[192.168.17.10, 192.168.16.10]", "[]", "changed"}) {
    EXPECT_THROW(
        Arranged(arranged_spec(
            std::string("  - egress: {from: container-one, to: internet, via: ens5, as: ") + as + "}")),
        spec::SpecError)
        << as;
  }
}

TEST(ResolveFamilies, AsksForWhatIsExpected) {
  Arranged arranged(arranged_spec(
      R"(  - resolve: {from: host, name: www.example.test, expect: [203.0.113.80, "2001:db8:ffff::80"], server: 192.168.16.53}
  - resolve: {from: container-one, name: www.example.test, expect: "2001:db8:ffff::80", server: public-resolver, family: ipv4})"));
  const auto results = arranged.judge();
  EXPECT_EQ(results.size(), 4U);
  for (const CheckResult& check : results) {
    EXPECT_EQ(check.verdict, Verdict::pass) << check.id << ": " << check.observed;
  }
  EXPECT_EQ(results.at(0).observed, "A: answered 203.0.113.80; AAAA: answered 2001:db8:ffff::80");
  EXPECT_EQ(results.at(2).observed, "AAAA: answered 2001:db8:ffff::80");
}

TEST(ResolveFamilies, FailsWhereOneOfTheTwoIsWrong) {
  const CheckResult check = Arranged(arranged_spec("  - resolve: {from: host, name: www.example.test, with: "
                                                   "udp, family: ipv4, expect: [203.0.113.80, "
                                                   "\"2001:db8:ffff::81\"]}"))
                                .judge_only();
  EXPECT_EQ(check.verdict, Verdict::fail);
  EXPECT_EQ(check.observed,
            "A: answered 203.0.113.80; AAAA: answered 2001:db8:ffff::80 instead of 2001:db8:ffff::81");
}

}  // namespace
}  // namespace plumbline::checks
