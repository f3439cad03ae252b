#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "harness/base/error.hpp"
#include "harness/kernel/nftables/listing.hpp"
#include "harness/kernel/nftables/nftables.hpp"
#include "harness/kernel/nftables/testing/loopback.hpp"
#include "harness/kernel/nftables/trace.hpp"

namespace plumbline::kernel::nft {
namespace {

using kernel::testing_support::send_udp;
using kernel::testing_support::with_loopback;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// "inet u f: drop", of all that is not our own table's.
std::vector<std::string> others(const std::vector<TraceEvent>& events) {
  std::vector<std::string> lines;
  for (const TraceEvent& event : events) {
    if (event.table == Trace::kTable) continue;
    lines.push_back(fmt::format("{} {} {}: {}", event.family, event.table, event.chain, event.verdict));
  }
  return lines;
}

std::vector<std::string> hooks(const std::vector<TraceEvent>& events) {
  std::vector<std::string> names;
  for (const TraceEvent& event : events) {
    if (const auto at = Trace::place_of(event)) names.push_back(to_string(at->hook));
  }
  return names;
}

/// Those of the datagram itself: where nobody listens, an ICMP error follows.
std::vector<TraceEvent> of_udp(const std::vector<TraceEvent>& events) {
  std::map<std::uint32_t, bool> is_udp;
  std::vector<TraceEvent> kept;
  for (const TraceEvent& event : events) {
    if (event.headers) {
      const auto& packet = event.headers->packet;
      is_udp[event.id] = packet.size() > 9 && packet[packet[0] >> 4U == 4 ? 9 : 6] == 17;
    }
    if (is_udp[event.id]) kept.push_back(event);
  }
  return kept;
}

/// What the events name.
Listing list(const Netns& netns, const std::vector<TraceEvent>& events) {
  std::set<Listing::ChainKey> chains;
  for (const TraceEvent& event : events) chains.emplace(event.family, event.table, event.chain);
  Listing listing;
  Lister(netns).complete(listing, chains);
  return listing;
}

TEST(NftTrace, TellsEveryHookThatAPacketPasses) {
  const Netns netns = with_loopback();
  Trace trace(netns);
  send_udp(netns, "PL and more");
  EXPECT_THAT(hooks(of_udp(trace.take())), ElementsAre("output", "postrouting", "prerouting", "input"));
  EXPECT_TRUE(trace.take().empty());
  send_udp(netns, "PL and more", 9, true);
  EXPECT_THAT(hooks(of_udp(trace.take())), ElementsAre("output", "postrouting", "prerouting", "input"));
  EXPECT_EQ(trace.lost(), 0U);
}

TEST(NftTrace, TellsTheErrorAboutAPacketWithTheStartOfWhatItQuotes) {
  for (const bool v6 : {false, true}) {
    const Netns netns = with_loopback();
    Trace trace(netns);
    send_udp(netns, "PL and more", 9, v6);
    auto events = trace.take();
    EXPECT_THAT(hooks(events), ElementsAre("output", "postrouting", "prerouting", "input", "output",
                                           "postrouting", "prerouting", "input"));
    ASSERT_TRUE(!events.empty() && events[4].headers);
    const auto& packet = events[4].headers->packet;
    const std::size_t header = v6 ? 40 : 20;
    ASSERT_EQ(packet.size(), header + 8 + 12);
    EXPECT_EQ(packet[header], v6 ? 1 : 3);
    EXPECT_EQ(packet[header + 8] >> 4U, v6 ? 6 : 4);
  }
}

TEST(NftTrace, MarksAtBridgesWhereOthersHaveChainsThere) {
  const Netns netns = with_loopback();
  Trace trace(netns);
  const auto heed = [&](const char* text) {
    load_text(netns, text, "nft");
    trace.heed_bridges(netns);
    return list_text(netns);
  };
  EXPECT_THAT(heed("table bridge u { chain jumped_to { drop; }; }"), Not(HasSubstr("bridge plumbline")));
  const char* chain = "table bridge u { chain f { type filter hook forward priority 0; }; }";
  EXPECT_THAT(heed(chain), HasSubstr("table bridge plumbline"));
  EXPECT_THAT(heed(chain), HasSubstr("table bridge plumbline"));
  EXPECT_THAT(heed("delete table bridge u"), Not(HasSubstr("bridge plumbline")));
  EXPECT_THAT(list_text(netns), HasSubstr("table inet plumbline"));
  EXPECT_THAT(heed(chain), HasSubstr("table bridge plumbline"));
}

TEST(NftTrace, TellsRulesWithThePacketsHeaders) {
  const Netns netns = with_loopback();
  load_text(
      netns,
      "table inet u {\n chain guard { udp dport 10 drop; }\n"
      " chain o { type filter hook output priority 0; policy accept; meta l4proto udp jump guard; }\n}\n",
      "nft");
  Trace trace(netns);
  send_udp(netns, "PL and more", 10);
  const auto events = trace.take();
  EXPECT_THAT(others(events), ElementsAre("inet u o: jump guard", "inet u guard: drop"));
  ASSERT_FALSE(events.empty());
  ASSERT_TRUE(events[0].headers);
  EXPECT_EQ(events[0].headers->packet.size(), 20U + 8U + 11U);  // fewer than 20 bytes of transport: all of it
  EXPECT_EQ(events[0].headers->oif, 1U);

  const Listing listing = list(netns, events);
  const ListedRule* rule = listing.rule("inet", "u", "guard", events.back().handle);
  ASSERT_NE(rule, nullptr);
  EXPECT_EQ(rule->text, "udp dport 10 drop");
  const ListedChain* chain = listing.chain("inet", "u", "o");
  ASSERT_NE(chain, nullptr);
  EXPECT_EQ(chain->hook, Hook::output);
  EXPECT_EQ(chain->priority, 0);
  EXPECT_EQ(listing.chain("inet", "u", "guard"), nullptr);
}

TEST(NftTrace, KnowsLogPrefixesAndRejects) {
  const Netns netns = with_loopback();
  load_text(netns,
            "table ip u {\n chain i { type filter hook input priority 0;\n"
            "  log prefix \"[IN] \"\n  udp dport 9 reject comment \"log prefix\"\n }\n}\n",
            "nft");
  Trace trace(netns);
  send_udp(netns, "PL");
  const auto events = of_udp(trace.take());
  EXPECT_THAT(others(events), ElementsAre("ip u i: continue", "ip u i: drop"));
  const Listing listing = list(netns, events);
  const ListedRule* log = listing.rule("ip", "u", "i", events[events.size() - 2].handle);
  const ListedRule* reject = listing.rule("ip", "u", "i", events.back().handle);
  ASSERT_TRUE(log != nullptr && reject != nullptr);
  EXPECT_EQ(log->log_prefix, "[IN] ");
  EXPECT_FALSE(log->rejects);
  EXPECT_EQ(reject->log_prefix, std::nullopt);
  EXPECT_TRUE(reject->rejects);
}

TEST(NftTrace, KnowsRulesOfAChainInsideARuleButForTheirText) {
  const Netns netns = with_loopback();
  load_text(netns,
            "table ip u {\n chain i { type filter hook input priority 0;\n"
            "  udp dport 9 jump { udp dport 9 reject; }\n }\n}\n",
            "nft");
  Trace trace(netns);
  send_udp(netns, "PL");
  const auto events = of_udp(trace.take());
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.back().verdict, "drop");
  const TraceEvent& inside = events.back();
  const TraceEvent& around = events[events.size() - 2];
  const Listing listing = list(netns, events);
  const ListedRule* reject = listing.rule("ip", "u", inside.chain, inside.handle);
  const ListedRule* jump = listing.rule("ip", "u", "i", around.handle);
  ASSERT_TRUE(reject != nullptr && jump != nullptr);
  EXPECT_TRUE(reject->rejects);
  EXPECT_EQ(reject->text, "");
  EXPECT_THAT(jump->text, HasSubstr("jump { udp dport 9 reject }"));
}

TEST(NftTrace, SurvivesAFlushAndGoesWithItsSocket) {
  const Netns netns = with_loopback();
  const std::uint32_t before = generation(netns);
  {
    Trace trace(netns);
    EXPECT_NE(generation(netns), before);
    load_text(netns, "flush ruleset\n", "nft");
    send_udp(netns, "PL");
    EXPECT_EQ(hooks(of_udp(trace.take())).size(), 4U);
    EXPECT_THAT(list_text(netns), HasSubstr("table inet plumbline"));
  }
  EXPECT_THAT(list_text(netns), Not(HasSubstr("plumbline")));
}

TEST(NftTrace, IsRefusedWhereTheTableIsSomebodyElses) {
  const Netns netns = with_loopback();
  load_text(netns, "table inet plumbline {\n}\n", "nft");
  EXPECT_THROW(Trace{netns}, Error);
}

TEST(NftTrace, TwoOfDifferentNamesAreAtWorkAtOnce) {
  const Netns netns = with_loopback();
  Trace first(netns, Trace::kBuffer, "plumbline-123456789");
  Trace second(netns, Trace::kBuffer, Trace::table_of_this_process());
  send_udp(netns, "PL");
  for (Trace* trace : {&first, &second}) {
    const std::string own = trace == &first ? "plumbline-123456789" : Trace::table_of_this_process();
    std::size_t hooks = 0;
    for (const TraceEvent& event : trace->take()) {
      EXPECT_TRUE(Trace::is_own(event.family, event.table)) << event.table;
      if (Trace::place_of(event, own)) ++hooks;
    }
    EXPECT_GE(hooks, 4U);
  }
}

TEST(NftTrace, OnlyTablesNamedLikeATracesAreTraces) {
  EXPECT_TRUE(Trace::is_own("inet", "plumbline"));
  EXPECT_TRUE(Trace::is_own("bridge", "plumbline-4711"));
  EXPECT_TRUE(Trace::is_own("inet", "plumbline-1-4026532345"));
  for (const char* others : {"plumbline-", "plumbline-x", "plumbline4", "plumblines", "filter"})
    EXPECT_FALSE(Trace::is_own("inet", others)) << others;
  EXPECT_FALSE(Trace::is_own("ip", "plumbline"));
}

TEST(NftTrace, SaysThatEventsWereLost) {
  const Netns netns = with_loopback();
  Trace trace(netns, 4096);
  for (int i = 0; i < 200; ++i) send_udp(netns, "PL");
  EXPECT_FALSE(trace.take().empty());
  EXPECT_GT(trace.lost(), 0U);
}

TEST(NftTrace, TakesABurst) {
  const Netns netns = with_loopback();
  Trace trace(netns);
  for (int i = 0; i < 400; ++i) send_udp(netns, "PL");
  EXPECT_EQ(hooks(of_udp(trace.take())).size(), 4U * 400U);
  EXPECT_EQ(trace.lost(), 0U);
}

}  // namespace
}  // namespace plumbline::kernel::nft
