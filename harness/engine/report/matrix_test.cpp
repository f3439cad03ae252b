#include "harness/engine/report/matrix.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumbline::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

CheckResult check(const std::string& type, const std::string& from, const std::string& to, Verdict verdict,
                  const std::string& with = "ping", const std::string& family = "ipv4") {
  CheckResult result;
  result.id = type + " " + from + " -> " + to + " " + with;
  result.type = type;
  result.from = from;
  result.to = to;
  result.with = with;
  result.family = family;
  result.verdict = verdict;
  result.observed = "observed";
  return result;
}

DrawnNode node(const std::string& name, const std::string& role, const std::vector<std::string>& addresses,
               const std::string& kind = "veth") {
  return {name, role, {{"eth0", kind, addresses, "", "", true}}};
}

ScenarioResult scenario(std::vector<CheckResult> checks) {
  ScenarioResult result;
  result.checks = std::move(checks);
  result.network = {node("c1", "container", {"192.168.99.11/24", "fd00:99::11/64"}),
                    node("host", "host", {"192.168.99.1/24", "192.168.16.10/24", "fd00:99::1/64"}),
                    node("intranet", "world", {"10.1.2.3/32", "172.16.5.5/32"}, "loopback")};
  return result;
}

/// The only matrix of these checks.
Matrix only(std::vector<CheckResult> checks) {
  const auto all = matrices(scenario(std::move(checks)));
  EXPECT_THAT(all, SizeIs(1));
  return all.empty() ? Matrix{} : all.front();
}

/// The sign of one check from c1 to host.
std::string sign(const std::string& type, Verdict verdict) {
  const auto all = matrices(scenario({check(type, "c1", "host", verdict)}));
  return all.empty() ? "" : all.front().cells.front();
}

TEST(Matrix, ShowsWhatAPromiseCameTo) {
  for (const char* type : {"reach", "egress", "published"}) {
    EXPECT_EQ(sign(type, Verdict::pass), ".") << type;
    EXPECT_EQ(sign(type, Verdict::fail), "!") << type;
    EXPECT_EQ(sign(type, Verdict::inconclusive), "?") << type;
    EXPECT_EQ(sign(type, Verdict::error), "?") << type;
    EXPECT_EQ(sign(type, Verdict::skip), "") << type;
  }
  EXPECT_EQ(sign("deny", Verdict::pass), "X");
  EXPECT_EQ(sign("deny", Verdict::fail), "!") << "it leaks";
  EXPECT_EQ(sign("deny", Verdict::inconclusive), "?");
}

TEST(Matrix, AnAttemptThatIsDeniedIsNoBrokenPromise) {
  EXPECT_EQ(sign(kAttempt, Verdict::pass), ".");
  EXPECT_EQ(sign(kAttempt, Verdict::fail), "X");
  EXPECT_EQ(sign(kAttempt, Verdict::inconclusive), "?");
}

TEST(Matrix, OnlyAProvenCauseThatStopsMakesADenialOfSilence) {
  CheckResult attempt = check(kAttempt, "c1", "host", Verdict::inconclusive);
  const auto with_cause = [&](const std::string& code, bool proven) {
    attempt.causes = {Cause{code, "it is so", {}, "", proven}};
    return only({attempt});
  };
  EXPECT_THAT(with_cause("forwarding-disabled", true).cells, ElementsAre("X"));
  EXPECT_EQ(with_cause("forwarding-disabled", true).reasons.front().text, "it is so");
  EXPECT_THAT(with_cause("forwarding-disabled", false).cells, ElementsAre("?"));
  EXPECT_THAT(with_cause("no-listener", true).cells, ElementsAre("?")) << "nobody there is no denial";
  attempt.type = "reach";
  EXPECT_THAT(with_cause("forwarding-disabled", true).cells, ElementsAre("?"));
}

TEST(Matrix, IsOfOtherChecksNothing) {
  for (const char* type : {"route", "link", "silent", "learned", "hooks", "logged"})
    EXPECT_EQ(sign(type, Verdict::pass), "") << type;
}

TEST(Matrix, HasTheHostFirstAndTheNodeItself) {
  const Matrix matrix = only(
      {check(kAttempt, "intranet", "c1", Verdict::fail), check(kAttempt, "c1", "intranet", Verdict::pass),
       check(kAttempt, "c1", "host", Verdict::pass), check(kAttempt, "host", "c1", Verdict::pass)});
  EXPECT_THAT(matrix.from, ElementsAre("host", "c1", "intranet"));
  EXPECT_THAT(matrix.to, ElementsAre("host", "c1", "intranet"));
  EXPECT_THAT(matrix.cells, ElementsAre("-. ", ".-.", " X-"));
}

TEST(Matrix, APromiseCountsBeforeAnAttemptAndTheWorstOfSeveral) {
  const CheckResult attempt = check(kAttempt, "c1", "host", Verdict::pass);
  const CheckResult denied = check("deny", "c1", "host", Verdict::pass);
  const CheckResult unproven = check("reach", "c1", "host", Verdict::inconclusive);
  const CheckResult broken = check("egress", "c1", "host", Verdict::fail);
  CheckResult stopped = attempt;
  stopped.verdict = Verdict::inconclusive;
  EXPECT_THAT(only({stopped, denied}).cells, ElementsAre("X"));
  EXPECT_THAT(only({denied, unproven}).cells, ElementsAre("?"));
  EXPECT_THAT(only({denied, unproven, broken, attempt}).cells, ElementsAre("!"));
}

TEST(Matrix, AnAddressIsTheNodeThatIsKnownByIt) {
  const Matrix matrix =
      only({check("deny", "c1", "10.1.2.3", Verdict::pass), check("deny", "c1", "172.16.5.5", Verdict::pass),
            check("reach", "c1", "192.168.99.1", Verdict::pass),
            check("reach", "c1", "192.168.16.10", Verdict::fail)});
  EXPECT_THAT(matrix.to, ElementsAre("host", "intranet", "172.16.5.5", "192.168.16.10"))
      << "c1 shares one network with host, and would not name it by its other address";
  EXPECT_THAT(matrix.cells, ElementsAre(".XX!"));
}

TEST(Matrix, OneForEachServiceAndFamilyInOrder) {
  const auto all = matrices(scenario({
      check("reach", "c1", "host", Verdict::pass, "udp/53"),
      check("reach", "c1", "host", Verdict::pass, "tcp/8080"),
      check("reach", "c1", "host", Verdict::pass, "tcp/80", "ipv6"),
      check("reach", "c1", "host", Verdict::pass, "tcp/80"),
      check("resolve", "c1", "host", Verdict::fail, "udp"),
      check("reach", "c1", "host", Verdict::pass),
  }));
  std::vector<std::string> names;
  for (const Matrix& matrix : all) names.push_back(matrix.with + " " + matrix.family);
  EXPECT_THAT(names, ElementsAre("ping ipv4", "tcp/80 ipv4", "tcp/80 ipv6", "tcp/8080 ipv4", "udp/53 ipv4"));
  EXPECT_THAT(all.back().cells, ElementsAre("!")) << "what a name resolves to was promised, too";
}

TEST(Matrix, WhatGotThroughIsNeverShownAsDenied) {
  const CheckResult attempt = check(kAttempt, "c1", "host", Verdict::pass);
  EXPECT_THAT(only({attempt, check("deny", "c1", "host", Verdict::pass)}).cells, ElementsAre("!"));
  EXPECT_THAT(only({check("reach", "c1", "host", Verdict::pass),
                    check("isolated", "c1", "host", Verdict::pass, "ping", "ipv4")})
                  .cells,
              ElementsAre("!"));
}

TEST(Matrix, WhatIsIsolatedIsDeniedByAllThatItSends) {
  const auto all = matrices(scenario({check("isolated", "c1", "host", Verdict::pass, "ping, tcp/7", "")}));
  ASSERT_THAT(all, SizeIs(4)) << "both families, which both ends have";
  for (const Matrix& matrix : all) EXPECT_THAT(matrix.cells, ElementsAre("X")) << matrix.with;
}

TEST(Matrix, WhatIsIsolatedAtAnAddressIsOfThatAlone) {
  CheckResult at = check("isolated", "host", "c1", Verdict::pass, "ping", "");
  at.id = "isolated host -> c1 at 192.168.99.11 ping";
  EXPECT_THAT(only({at}).cells, ElementsAre("X"));
  EXPECT_EQ(only({at}).family, "ipv4");
  at.id = "isolated host -> c1 at 192.168.99.77 ping";
  EXPECT_THAT(only({at}).to, ElementsAre("192.168.99.77")) << "not what c1 is known by";
}

TEST(Matrix, AnIsolationThatWasNotKeptTellsOnlyOfTheProbeThatDecided) {
  CheckResult broken = check("isolated", "c1", "host", Verdict::fail, "ping, tcp/7, udp/7", "");
  EXPECT_THAT(matrices(scenario({broken})), IsEmpty()) << "nothing tells which";
  broken.control = Control{"host", "192.168.99.1", "tcp/7", Verdict::pass, ""};
  const auto all = matrices(scenario({broken}));
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all.front().with + " " + all.front().family, "tcp/7 ipv4");
  EXPECT_THAT(all.front().cells, ElementsAre("!"));
  broken.control->to = "fe80::1%eth0";
  EXPECT_THAT(only({broken}).to, ElementsAre("host", "fe80::1"));
  broken.control.reset();
  const auto tried = matrices(scenario({broken, check(kAttempt, "c1", "host", Verdict::fail, "tcp/7"),
                                        check(kAttempt, "c1", "host", Verdict::pass, "udp/7")}));
  ASSERT_THAT(tried, SizeIs(2));
  EXPECT_THAT(tried.front().cells, ElementsAre("X")) << "stopped, as is proven";
  EXPECT_THAT(tried.back().cells, ElementsAre("!"));
}

TEST(Matrix, AnAttemptThatTellsWhoStoppedItSaysMoreThanAKeptIsolation) {
  CheckResult attempt = check(kAttempt, "c1", "host", Verdict::fail);
  attempt.observed = "host input: ip filter INPUT policy drop";
  const CheckResult kept = check("isolated", "c1", "host", Verdict::pass, "ping", "ipv4");
  EXPECT_EQ(only({kept, attempt}).reasons.front().text, attempt.observed);
  attempt.verdict = Verdict::inconclusive;
  EXPECT_THAT(only({kept, attempt}).cells, ElementsAre("X"));
}

TEST(Matrix, TellsWhatContradictsAPromisedDenial) {
  const auto found = contradictions(scenario({check(kAttempt, "c1", "host", Verdict::pass),
                                              check("isolated", "c1", "host", Verdict::pass, "ping", "")}));
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found.front().denial, 1U);
  EXPECT_EQ(found.front().text, "attempt c1 -> host ping got through: observed");
}

TEST(Matrix, IsOfTheNetworkBeforeAnyChange) {
  ScenarioResult result = scenario(
      {check("reach", "c1", "host", Verdict::pass), check("reach", "c1", "intranet", Verdict::fail)});
  result.changes = {{"delete-link host:veth1", "", 1, true, 0}};
  ASSERT_THAT(matrices(result), SizeIs(1));
  EXPECT_THAT(matrices(result).front().to, ElementsAre("host"));
}

TEST(Matrix, GivesEachReasonOnceWithItsCells) {
  CheckResult one = check("deny", "c1", "intranet", Verdict::pass);
  one.stopped = "host forward: ip filter FORWARD policy drop";
  CheckResult two = check(kAttempt, "c1", "host", Verdict::fail);
  two.observed = one.stopped;
  const Matrix matrix = only({one, two, check("reach", "host", "c1", Verdict::pass)});
  ASSERT_THAT(matrix.reasons, SizeIs(1));
  EXPECT_EQ(matrix.reasons.front().text, one.stopped);
  EXPECT_THAT(matrix.reasons.front().cells, ElementsAre(std::pair(1, 0), std::pair(1, 2)));
}

TEST(Matrix, OfNothingIsNone) {
  EXPECT_THAT(matrices(ScenarioResult{}), IsEmpty());
}

}  // namespace
}  // namespace plumbline::engine
