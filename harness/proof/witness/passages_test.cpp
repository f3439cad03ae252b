#include "harness/proof/witness/passages.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/kernel/nftables/names.hpp"

namespace plumbline::proof {
namespace {

using kernel::nft::TraceEvent;
using testing::ElementsAre;

/// An IPv4 datagram of that id, cut behind its UDP header.
std::vector<std::uint8_t> packet(std::uint8_t id) {
  return {0x45, 0, 0, 36, 0, id, 0, 0,    64, 17,   0, 0, 10,   0,    0, 1,
          10,   0, 0, 2,  0, 9,  0, 0x10, 0,  0x10, 0, 0, 0x50, 0x4C, 0, 0};
}

class Made {
 public:
  Made() {
    rules.nft.chains[{"inet", "filter", "forward"}] = {Hook::forward, 10};
    rules.nft.rules[{"inet", "filter", "forward", 1}] = {"log prefix \"x \"", "x ", false};
    rules.nft.rules[{"inet", "filter", "forward", 2}] = {"reject", std::nullopt, true};
    kernel::iptables::Table table;
    table["FORWARD"].rules = {{"-A FORWARD -j LOG --log-prefix y", "LOG", "continue", "y"},
                              {"-A FORWARD -j DROP", "DROP", "drop", std::nullopt}};
    table["FORWARD"].policy = "accept";
    rules.legacy[{IpFamily::v4, "filter"}] = table;
    rules.interface_name = [](unsigned index) { return fmt::format("if{}", index); };
  }

  Made& hook(Hook hook, std::uint8_t id = 1, Leg leg = Leg::forward) {
    return chain("plumbline", kernel::nft::to_string(hook), id, {{0, "accept"}}, leg);
  }
  Made& bridge_hook(Hook hook, std::uint8_t id = 1, unsigned oif = 4) {
    return chain("plumbline", kernel::nft::to_string(hook), id, {{0, "accept"}}).of_bridge(oif);
  }
  /// The last report was from a bridge's hook, towards that port.
  Made& of_bridge(unsigned oif = 4) {
    auto report = std::make_shared<ChainReport>(*reports.nft.back().report);
    for (TraceEvent& event : report->events) event.family = "bridge";
    report->headers.oif = oif;
    reports.nft.back().report = report;
    return *this;
  }
  Made& chain(const std::string& table, const std::string& chain, std::uint8_t id,
              const std::vector<std::pair<std::uint64_t, std::string>>& steps, Leg leg = Leg::forward) {
    auto report = std::make_shared<ChainReport>();
    report->id = id;
    report->headers = {packet(id), 3, 4};
    for (const auto& [handle, verdict] : steps) {
      TraceEvent event;
      event.id = id;
      event.family = "inet";
      event.table = table;
      event.chain = chain;
      event.handle = handle;
      event.verdict = verdict;
      event.type = handle == 0 ? TraceEvent::Type::policy : TraceEvent::Type::rule;
      report->events.push_back(event);
    }
    reports.nft.push_back({report, leg});
    return *this;
  }
  Made& legacy(kernel::iptables::TraceEvent::Type type, unsigned number, std::uint8_t id = 1) {
    kernel::iptables::TraceEvent event;
    event.hook = 2;
    event.table = "filter";
    event.chain = "FORWARD";
    event.type = type;
    event.number = number;
    event.packet = packet(id);
    reports.legacy.push_back({event, Leg::forward});
    return *this;
  }
  std::vector<Passage> passages() const { return proof::passages("host", reports, rules); }

  NodeReports reports;
  Rulebook rules;
};

/// "forward: log prefix "x " continue; …= reject".
std::vector<std::string> told(const std::vector<Passage>& passages) {
  std::vector<std::string> lines;
  for (const Passage& passage : passages) {
    std::string line = passage.hook_text();
    for (const RuleMet& rule : passage.rules) {
      line += fmt::format(" {} [{}]", rule.text.empty() ? "policy" : rule.text, rule.verdict);
    }
    lines.push_back(fmt::format("{} = {}", line, passage.verdict));
  }
  return lines;
}

using Type = kernel::iptables::TraceEvent::Type;

TEST(Passages, TellNoRuleThatIsNone) {
  Made made;
  made.hook(Hook::forward).chain("filter", "forward", 1, {{1, "continue"}, {0, "drop"}});
  auto report = std::make_shared<ChainReport>(*made.reports.nft.back().report);
  TraceEvent end = report->events.back();
  end.type = TraceEvent::Type::rule;
  end.verdict = "continue";
  report->events.insert(report->events.begin() + 1, end);
  made.reports.nft.back().report = report;
  EXPECT_EQ(made.passages().front().rules.size(), 2U);
}

TEST(Passages, OurOwnTableTellsTheHooksAndIsNotShown) {
  Made made;
  made.hook(Hook::prerouting)
      .hook(Hook::forward)
      .chain("filter", "forward", 1, {{1, "continue"}, {0, "accept"}});
  made.hook(Hook::postrouting);
  const auto passages = made.passages();
  EXPECT_THAT(told(passages), ElementsAre("prerouting = accept",
                                          "forward log prefix \"x \" [continue] policy [accept] = accept",
                                          "postrouting = accept"));
  EXPECT_EQ(passages[0].iif, "if3");
  EXPECT_EQ(passages[0].oif, "");
  EXPECT_EQ(passages[1].oif, "if4");
  EXPECT_EQ(passages[2].iif, "");
  EXPECT_EQ(passages[1].rules[0].log_prefix, "x ");
  EXPECT_EQ(passages[1].source, *IpAddress::parse("10.0.0.1"));
}

TEST(Passages, OfTwoThatTraceEachHasAHookOfItsOwn) {
  Made made;
  made.rules.own_table = "plumbline-42";
  made.chain("plumbline-42", "forward", 1, {{0, "accept"}})
      .chain("plumbline-7", "forward", 1, {{0, "accept"}});
  made.chain("filter", "forward", 1, {{1, "continue"}, {0, "accept"}});
  EXPECT_THAT(told(made.passages()), ElementsAre("forward log prefix \"x \" [continue] policy [accept] = "));
}

TEST(Passages, ADropThatRejectsIsAReject) {
  Made made;
  made.hook(Hook::forward).chain("filter", "forward", 1, {{2, "drop"}});
  EXPECT_THAT(told(made.passages()), ElementsAre("forward reject [reject] = reject"));
}

TEST(Passages, WhatIsNotSeenAtPostroutingIsNotKnownToBeAccepted) {
  Made made;
  made.hook(Hook::forward).hook(Hook::postrouting, 2);  // of another packet
  EXPECT_THAT(told(made.passages()), ElementsAre("forward = ", "postrouting = accept"));
}

TEST(Passages, BothBackEndsRulesComeByPriority) {
  Made made;
  made.hook(Hook::forward)
      .chain("filter", "forward", 1, {{1, "continue"}, {0, "accept"}})
      .hook(Hook::postrouting);
  made.legacy(Type::rule, 1).legacy(Type::policy, 3);  // priority 0, before nftables' 10
  EXPECT_THAT(told(made.passages()),
              ElementsAre("forward -A FORWARD -j LOG --log-prefix y [continue] policy [accept] "
                          "log prefix \"x \" [continue] policy [accept] = accept",
                          "postrouting = accept"));
}

TEST(Passages, AfterWhatStopsAPacketNothingComes) {
  Made made;
  made.rules.nft.chains[{"inet", "filter", "forward"}].priority = 0;
  made.hook(Hook::forward).chain("filter", "forward", 1, {{2, "drop"}});
  made.legacy(Type::rule, 1).legacy(Type::policy, 3);
  EXPECT_THAT(told(made.passages()), ElementsAre("forward -A FORWARD -j LOG --log-prefix y [continue] "
                                                 "policy [accept] reject [reject] = reject"));
}

TEST(Passages, ALegacyRuleWithoutMatchesIsReportedAsThePolicyIs) {
  Made made;
  made.hook(Hook::forward).legacy(Type::policy, 2);
  EXPECT_THAT(told(made.passages()), ElementsAre("forward -A FORWARD -j DROP [drop] = drop"));
}

TEST(Passages, APacketSentAgainHasItsOwnLegacyRules) {
  Made made;
  made.hook(Hook::forward).hook(Hook::forward);
  made.legacy(Type::rule, 1).legacy(Type::policy, 2).legacy(Type::rule, 1).legacy(Type::policy, 2);
  const std::string each =
      "forward -A FORWARD -j LOG --log-prefix y [continue] -A FORWARD -j DROP [drop] = drop";
  EXPECT_THAT(told(made.passages()), ElementsAre(each, each));
}

TEST(Passages, ABridgesHooksAreNotIps) {
  Made made;
  made.rules.nft.rules[{"bridge", "filter", "forward", 7}] = {"ip daddr 10.0.0.2 drop", std::nullopt, false};
  made.bridge_hook(Hook::prerouting).bridge_hook(Hook::forward);
  // As br_netfilter calls them: IP's hook amid the bridge's, whose later chains follow.
  made.hook(Hook::forward).chain("filter", "forward", 1, {{1, "continue"}, {0, "accept"}});
  made.chain("filter", "forward", 1, {{7, "drop"}}).of_bridge();
  const auto passages = made.passages();
  EXPECT_THAT(told(passages),
              ElementsAre("bridge prerouting = accept", "bridge forward ip daddr 10.0.0.2 drop [drop] = drop",
                          "forward log prefix \"x \" [continue] policy [accept] = "));
  EXPECT_EQ(passages[1].iif, "if3");
  EXPECT_EQ(passages[1].oif, "if4");
  EXPECT_EQ(passages[1].copies, Passage::Copies::none);
}

TEST(Passages, ALegacyRuleIsAtIpsHook) {
  Made made;
  made.bridge_hook(Hook::forward).hook(Hook::forward).legacy(Type::policy, 2);
  EXPECT_THAT(told(made.passages()),
              ElementsAre("bridge forward = ", "forward -A FORWARD -j DROP [drop] = drop"));
}

TEST(Passages, EachCopyOfAFrameHasItsOwnEnd) {
  Made made;
  made.bridge_hook(Hook::forward).chain("filter", "forward", 1, {{7, "drop"}}).of_bridge();
  made.bridge_hook(Hook::forward, 1, 5).bridge_hook(Hook::postrouting, 1, 5);
  const auto passages = made.passages();
  EXPECT_THAT(told(passages), ElementsAre("bridge forward policy [drop] = drop", "bridge forward = accept",
                                          "bridge postrouting = accept"));
  EXPECT_EQ(passages[0].copies, Passage::Copies::went_on);
  EXPECT_EQ(passages[0].stopper(), nullptr);
}

TEST(Passages, LegacyReportsAloneTellTheirHook) {
  Made made;
  made.legacy(Type::policy, 3);
  EXPECT_EQ(made.passages().size(), 1U);
  Made strange;
  strange.legacy(Type::policy, 3);
  strange.reports.legacy[0].event.hook = 17;
  strange.reports.legacy[0].event.packet = {0x45};
  EXPECT_TRUE(strange.passages().empty());
}

TEST(KernelPath, HooksAreThoseOfTheFirstPacket) {
  KernelPath path;
  for (int round = 0; round < 2; ++round) {
    for (const Hook hook : {Hook::prerouting, Hook::forward, Hook::postrouting}) {
      Passage& passage = path.passages.emplace_back();
      passage.node = "host";
      passage.hook = hook;
    }
  }
  EXPECT_EQ(to_text(path.hooks("host", Leg::forward)), "prerouting, forward, postrouting");
  EXPECT_EQ(to_text(path.hooks("host", Leg::reply)), "none");
  EXPECT_EQ(to_text(path.hooks("router", Leg::forward)), "none");
  Passage& frame = path.passages.emplace_back();
  frame.node = "switch";
  frame.bridge = true;
  EXPECT_EQ(to_text(path.hooks("switch", Leg::forward)), "none");
  EXPECT_FALSE(path.passed("switch", Leg::forward));
  EXPECT_TRUE(path.blind("host"));
  path.nodes = {{"host", "", true}};
  EXPECT_FALSE(path.blind("host"));
}

}  // namespace
}  // namespace plumbline::proof
