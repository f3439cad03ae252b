#include "harness/kernel/nftables/batch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libnftnl/rule.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <array>
#include <cstring>
#include <memory>

#include "harness/base/error.hpp"

namespace plumbline::kernel::nft {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Ruleset with_rule(Rule rule, Family family = Family::inet) {
  return {{{family, "guard", {{"forward", BaseChain{}, {std::move(rule)}}}}}};
}

std::string refusal_of(const Ruleset& ruleset) {
  try {
    encode(ruleset);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "nothing was refused";
}

std::vector<nlmsghdr> headers_of(const Batch& batch) {
  std::vector<nlmsghdr> headers;
  for (std::size_t at = 0; at + sizeof(nlmsghdr) <= batch.bytes.size();) {
    nlmsghdr header{};
    std::memcpy(&header, batch.bytes.data() + at, sizeof header);
    headers.push_back(header);
    at += NLMSG_ALIGN(header.nlmsg_len);
  }
  return headers;
}

/// The batch's last rule, as libnftnl reads it back.
std::string read_back(const Batch& batch) {
  std::size_t at = 0;
  std::string text;
  for (const nlmsghdr& header : headers_of(batch)) {
    if ((header.nlmsg_type & 0xffU) == NFT_MSG_NEWRULE && header.nlmsg_type >> 8U == NFNL_SUBSYS_NFTABLES) {
      const std::unique_ptr<nftnl_rule, void (*)(const nftnl_rule*)> rule(nftnl_rule_alloc(),
                                                                          nftnl_rule_free);
      alignas(nlmsghdr) std::array<std::uint8_t, 4096> message{};
      std::memcpy(message.data(), batch.bytes.data() + at, header.nlmsg_len);
      EXPECT_EQ(nftnl_rule_nlmsg_parse(reinterpret_cast<const nlmsghdr*>(message.data()), rule.get()), 0);
      std::array<char, 4096> words{};
      nftnl_rule_snprintf(words.data(), words.size(), rule.get(), NFTNL_OUTPUT_DEFAULT, 0);
      text = words.data();
    }
    at += NLMSG_ALIGN(header.nlmsg_len);
  }
  return text;
}

TEST(NftBatch, TablesThenChainsThenRulesInOneTransaction) {
  Ruleset ruleset = with_rule({});
  ruleset.tables.push_back(with_rule({}, Family::ip).tables[0]);
  const Batch batch = encode(ruleset);
  std::vector<int> types;
  std::uint32_t sequence = Batch::kBegin;
  for (const nlmsghdr& header : headers_of(batch)) {
    types.push_back(header.nlmsg_type & 0xff);
    EXPECT_EQ(header.nlmsg_seq, sequence++);
  }
  EXPECT_THAT(types, ElementsAre(NFNL_MSG_BATCH_BEGIN, NFT_MSG_NEWTABLE, NFT_MSG_NEWTABLE, NFT_MSG_NEWCHAIN,
                                 NFT_MSG_NEWCHAIN, NFT_MSG_NEWRULE, NFT_MSG_NEWRULE, NFNL_MSG_BATCH_END));
  EXPECT_EQ(batch.objects.size(), 6U);
}

TEST(NftBatch, OnlyTheLastObjectIsAcknowledged) {
  const auto headers = headers_of(encode(with_rule({})));
  for (std::size_t i = 0; i < headers.size(); ++i) {
    EXPECT_EQ((headers[i].nlmsg_flags & NLM_F_ACK) != 0, i + 2 == headers.size()) << i;
  }
}

TEST(NftBatch, RuleRoundTrips) {
  Rule rule{{Destination{Prefix::parse("172.16.0.0/12").value()}}, Drop{}, true, "inner"};
  const std::string text = read_back(encode(with_rule(rule)));
  EXPECT_THAT(text, HasSubstr("inet guard forward"));
  EXPECT_THAT(text, HasSubstr("[ meta load nfproto => reg 1 ]"));
  EXPECT_THAT(text, HasSubstr("[ cmp eq reg 1 0x00000002 ]"));
  EXPECT_THAT(text, HasSubstr("[ payload load 4b @ network header + 16 => reg 1 ]"));
  EXPECT_THAT(text, HasSubstr("[ bitwise reg 1 = ( reg 1 & 0x0000f0ff ) ^ 0x00000000 ]"));
  EXPECT_THAT(text, HasSubstr("[ cmp eq reg 1 0x000010ac ]"));
  EXPECT_THAT(text, HasSubstr("[ counter pkts 0 bytes 0 ]"));
  EXPECT_THAT(text, HasSubstr("[ immediate reg 0 drop ]"));
  EXPECT_THAT(text, HasSubstr("inner"));
}

TEST(NftBatch, WholeBytesNeedNoMask) {
  Rule rule{{Source{Prefix::parse("192.168.99.0/24").value()}}, Accept{}, false, ""};
  const std::string text = read_back(encode(with_rule(rule, Family::ip)));
  EXPECT_THAT(text, HasSubstr("[ payload load 3b @ network header + 12 => reg 1 ]"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("bitwise")));
}

TEST(NftBatch, InterfaceIsComparedWhole) {
  Rule rule{{InputInterface{"eth0"}}, Accept{}, false, ""};
  // 16 bytes: "eth0" must not match "eth01".
  EXPECT_THAT(read_back(encode(with_rule(rule))),
              HasSubstr("[ cmp eq reg 1 0x30687465 0x00000000 0x00000000 0x00000000 ]"));
}

// Not every kernel has the bridge's reject, so it is tried here alone.
TEST(NftBatch, RejectInABridgeIsOfNoFamily) {
  Rule rule{{}, Reject{Reject::With::admin_prohibited}, false, ""};
  EXPECT_THAT(read_back(encode(with_rule(rule, Family::bridge))), HasSubstr("[ reject type 2 code 3 ]"));
}

TEST(NftBatch, ResetAnswersTcpAlone) {
  Rule rule{{}, Reject{Reject::With::tcp_reset}, false, ""};
  const std::string text = read_back(encode(with_rule(rule)));
  EXPECT_THAT(text, HasSubstr("[ meta load l4proto => reg 1 ]"));
  EXPECT_THAT(text, HasSubstr("[ cmp eq reg 1 0x00000006 ]"));
  EXPECT_THAT(text, HasSubstr("[ reject type 1 code 0 ]"));
}

TEST(NftBatch, RefusesWhatCanNeverMatch) {
  const Prefix four = Prefix::parse("10.0.0.0/8").value();
  const Prefix six = Prefix::parse("fd00::/8").value();
  const std::string where = "rule 1 of chain forward of table inet guard: ";
  EXPECT_THAT(refusal_of(with_rule({{Source{four}, Destination{six}}})), HasSubstr(where + "an IPv6 prefix"));
  EXPECT_THAT(refusal_of(with_rule({{Source{six}}}, Family::ip)),
              HasSubstr("an IPv6 prefix can never match"));
  EXPECT_THAT(refusal_of(with_rule({{Source{four}}}, Family::ip6)),
              HasSubstr("an IPv4 prefix can never match"));
  EXPECT_THAT(refusal_of(with_rule({{Protocol{6}, Protocol{17}}})), HasSubstr("two protocols"));
  EXPECT_THAT(refusal_of(with_rule({{ConntrackState{}}})), HasSubstr("connection state"));
  EXPECT_THAT(refusal_of(with_rule({{Protocol{17}}, Reject{Reject::With::tcp_reset}})),
              HasSubstr("two protocols"));
}

TEST(NftBatch, RefusesPortsWithoutAProtocol) {
  EXPECT_THAT(refusal_of(with_rule({{DestinationPort{80}}})), HasSubstr("a port needs a protocol"));
  EXPECT_THAT(refusal_of(with_rule({{SourcePort{80}, Protocol{6}}})), HasSubstr("a port needs a protocol"));
  EXPECT_THAT(refusal_of(with_rule({{Protocol{1}, SourcePort{80}}})), HasSubstr("a port needs a protocol"));
}

TEST(NftBatch, RefusesImpossibleNames) {
  for (const std::string& name : {std::string(), std::string("*"), std::string(16, 'e')}) {
    EXPECT_THAT(refusal_of(with_rule({{InputInterface{name}}})), HasSubstr("interface name")) << name;
  }
  EXPECT_THAT(refusal_of(with_rule({{}, Jump{""}})), HasSubstr("chain name"));
  EXPECT_THAT(refusal_of(with_rule({{}, Jump{std::string("a\0b", 3)}})), HasSubstr("chain name"));
  EXPECT_THAT(refusal_of({{{Family::ip, "two words", {}}}}), HasSubstr("table name"));
  EXPECT_THAT(refusal_of({{{Family::ip, std::string(256, 't'), {}}}}), HasSubstr("256 characters"));
}

TEST(NftBatch, RefusesComments) {
  EXPECT_THAT(refusal_of(with_rule({{}, Accept{}, true, std::string(129, 'c')})), HasSubstr("129 bytes"));
  EXPECT_THAT(refusal_of(with_rule({{}, Accept{}, true, "a \"quote\""})), HasSubstr("no quote"));
  EXPECT_THAT(refusal_of(with_rule({{}, Accept{}, true, "two\nlines"})), HasSubstr("control character"));
}

TEST(NftBatch, RefusesTooManyMatches) {
  EXPECT_THAT(refusal_of(with_rule({std::vector<Match>(33, InputInterface{"eth0"})})),
              HasSubstr("32 matches"));
}

// An unprivileged sender gets twice net.core.wmem_max, 212,992 by default, for a whole transaction.
TEST(NftBatch, ThousandSimpleRulesFitTheDefaultSendBuffer) {
  const Rule rule{{InputInterface{"bridge0"}, Destination{Prefix::parse("10.1.2.0/24").value()}},
                  Jump{"nowhere"},
                  true,
                  "number 1000"};
  Ruleset ruleset = with_rule({});
  ruleset.tables[0].chains[0].rules.assign(1000, rule);
  EXPECT_LT(encode(ruleset).bytes.size(), std::size_t{2 * 212992 - 32});
}

TEST(NftBatch, LongestRuleFits) {
  Rule rule{std::vector<Match>(32, Source{Prefix::parse("fd00::/9").value()}), Jump{std::string(255, 'c')},
            true, std::string(128, 'c')};
  EXPECT_GT(encode(with_rule(rule)).bytes.size(), 5000U);
}

}  // namespace
}  // namespace plumbline::kernel::nft
