#include "harness/engine/check/kernel_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/engine/check/check.hpp"
#include "harness/proof/witness/testing/exchange.hpp"

namespace plumbline::engine {
namespace {

using proof::Hook;
using proof::Leg;
using proof::testing::Exchange;
using proof::testing::reversed;
using proof::testing::udp;
using ::testing::ElementsAre;

const traffic::Packet kProbe = udp("192.168.99.11", "203.0.113.80");
const traffic::Packet kTranslated = udp("192.168.16.10", "203.0.113.80", 63);

std::vector<std::string> told(const std::vector<KernelEvent>& events) {
  std::vector<std::string> lines;
  for (const KernelEvent& event : events) {
    lines.push_back(std::to_string(event.after) + " " + event.node + " " + event.hook + event.drop_reason +
                    " " + event.leg);
  }
  return lines;
}

Exchange to_host() {
  Exchange exchange;
  exchange.out("c1", "eth0", kProbe).in("host", "veth1", kProbe);
  return exchange;
}

TEST(KernelEvents, StandWhereTheyHappened) {
  Exchange exchange = to_host();
  exchange.hook("c1", Hook::output, "", "eth0", kProbe)
      .hook("host", Hook::prerouting, "veth1", "", kProbe)
      .hook("host", Hook::forward, "veth1", "ens4", kProbe, "drop")
      .drop("host", "NETFILTER_DROP", "nft_do_chain");
  EXPECT_THAT(told(kernel_events(exchange.journey, exchange.path)),
              ElementsAre("0 c1 output forward", "2 host prerouting forward", "2 host forward forward",
                          "2 host NETFILTER_DROP forward"));
}

TEST(KernelEvents, TellTheRuleInFull) {
  Exchange exchange = to_host();
  exchange.hook("host", Hook::forward, "veth1", "ens4", kProbe, "drop");
  exchange.path.passages.back().rules.back().comment = "keep out";
  exchange.path.passages.back().rules.back().packets = 3;
  const auto events = kernel_events(exchange.journey, exchange.path);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].handle, 7U);
  EXPECT_EQ(events[0].comment, "keep out");
  EXPECT_EQ(events[0].packets, 3U);
  EXPECT_EQ(events[0].rule, "counter drop");
  EXPECT_EQ(events[0].table, "ip filter");
}

TEST(KernelEvents, TellWhatIsMetAgainOnce) {
  Exchange exchange = to_host();
  exchange.out("c1", "eth0", udp("192.168.99.11", "203.0.113.80", 64, 8));
  for (const std::uint16_t id : {std::uint16_t{7}, std::uint16_t{8}}) {
    exchange.hook("c1", Hook::output, "", "eth0", udp("192.168.99.11", "203.0.113.80", 64, id), "accept");
    exchange.drop("c1", "NEIGH_FAILED", "neigh_invalidate");
  }
  EXPECT_THAT(told(kernel_events(exchange.journey, exchange.path)),
              ElementsAre("0 c1 output forward", "3 c1 NEIGH_FAILED forward"));
}

TEST(Steps, SayTheirLegAndWhatIsTranslated) {
  Exchange exchange = to_host();
  exchange.out("host", "ens4", kTranslated)
      .out("internet", "eth0", reversed(kTranslated), Leg::reply)
      .out("host", "veth1", reversed(kProbe), Leg::reply);
  std::vector<std::string> lines;
  for (const JourneyStep& step : steps(exchange.journey, nullptr))
    lines.push_back(step.leg + ": " + step.translated);
  EXPECT_THAT(lines,
              ElementsAre("forward: ", "forward: ", "forward: source", "reply: ", "reply: destination"));
}

TEST(Steps, SayATranslatedPort) {
  Exchange exchange = to_host();
  traffic::Packet hairpin = udp("192.168.99.1", "192.168.99.12");
  std::get<traffic::UdpHeader>(hairpin.transport).destination_port = 5353;
  exchange.out("host", "veth2", hairpin);
  traffic::Packet port = kProbe;
  std::get<traffic::UdpHeader>(port.transport).source_port = 1;
  exchange.out("host", "ens4", port);
  const auto all = steps(exchange.journey, nullptr);
  EXPECT_EQ(all[2].translated, "source, destination");
  EXPECT_EQ(all[3].translated, "source");
}

TEST(Tell, SaysWhoStoppedIt) {
  Exchange exchange = to_host();
  exchange.hook("host", Hook::forward, "veth1", "ens4", kProbe, "drop");
  Outcome outcome;
  outcome.journey = exchange.journey;
  outcome.kernel = exchange.path;
  CheckResult result;
  tell(outcome, {}, result);
  EXPECT_EQ(result.stopped, "host forward: ip filter CHAIN handle 7: counter drop");
  EXPECT_EQ(result.journey.size(), 2U);
  EXPECT_EQ(result.kernel.size(), 1U);
  EXPECT_FALSE(result.frames_lost);
  outcome.journey.complete = false;
  tell(outcome, {}, result);
  EXPECT_TRUE(result.frames_lost);
}

}  // namespace
}  // namespace plumbline::engine
