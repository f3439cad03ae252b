#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <sstream>

#include "harness/base/error.hpp"
#include "harness/kernel/iptables_legacy/tables.hpp"
#include "harness/kernel/iptables_legacy/testing/command.hpp"
#include "harness/kernel/iptables_legacy/trace.hpp"
#include "harness/kernel/netns/sysctl.hpp"
#include "harness/kernel/nftables/testing/loopback.hpp"
#include "harness/kernel/nftables/trace.hpp"

namespace plumbline::kernel::iptables {
namespace {

using kernel::testing_support::has_tool;
using kernel::testing_support::run_in;
using kernel::testing_support::send_udp;
using kernel::testing_support::with_loopback;
using ::testing::ElementsAre;

class Legacy : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_tool("iptables-legacy")) GTEST_SKIP() << "iptables-legacy is not installed";
  }
};

std::vector<std::string> lines(const std::vector<TraceEvent>& events) {
  const char* const types[] = {"rule", "return", "policy"};
  std::vector<std::string> all;
  for (const TraceEvent& event : events) {
    all.push_back(fmt::format("{} {} {} {} hook {}", event.table, event.chain,
                              types[static_cast<std::size_t>(event.type)], event.number, event.hook));
  }
  return all;
}

/// The lines of a listing that are rules ("-A …").
std::vector<std::string> rule_lines(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> rules;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("-A ")) rules.push_back(line);
  }
  return rules;
}

TEST_F(Legacy, TellsEveryRuleThatAPacketMeets) {
  const Netns netns = with_loopback();
  run_in(netns,
         "iptables-legacy -N guard && iptables-legacy -A guard -p udp --dport 77 -j DROP && "
         "iptables-legacy -A INPUT -j LOG --log-prefix '[IN] ' && iptables-legacy -A INPUT -p udp -j guard");
  nft::Trace marks(netns);
  Trace trace(netns);
  send_udp(netns, "PL");
  EXPECT_THAT(lines(trace.take()), ElementsAre("filter OUTPUT policy 1 hook 3", "filter INPUT rule 1 hook 1",
                                               "filter INPUT rule 2 hook 1", "filter guard return 2 hook 1",
                                               "filter INPUT policy 3 hook 1",
                                               // The error that says that nobody listens.
                                               "filter OUTPUT policy 1 hook 3", "filter INPUT rule 1 hook 1",
                                               "filter INPUT policy 3 hook 1"));
  send_udp(netns, "PL", 77);
  EXPECT_THAT(lines(trace.take()), testing::Contains("filter guard rule 1 hook 1"));
  EXPECT_EQ(trace.lost(), 0U);
}

TEST_F(Legacy, GivesTheLoggerBack) {
  const Netns netns = with_loopback();
  const auto before = read_sysctl(netns, "net.netfilter.nf_log.2");
  {
    const Trace trace(netns);
    EXPECT_EQ(read_sysctl(netns, "net.netfilter.nf_log.2"), "nfnetlink_log");
    EXPECT_EQ(read_sysctl(netns, "net.netfilter.nf_log.10"), "nfnetlink_log");
    EXPECT_THROW(Trace{netns}, Error);  // log group 0 has one listener
  }
  EXPECT_EQ(read_sysctl(netns, "net.netfilter.nf_log.2"), before);
}

TEST_F(Legacy, SaysRulesAsIptablesDoes) {
  const Netns netns = with_loopback();
  const std::vector<std::string> rules{
      "-A FORWARD -s 192.168.99.0/24 ! -d 10.0.0.0/8 -i bridge0 -o ens+ -p tcp -m tcp --dport 80 -j ACCEPT",
      "-A FORWARD -s 172.16.0.0/255.255.0.255 -p udp -m udp --sport 1:53 ! --dport 7 -j guard",
      "-A FORWARD ! -i lo -p icmp -m comment --comment \"say \\\"hi\\\"\" -j LOG --log-prefix \"[FORWARD] \"",
      "-A FORWARD -p 200 -g guard",
      "-A FORWARD -j REJECT --reject-with icmp-port-unreachable",
      "-A FORWARD -j REJECT --reject-with icmp-admin-prohibited",
      "-A FORWARD -s 10.9.0.1/32",
      "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      "-A FORWARD -m conntrack ! --ctstate INVALID,NEW,UNTRACKED -j ACCEPT",
      "-A FORWARD -m state --state NEW -j ACCEPT",
      "-A FORWARD -p tcp -m tcp --dport 80 ! --tcp-flags FIN,SYN,RST,ACK SYN -j DROP",
      "-A guard -j RETURN",
      "-A guard -j DROP",
  };
  std::string script = "set -e; iptables-legacy -N guard; iptables-legacy -P FORWARD DROP;";
  for (const std::string& rule : rules) script += "iptables-legacy " + rule + "; ";
  const std::string listed = run_in(netns, script + "iptables-legacy -S");
  const auto table = read_table(netns, IpFamily::v4, "filter");
  ASSERT_TRUE(table);
  std::vector<std::string> texts;
  for (const char* chain : {"FORWARD", "guard"}) {
    for (const Rule& rule : table->at(chain).rules) texts.push_back(rule.text);
  }
  EXPECT_EQ(texts, rule_lines(listed));
  EXPECT_EQ(table->at("FORWARD").policy, "drop");
  EXPECT_EQ(table->at("FORWARD").rules[2].log_prefix, "[FORWARD] ");
  EXPECT_EQ(table->at("FORWARD").rules[4].verdict, "reject");
  EXPECT_EQ(table->at("FORWARD").rules[6].verdict, "continue");
}

TEST_F(Legacy, SaysIpv6RulesAsIptablesDoes) {
  const Netns netns = with_loopback();
  const std::string listed =
      run_in(netns,
             "set -e; ip6tables-legacy -A INPUT -s fd00:99::/64 -i lo -p ipv6-icmp -j ACCEPT; "
             "ip6tables-legacy -A INPUT -d 2001:db8::1 -j REJECT; ip6tables-legacy -S");
  const auto table = read_table(netns, IpFamily::v6, "filter");
  ASSERT_TRUE(table);
  std::vector<std::string> texts;
  for (const Rule& rule : table->at("INPUT").rules) texts.push_back(rule.text);
  EXPECT_EQ(texts, rule_lines(listed));
  nft::Trace marks(netns);
  Trace trace(netns);
  send_udp(netns, "PL", 9, true);
  const auto events = trace.take();
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.front().family, IpFamily::v6);
}

TEST_F(Legacy, DoesNotMakeATableByAskingForIt) {
  const Netns netns = with_loopback();
  EXPECT_FALSE(read_table(netns, IpFamily::v4, "filter"));
  EXPECT_TRUE(table_names(netns, IpFamily::v4).empty());
  run_in(netns, "iptables-legacy -L >/dev/null");
  EXPECT_THAT(table_names(netns, IpFamily::v4), ElementsAre("filter"));
}

}  // namespace
}  // namespace plumbline::kernel::iptables
