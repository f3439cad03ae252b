#include "harness/proof/witness/stop.hpp"

#include <gtest/gtest.h>

#include "harness/proof/witness/testing/exchange.hpp"

namespace plumbline::proof {
namespace {

using testing::ack;
using testing::Exchange;
using testing::reversed;
using testing::syn;
using testing::tcp;
using testing::udp;
using testing::unreachable;

const traffic::Packet kProbe = udp("192.168.99.11", "203.0.113.80");
const traffic::Packet kForwarded = udp("192.168.99.11", "203.0.113.80", 63);
const traffic::Packet kTranslated = udp("192.168.16.10", "203.0.113.80", 63);

std::string told(const Exchange& exchange) {
  const auto stop = who_stopped(exchange.journey, exchange.path);
  return stop ? to_text(*stop) : "nobody";
}

/// As far as into the host.
Exchange to_host(const traffic::Packet& packet = kProbe) {
  Exchange exchange;
  exchange.out("c1", "eth0", packet).in("host", "veth1", packet);
  return exchange;
}
/// As far as the target.
Exchange to_target() {
  Exchange exchange = to_host();
  exchange.out("host", "ens4", kTranslated).in("internet", "eth0", kTranslated);
  return exchange;
}
Exchange answered() {
  Exchange exchange = to_target();
  exchange.out("internet", "eth0", reversed(kTranslated), Leg::reply)
      .in("host", "ens4", reversed(kTranslated), Leg::reply)
      .out("host", "veth1", reversed(kProbe), Leg::reply)
      .in("c1", "eth0", reversed(kProbe), Leg::reply);
  return exchange;
}

TEST(Stop, NobodyStopsWhatIsAnswered) {
  EXPECT_EQ(told(answered()), "nobody");
  EXPECT_EQ(told(Exchange()), "nobody");
}

TEST(Stop, ARuleDrops) {
  Exchange exchange = to_host();
  exchange.hook("host", Hook::prerouting, "veth1", "", kProbe)
      .hook("host", Hook::forward, "veth1", "ens4", kForwarded, "drop")
      .drop("host", "NETFILTER_DROP", "nft_do_chain");
  EXPECT_EQ(told(exchange), "host forward: ip filter CHAIN handle 7: counter drop");
  const auto stop = who_stopped(exchange.journey, exchange.path);
  ASSERT_TRUE(stop);
  EXPECT_TRUE(stop->inside);
  EXPECT_EQ(stop->last, &exchange.journey.sightings.back());
  EXPECT_EQ(stop->drop, &exchange.path.drops.front());
  EXPECT_EQ(stop->passage, &exchange.path.passages.back());
}

TEST(Stop, APolicyDrops) {
  Exchange exchange = to_host();
  exchange.hook("host", Hook::forward, "veth1", "ens4", kForwarded, "drop");
  RuleMet& rule = exchange.path.passages.back().rules.back();
  rule.kind = RuleMet::Kind::policy;
  EXPECT_EQ(told(exchange), "host forward: ip filter CHAIN policy drop");
}

TEST(Stop, TheKernelDrops) {
  EXPECT_EQ(told(to_host().drop("host", "IP_RPFILTER", "ip_rcv_finish")),
            "host: kernel drop reason IP_RPFILTER in ip_rcv_finish");
}

TEST(Stop, NobodySaysWhy) {
  EXPECT_EQ(told(to_host()), "host: no kernel says why (came in by veth1, neither it nor an answer left)");
  EXPECT_EQ(
      told(to_host().hook("host", Hook::prerouting, "veth1", "", kProbe)),
      "host: no kernel says why (came in by veth1, neither it nor an answer left; last at hook prerouting)");
}

TEST(Stop, ItLeftAndArrivedNowhere) {
  Exchange exchange = to_host();
  exchange.out("host", "ens4", kTranslated);
  EXPECT_EQ(told(exchange), "beyond host:ens4: left, and arrived nowhere that is watched");
  EXPECT_FALSE(who_stopped(exchange.journey, exchange.path)->inside);
}

TEST(Stop, NothingIsConcludedFromALossyCapture) {
  Exchange exchange = to_host();
  exchange.journey.complete = false;
  EXPECT_EQ(told(exchange), "nobody");
  exchange.hook("host", Hook::forward, "veth1", "ens4", kForwarded, "drop");
  EXPECT_EQ(told(exchange), "host forward: ip filter CHAIN handle 7: counter drop");
}

TEST(Stop, ItsOwnNodeNeverLetItOut) {
  Exchange exchange;
  exchange.hook("c1", Hook::output, "", "eth0", kProbe, "drop");
  EXPECT_EQ(told(exchange), "c1 output: ip filter CHAIN handle 7: counter drop");
  EXPECT_EQ(who_stopped(exchange.journey, exchange.path)->last, nullptr);
  EXPECT_EQ(told(Exchange().drop("c1", "NEIGH_FAILED", "neigh_invalidate")),
            "c1: kernel drop reason NEIGH_FAILED in neigh_invalidate");
  EXPECT_EQ(told(Exchange().hook("c1", Hook::output, "", "eth0", kProbe)),
            "c1: no kernel says why (never seen leaving; last at hook output)");
}

TEST(Stop, TheAnswerIsDropped) {
  Exchange exchange = to_target();
  exchange.hook("host", Hook::forward, "veth1", "ens4", kForwarded)
      .out("internet", "eth0", reversed(kTranslated), Leg::reply)
      .in("host", "ens4", reversed(kTranslated), Leg::reply)
      .hook("host", Hook::input, "ens4", "", reversed(kTranslated), "drop", Leg::reply);
  EXPECT_EQ(told(exchange), "host input (the answer): ip filter CHAIN handle 7: counter drop");
}

TEST(Stop, TheAnswerIsDroppedWhereItWasWaitedFor) {
  Exchange exchange = answered();
  exchange.hook("c1", Hook::input, "eth0", "", reversed(kProbe), "drop", Leg::reply);
  EXPECT_EQ(told(exchange), "c1 input (the answer): ip filter CHAIN handle 7: counter drop");
}

TEST(Stop, TheAnswerNeverLeft) {
  Exchange exchange = to_target();
  exchange.hook("internet", Hook::output, "", "eth0", reversed(kTranslated), "drop", Leg::reply);
  EXPECT_EQ(told(exchange), "internet output (the answer): ip filter CHAIN handle 7: counter drop");
}

TEST(Stop, TheAnswerComesFromBeyondAndIsLost) {
  Exchange exchange = to_host();
  exchange.out("host", "ens4", kTranslated).in("host", "ens4", reversed(kTranslated), Leg::reply);
  EXPECT_EQ(told(exchange), "host (the answer): no kernel says why (came in by ens4, never left)");
}

TEST(Stop, ItArrivedAndNobodyAnswered) {
  EXPECT_EQ(told(to_target()),
            "internet: no kernel says why (came in by eth0, neither it nor an answer left)");
}

TEST(Stop, AnErrorNamesItsSender) {
  Exchange exchange = to_host();
  const traffic::Packet error = unreachable("192.168.99.1", kProbe, 0);
  exchange.out("host", "veth1", error, Leg::error).in("c1", "eth0", error, Leg::error);
  EXPECT_EQ(told(exchange), "host: it sent ICMP network unreachable");
  const auto stop = who_stopped(exchange.journey, exchange.path);
  EXPECT_EQ(stop->last->interface, "veth1");
  EXPECT_EQ(stop->error, &exchange.journey.sightings[2]);
  exchange.hook("host", Hook::forward, "veth1", "ens4", kForwarded, "reject");
  EXPECT_EQ(told(exchange), "host forward: ip filter CHAIN handle 7: counter reject");
}

TEST(Stop, AnErrorFromBeyondNamesItsSender) {
  Exchange exchange = to_host();
  exchange.out("host", "ens4", kTranslated)
      .in("host", "ens4", unreachable("192.168.16.1", kTranslated, 1), Leg::error);
  EXPECT_EQ(told(exchange), "192.168.16.1, beyond host:ens4, sent ICMP host unreachable");
}

const traffic::Packet kSyn = tcp("192.168.99.11", "203.0.113.80", syn(1000), 1);

TEST(Stop, AResetInTheTargetsNameIsNoAnswer) {
  Exchange exchange = to_host(kSyn);
  traffic::TcpHeader reset = ack(0, 1001);
  reset.rst = true;
  const traffic::Packet answer = reversed(tcp("192.168.99.11", "203.0.113.80", reset, 2));
  exchange.hook("host", Hook::forward, "veth1", "ens4", kSyn, "reject")
      .out("host", "veth1", answer, Leg::reply)
      .in("c1", "eth0", answer, Leg::reply);
  EXPECT_EQ(told(exchange), "host forward: ip filter CHAIN handle 7: counter reject");
}

TEST(Stop, OfARetransmissionTheFirstSendingDecides) {
  Exchange exchange = to_host(kSyn);
  const traffic::Packet again = tcp("192.168.99.11", "203.0.113.80", syn(1000), 2);
  exchange.hook("host", Hook::forward, "veth1", "ens4", kSyn, "drop").out("c1", "eth0", again);
  const auto stop = who_stopped(exchange.journey, exchange.path);
  ASSERT_TRUE(stop);
  EXPECT_EQ(stop->last, &exchange.journey.sightings[1]);
  EXPECT_EQ(stop->node, "host");
}

TEST(Stop, WhatGotThroughWhenSentAgainWasNotStopped) {
  Exchange exchange = to_host(kSyn);
  const traffic::Packet again = tcp("192.168.99.11", "203.0.113.80", syn(1000), 2);
  const traffic::Packet answer = reversed(tcp("192.168.99.11", "203.0.113.80", syn(5000), 3));
  exchange.hook("host", Hook::forward, "veth1", "ens4", kSyn, "drop")
      .out("c1", "eth0", again)
      .in("target", "eth0", again)
      .out("target", "eth0", answer, Leg::reply)
      .in("c1", "eth0", answer, Leg::reply);
  EXPECT_EQ(told(exchange), "nobody");
}

TEST(Stop, AConnectionThatIsMadeCanLoseItsContent) {
  Exchange exchange = to_host(kSyn);
  const traffic::Packet answer = reversed(tcp("192.168.99.11", "203.0.113.80", syn(5000), 3));
  const traffic::Packet bare = tcp("192.168.99.11", "203.0.113.80", ack(1001, 5001), 4);
  const traffic::Packet content = tcp("192.168.99.11", "203.0.113.80", ack(1001, 5001), 5, 1400);
  exchange.in("target", "eth0", kSyn)
      .out("target", "eth0", answer, Leg::reply)
      .in("c1", "eth0", answer, Leg::reply)
      .out("c1", "eth0", bare)
      .in("target", "eth0", bare)
      .out("c1", "eth0", content)
      .in("host", "veth1", content);
  EXPECT_EQ(told(exchange), "host: no kernel says why (came in by veth1, neither it nor an answer left)");
  EXPECT_EQ(who_stopped(exchange.journey, exchange.path)->last, &exchange.journey.sightings.back());
}

TEST(Stop, ALostAcknowledgmentIsNoLoss) {
  Exchange exchange = to_host(kSyn);
  const traffic::Packet answer = reversed(tcp("192.168.99.11", "203.0.113.80", syn(5000), 3));
  exchange.in("target", "eth0", kSyn)
      .out("target", "eth0", answer, Leg::reply)
      .in("c1", "eth0", answer, Leg::reply)
      .out("c1", "eth0", tcp("192.168.99.11", "203.0.113.80", ack(1001, 5001), 4));
  EXPECT_EQ(told(exchange), "nobody");
}

}  // namespace
}  // namespace plumbline::proof
