#include "checks/published.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/testing.hpp"

namespace plumbline::checks {
namespace {

using engine::Verdict;
using testing::HasSubstr;
using testing::Not;

const IpAddress kClient = *IpAddress::parse("192.168.16.66");
const IpAddress kProxy = *IpAddress::parse("172.17.0.1");

engine::Evidence answered_by(const char* node, const IpAddress& source) {
  engine::Evidence evidence = testing_support::evidence();
  evidence.outcome.status = traffic::ProbeOutcome::Status::replied;
  evidence.delivered_to = node;
  evidence.delivered_from = source;
  return evidence;
}

TEST(PublishedJudgement, PassesWhereTheServerOfThatNodeSawThePromisedSource) {
  const auto judged = judge_published({"web", kClient}, answered_by("web", kClient));
  EXPECT_EQ(judged.verdict, Verdict::pass);
  EXPECT_THAT(judged.observed, HasSubstr("by web, which saw it come from 192.168.16.66"));
}

TEST(PublishedJudgement, FailsWhereAProxyHasTakenTheSource) {
  const auto judged = judge_published({"web", kClient}, answered_by("web", kProxy));
  EXPECT_EQ(judged.verdict, Verdict::fail);
  EXPECT_THAT(judged.observed, HasSubstr("from 172.17.0.1 instead of 192.168.16.66"));
  EXPECT_EQ(judge_published({"web", {}}, answered_by("web", kProxy)).verdict, Verdict::pass);
}

TEST(PublishedJudgement, FailsWhereAnotherNodeAnswersOrNobodyOfOurs) {
  const auto other = judge_published({"web", {}}, answered_by("host", kClient));
  EXPECT_EQ(other.verdict, Verdict::fail);
  EXPECT_THAT(other.observed, HasSubstr("by host and not by web"));
  EXPECT_EQ(judge_published({"web", {}}, answered_by("", kClient)).verdict, Verdict::fail);
}

TEST(PublishedJudgement, FailsWithoutAnAnswerAlsoWhereItWasDelivered) {
  engine::Evidence evidence = answered_by("web", kClient);
  evidence.outcome.status = traffic::ProbeOutcome::Status::timeout;
  EXPECT_EQ(judge_published({"web", kClient}, evidence).verdict, Verdict::fail);
}

TEST(PublishedJudgement, SaysThatNoRuleLedItOnWhereTheKernelTookItForItsOwn) {
  engine::Evidence evidence = answered_by("", kClient);
  evidence.outcome.status = traffic::ProbeOutcome::Status::no_answer;
  evidence.to.node = "host";
  EXPECT_THAT(judge_published({"web", kClient}, evidence).observed, Not(HasSubstr("DNAT")));
  proof::Passage& passage = evidence.kernel.passages.emplace_back();
  passage.node = "host";
  passage.hook = proof::Hook::input;
  passage.destination = evidence.to.address;
  EXPECT_THAT(judge_published({"web", kClient}, evidence).observed,
              HasSubstr("; no rule of host (DNAT) led it on to web"));
  passage.destination = kProxy;
  EXPECT_THAT(judge_published({"web", kClient}, evidence).observed, Not(HasSubstr("DNAT")));
}

TEST(PublishedJudgement, IsInconclusiveWhereNobodyTellsTheSource) {
  engine::Evidence evidence = answered_by("web", kClient);
  evidence.delivered_from.reset();
  EXPECT_EQ(judge_published({"web", kClient}, evidence).verdict, Verdict::inconclusive);
}

/// Of a live host, whose own service took it at `node`, as the taps saw.
engine::Evidence taken_by_service(const std::string& node, std::uint16_t port) {
  engine::Evidence evidence = testing_support::evidence();
  evidence.with = {traffic::Protocol::tcp, 8080};
  evidence.outcome.status = traffic::ProbeOutcome::Status::replied;
  evidence.by_service = true;
  const auto add = [&](proof::Leg leg, const std::string& at, traffic::Direction direction) {
    testing_support::add(evidence, leg, at, "eth0", direction, "192.168.16.66", "172.17.0.2");
    traffic::TcpHeader tcp;
    tcp.destination_port = port;
    evidence.journey.sightings.back().packet.transport = tcp;
  };
  add(proof::Leg::forward, evidence.from, traffic::Direction::out);
  add(proof::Leg::forward, node, traffic::Direction::in);
  add(proof::Leg::reply, node, traffic::Direction::out);
  return evidence;
}

TEST(PublishedJudgement, OfAServiceThatIsNoneOfOursTheTapsTellWhoTookIt) {
  const auto judged = judge_published({"web", kClient, 80}, taken_by_service("web", 80));
  EXPECT_EQ(judged.verdict, Verdict::pass) << judged.observed;
  EXPECT_THAT(judged.observed, HasSubstr("connected; arrived at web:eth0"));
  EXPECT_EQ(judge_published({"web", kClient, 81}, taken_by_service("web", 80)).verdict, Verdict::fail);
  EXPECT_EQ(judge_published({"web", kProxy, 80}, taken_by_service("web", 80)).verdict, Verdict::fail);
}

TEST(PublishedJudgement, WhereAProxyMayLeadOnNobodyHasSeen) {
  const auto judged = judge_published({"web", {}, 80}, taken_by_service("host", 80));
  EXPECT_EQ(judged.verdict, Verdict::inconclusive);
  EXPECT_THAT(judged.observed, HasSubstr("connected, but with host"));
}

TEST(PublishedJudgement, AProxyThatWasSeenToLeadOnHasLedOn) {
  engine::Evidence evidence = taken_by_service("host", 80);
  evidence.to.node = "host";
  evidence.relay = engine::Relay{12, "docker-proxy", kProxy};
  const auto judged = judge_published({"web", {}, 80}, evidence);
  EXPECT_EQ(judged.verdict, Verdict::pass) << judged.observed;
  EXPECT_THAT(judged.observed, HasSubstr("connected with docker-proxy (process 12) of host, which then"));
  EXPECT_EQ(judge_published({"web", kClient, 80}, evidence).verdict, Verdict::fail)
      << "the source is its own";
}

TEST(PublishedJudgement, AServiceThatRefusesFails) {
  engine::Evidence evidence = taken_by_service("web", 80);
  evidence.outcome.status = traffic::ProbeOutcome::Status::refused;
  EXPECT_EQ(judge_published({"web", {}, 80}, evidence).verdict, Verdict::fail);
}

}  // namespace
}  // namespace plumbline::checks
