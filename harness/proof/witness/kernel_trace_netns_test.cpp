#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>

#include "harness/kernel/iptables_legacy/testing/command.hpp"
#include "harness/kernel/nftables/names.hpp"
#include "harness/kernel/nftables/nftables.hpp"
#include "harness/kernel/nftables/testing/loopback.hpp"
#include "harness/proof/witness/kernel_trace.hpp"

namespace plumbline::proof {
namespace {

using kernel::Netns;
using kernel::testing_support::has_tool;
using kernel::testing_support::run_in;
using kernel::testing_support::send_udp;
using kernel::testing_support::with_loopback;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint64_t kNonce = 0x504C'4142'4344'4546ULL;
constexpr std::string_view kPayload = "PLABCDEF and more";

class KernelTraceTest : public testing::Test {
 protected:
  KernelPath probe(KernelTrace& trace, std::uint16_t port = 9) {
    const WatchId watch = observer_.watch(NonceKey{kNonce, 0, port});
    const auto before = trace.mark();
    send_udp(netns_, kPayload, port);
    trace.drain();
    return trace.path(observer_, watch, before, [](const std::string&) { return 0U; });
  }
  KernelTrace& open(KernelTrace& trace) {
    trace.watch({{"host", &netns_}});
    return trace;
  }

  Netns netns_ = with_loopback();
  boost::asio::io_context loop_;
  Observer observer_;
};

/// "input filter INPUT: drop".
std::vector<std::string> rules(const KernelPath& path) {
  std::vector<std::string> lines;
  for (const Passage& passage : path.passages) {
    for (const RuleMet& rule : passage.rules) {
      lines.push_back(fmt::format("{} {} {}: {} {}", kernel::nft::to_string(passage.hook), rule.table,
                                  rule.chain, rule.text, rule.verdict));
    }
  }
  return lines;
}

TEST_F(KernelTraceTest, TellsAProbesHooksAndRules) {
  kernel::nft::load_text(netns_,
                         "table inet u {\n chain i { type filter hook input priority 0;\n"
                         "  counter log prefix \"[IN] \"\n  udp dport 9 drop\n }\n}\n",
                         "nft");
  KernelTrace trace(loop_.get_executor());
  const KernelPath path = probe(open(trace));
  EXPECT_EQ(path.blind("host"), std::nullopt);
  EXPECT_EQ(to_text(path.hooks("host", Leg::forward)), "output, postrouting, prerouting, input");
  EXPECT_THAT(rules(path), ElementsAre("input u i: counter log prefix \"[IN] \" continue",
                                       "input u i: udp dport 9 drop drop"));
  EXPECT_EQ(path.passages.back().verdict, "drop");
  EXPECT_EQ(path.passages.back().iif, "lo");
  EXPECT_THAT(path.passages.back().packet, HasSubstr("127.0.0.1"));
}

TEST_F(KernelTraceTest, SeesARulesetThatChangedMeanwhile) {
  KernelTrace trace(loop_.get_executor());
  open(trace);
  EXPECT_TRUE(rules(probe(trace)).empty());
  const char* text =
      "flush ruleset\ntable inet u {\n chain i { type filter hook input priority 0; udp dport %d drop; "
      "}\n}\n";
  for (const char* port : {"9", "8"}) {
    std::string loaded = text;
    loaded.replace(loaded.find("%d"), 2, port);
    kernel::nft::load_text(netns_, loaded, "nft");
    const auto met = rules(probe(trace, port[0] == '9' ? 9 : 8));
    EXPECT_THAT(met, ElementsAre(fmt::format("input u i: udp dport {} drop drop", port)));
  }
}

TEST_F(KernelTraceTest, TellsRulesOfBothIptables) {
  for (const char* tool : {"iptables-nft", "iptables-legacy"}) {
    if (!has_tool(tool)) GTEST_SKIP() << tool << " is not installed";
    netns_ = with_loopback();
    KernelTrace trace(loop_.get_executor());
    open(trace);
    run_in(
        netns_,
        fmt::format("{0} -A INPUT -i lo -j LOG --log-prefix '[IN] ' && {0} -A INPUT -p udp -j REJECT", tool));
    const KernelPath path = probe(trace);
    EXPECT_EQ(path.blind("host"), std::nullopt) << tool;
    // With iptables-legacy the error that the reject makes is known, too.
    const auto own = [](const Passage& each) { return each.leg == Leg::forward && each.hook == Hook::input; };
    const auto found = std::ranges::find_if(path.passages, own);
    ASSERT_NE(found, path.passages.end()) << tool;
    const Passage& input = *found;
    EXPECT_EQ(input.verdict, "reject") << tool;
    ASSERT_EQ(input.rules.size(), 2U) << tool;
    EXPECT_EQ(input.rules[0].log_prefix, "[IN] ") << tool;
    EXPECT_EQ(input.rules[0].chain, "INPUT") << tool;
    EXPECT_THAT(input.rules[0].text, HasSubstr("[IN] ")) << tool;
  }
}

TEST_F(KernelTraceTest, SaysWhatItCouldNotHear) {
  kernel::nft::load_text(netns_, "table inet plumbline {\n}\n", "nft");
  KernelTrace refused(loop_.get_executor());
  const KernelPath path = probe(open(refused));
  EXPECT_TRUE(path.passages.empty());
  EXPECT_THAT(path.blind("host").value_or(""), HasSubstr("File exists"));
}

TEST_F(KernelTraceTest, TracesBridgesFromTheNextLookOnWhereTheyHaveRules) {
  const auto tables = [&] { return kernel::nft::list_text(netns_); };
  const auto problem = [&](KernelTrace& trace) { return probe(trace).blind("host").value_or(""); };
  const char* chain = "table bridge u {\n chain f { type filter hook forward priority 0; }\n}\n";
  KernelTrace trace(loop_.get_executor());
  EXPECT_EQ(problem(open(trace)), "");
  EXPECT_THAT(tables(), testing::Not(HasSubstr("table bridge")));
  kernel::nft::load_text(netns_, chain, "nft");
  EXPECT_EQ(problem(open(trace)), "");
  EXPECT_THAT(tables(), HasSubstr("table bridge plumbline"));
  kernel::nft::load_text(netns_, "delete table bridge u\n", "nft");
  open(trace);
  EXPECT_THAT(tables(), testing::Not(HasSubstr("table bridge")));
  kernel::nft::load_text(netns_, std::string(chain) + "table bridge plumbline {\n}\n", "nft");
  EXPECT_THAT(problem(open(trace)), HasSubstr("File exists"));
}

TEST_F(KernelTraceTest, SaysThatReportsWereLost) {
  TraceOptions tiny;
  tiny.buffer_bytes = 2048;
  KernelTrace trace(loop_.get_executor(), tiny);
  open(trace);
  const WatchId watch = observer_.watch(NonceKey{kNonce, 0, 9});
  const auto before = trace.mark();
  for (int i = 0; i < 200; ++i) send_udp(netns_, kPayload);
  trace.drain();
  const KernelPath path = trace.path(observer_, watch, before, [](const std::string&) { return 0U; });
  EXPECT_THAT(path.blind("host").value_or(""), HasSubstr("no room"));
}

TEST_F(KernelTraceTest, ReadsOnTheEventLoopAndLetsGoOfNodes) {
  KernelTrace trace(loop_.get_executor());
  open(trace);
  const WatchId watch = observer_.watch(NonceKey{kNonce, 0, 9});
  send_udp(netns_, kPayload);
  loop_.run_one();
  EXPECT_EQ(trace.path(observer_, watch, trace.mark(), [](const std::string&) { return 0U; }).passages.size(),
            4U);
  trace.watch({});
  EXPECT_THAT(kernel::nft::list_text(netns_), testing::Not(HasSubstr("plumbline")));
  EXPECT_TRUE(trace.path(observer_, watch, {}, [](const std::string&) { return 0U; }).blind("host"));
  loop_.poll();
}

}  // namespace
}  // namespace plumbline::proof
