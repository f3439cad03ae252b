#include "harness/kernel/nftables/trace_event.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "harness/kernel/netlink/message.hpp"

namespace plumbline::kernel::nft {
namespace {

using Bytes = std::vector<std::uint8_t>;

/// An event as nft_trace_notify() of net/netfilter/nf_tables_trace.c writes it.
netlink::Message event(std::uint32_t type, std::uint32_t verdict, const char* chain = nullptr) {
  netlink::Message message(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE, 0,
                           nfgenmsg{NFPROTO_INET, NFNETLINK_V0, 0});
  message.put_u32(NFTA_TRACE_ID, 0x95fc71e9);
  message.put_u32(NFTA_TRACE_TYPE, htonl(type));
  message.put_text(NFTA_TRACE_TABLE, "filter");
  message.put_text(NFTA_TRACE_CHAIN, "forward");
  message.put(NFTA_TRACE_RULE_HANDLE, Bytes{0, 0, 0, 0, 0, 0, 1, 2});
  const auto nest = message.nest(NFTA_TRACE_VERDICT);
  message.put_u32(NFTA_VERDICT_CODE, htonl(verdict));
  if (chain != nullptr) message.put_text(NFTA_VERDICT_CHAIN, chain);
  return message;
}

Bytes bytes_of(const netlink::Message& message) {
  return {message.bytes().begin(), message.bytes().end()};
}

std::string verdict_of(int code, const char* chain = nullptr) {
  const auto events = parse_trace(event(NFT_TRACETYPE_RULE, static_cast<std::uint32_t>(code), chain).bytes());
  return events.size() == 1 ? events[0].verdict : "not read";
}

TEST(NftTraceEvent, ReadsWhatARuleDidWithAPacket) {
  netlink::Message message = event(NFT_TRACETYPE_RULE, NF_DROP);
  message.put(NFTA_TRACE_NETWORK_HEADER, Bytes(20, 0x45));
  message.put(NFTA_TRACE_TRANSPORT_HEADER, Bytes{1, 2, 3});
  message.put_u32(NFTA_TRACE_IIF, htonl(7));
  const auto events = parse_trace(message.bytes());
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].id, 0x95fc71e9U);
  EXPECT_EQ(events[0].type, TraceEvent::Type::rule);
  EXPECT_EQ(events[0].family, "inet");
  EXPECT_EQ(events[0].table, "filter");
  EXPECT_EQ(events[0].chain, "forward");
  EXPECT_EQ(events[0].handle, 258U);
  EXPECT_EQ(events[0].verdict, "drop");
  ASSERT_TRUE(events[0].headers);
  EXPECT_EQ(events[0].headers->packet.size(), 23U);
  EXPECT_EQ(events[0].headers->iif, 7U);
  EXPECT_EQ(events[0].headers->oif, 0U);
}

TEST(NftTraceEvent, NamesVerdictsAsNftDoes) {
  EXPECT_EQ(verdict_of(NF_ACCEPT), "accept");
  EXPECT_EQ(verdict_of(NF_QUEUE | 5 << 16), "queue");
  EXPECT_EQ(verdict_of(NFT_CONTINUE), "continue");
  EXPECT_EQ(verdict_of(NFT_JUMP, "guard"), "jump guard");
  EXPECT_EQ(verdict_of(NFT_GOTO, "guard"), "goto guard");
  EXPECT_EQ(verdict_of(NFT_RETURN), "return");
  EXPECT_EQ(verdict_of(-77), "");
}

TEST(NftTraceEvent, ReadsPolicies) {
  netlink::Message message = event(NFT_TRACETYPE_POLICY, NF_ACCEPT);
  message.put_u32(NFTA_TRACE_POLICY, htonl(NF_DROP));
  const auto events = parse_trace(message.bytes());
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].type, TraceEvent::Type::policy);
  EXPECT_EQ(events[0].verdict, "drop");
  EXPECT_FALSE(events[0].headers);
}

TEST(NftTraceEvent, PassesOverOtherMessages) {
  const netlink::Message other(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE, 0, nfgenmsg{});
  Bytes all = bytes_of(other);
  const Bytes one = bytes_of(event(NFT_TRACETYPE_RULE, NF_ACCEPT));
  all.insert(all.end(), one.begin(), one.end());
  EXPECT_EQ(parse_trace(all).size(), 1U);
  EXPECT_EQ(parse_trace(event(77, NF_ACCEPT).bytes()).size(), 0U);
}

TEST(NftTraceEvent, TruncatedAnywhereGivesOnlyWholeEvents) {
  const Bytes first = bytes_of(event(NFT_TRACETYPE_RULE, NF_ACCEPT));
  Bytes all = first;
  all.insert(all.end(), first.begin(), first.end());
  for (std::size_t length = 0; length < all.size(); ++length) {
    const Bytes cut(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_EQ(parse_trace(cut).size(), length < first.size() ? 0U : 1U) << length;
  }
}

TEST(NftTraceEvent, AnyByteMayLie) {
  const Bytes whole = bytes_of(event(NFT_TRACETYPE_RULE, static_cast<std::uint32_t>(NFT_JUMP), "guard"));
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const std::uint8_t value : Bytes{0, 1, 4, 127, 128, 255}) {
      Bytes wrong = whole;
      wrong[at] = value;
      EXPECT_LE(parse_trace(wrong).size(), 1U);
    }
  }
}

}  // namespace
}  // namespace plumbline::kernel::nft
