#include "harness/kernel/conntrack/entry.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include <array>
#include <vector>

#include "harness/kernel/netlink/testing.hpp"

namespace plumbline::kernel::conntrack {
namespace {

using netlink::Message;
using netlink::testing::cut_everywhere;
using netlink::testing::rewind;

IpAddress ip(const char* text) {
  return *IpAddress::parse(text);
}

void put16(Message& message, std::uint16_t type, std::uint16_t value) {
  message.put(type, std::array{static_cast<std::uint8_t>(value >> 8U), static_cast<std::uint8_t>(value)});
}

void put_tuple(Message& message, std::uint16_t type, const Tuple& tuple) {
  const auto nest = message.nest(type);
  {
    const auto addresses = message.nest(CTA_TUPLE_IP);
    message.put_ip(tuple.source.is_v4() ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, tuple.source);
    message.put_ip(tuple.source.is_v4() ? CTA_IP_V4_DST : CTA_IP_V6_DST, tuple.destination);
  }
  const auto protocol = message.nest(CTA_TUPLE_PROTO);
  message.put_u8(CTA_PROTO_NUM, tuple.protocol);
  if (tuple.protocol == 6 || tuple.protocol == 17) {
    put16(message, CTA_PROTO_SRC_PORT, tuple.source_port);
    put16(message, CTA_PROTO_DST_PORT, tuple.destination_port);
  } else {
    const bool v6 = tuple.protocol == 58;
    put16(message, v6 ? CTA_PROTO_ICMPV6_ID : CTA_PROTO_ICMP_ID, tuple.echo_id);
    message.put_u8(v6 ? CTA_PROTO_ICMPV6_TYPE : CTA_PROTO_ICMP_TYPE, tuple.icmp_type);
    message.put_u8(v6 ? CTA_PROTO_ICMPV6_CODE : CTA_PROTO_ICMP_CODE, tuple.icmp_code);
  }
}

Message answer(const Entry& entry, std::uint32_t status, std::uint8_t state) {
  Message message(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW, 0, nfgenmsg{AF_INET, NFNETLINK_V0, 0});
  put_tuple(message, CTA_TUPLE_ORIG, entry.original);
  put_tuple(message, CTA_TUPLE_REPLY, entry.reply);
  message.put_u32(CTA_STATUS, htonl(status));
  message.put_u32(CTA_TIMEOUT, htonl(entry.timeout));
  message.put_u32(CTA_MARK, htonl(entry.mark));
  put16(message, CTA_ZONE, entry.zone);
  if (entry.original.protocol == 6) {
    const auto info = message.nest(CTA_PROTOINFO);
    const auto tcp = message.nest(CTA_PROTOINFO_TCP);
    message.put_u8(CTA_PROTOINFO_TCP_STATE, state);
  }
  return message;
}

Entry translated() {
  Entry entry;
  entry.original = {ip("192.168.99.11"), ip("203.0.113.80"), 6, 40001, 80, 0, 0, 0};
  entry.reply = {ip("203.0.113.80"), ip("192.168.17.10"), 6, 80, 1024, 0, 0, 0};
  entry.seen_reply = entry.assured = entry.confirmed = entry.source_nat = true;
  entry.tcp_state = TcpState::established;
  entry.zone = 7;
  entry.mark = 0x1234;
  entry.timeout = 431999;
  return entry;
}
constexpr std::uint32_t kStatus =
    IPS_SEEN_REPLY | IPS_ASSURED | IPS_CONFIRMED | IPS_SRC_NAT | IPS_SRC_NAT_DONE | IPS_DST_NAT_DONE;

TEST(ConntrackEntry, IsReadFromTheKernelsMessage) {
  EXPECT_EQ(decode_entry(rewind(answer(translated(), kStatus, 3))), translated());
}

TEST(ConntrackEntry, KnowsEchoesOfBothFamilies) {
  Entry entry;
  entry.original = {ip("10.0.0.1"), ip("10.0.0.2"), 1, 0, 0, 77, 8, 0};
  entry.reply = {ip("10.0.0.2"), ip("10.0.0.1"), 1, 0, 0, 77, 0, 0};
  EXPECT_EQ(decode_entry(rewind(answer(entry, 0, 0))), entry);
  entry.original = {ip("fd00::1"), ip("fd00::2"), 58, 0, 0, 78, 128, 0};
  entry.reply = {ip("fd00::2"), ip("fd00::1"), 58, 0, 0, 78, 129, 0};
  entry.destination_nat = entry.dying = true;
  EXPECT_EQ(decode_entry(rewind(answer(entry, IPS_DST_NAT | IPS_DYING, 0))), entry);
}

TEST(ConntrackEntry, AStateWithoutANameIsAbsent) {
  Entry entry = translated();
  entry.tcp_state.reset();
  EXPECT_EQ(decode_entry(rewind(answer(entry, kStatus, 200))), entry);
}

TEST(ConntrackEntry, OtherMessagesAreNone) {
  const Message other(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, 0,
                      nfgenmsg{AF_INET, NFNETLINK_V0, 0});
  EXPECT_EQ(decode_entry(rewind(other)), std::nullopt);
  const Message bare(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW, 0, nfgenmsg{AF_INET, NFNETLINK_V0, 0});
  EXPECT_EQ(decode_entry(rewind(bare)), std::nullopt);
}

TEST(ConntrackEntry, IsSafeAtEveryTruncation) {
  cut_everywhere(answer(translated(), kStatus, 3), [](const netlink::Received& cut) { decode_entry(cut); });
}

TEST(ConntrackEntry, AQuestionHoldsTheTuple) {
  for (const Tuple& tuple : {translated().original, Tuple{ip("fd00::1"), ip("fd00::2"), 58, 0, 0, 78, 128, 0},
                             Tuple{ip("10.0.0.1"), ip("10.0.0.2"), 1, 0, 0, 77, 8, 0}}) {
    const Message question = get_entry(tuple, 7);
    const auto parts = netlink::split<nfgenmsg>(rewind(question).payload);
    ASSERT_TRUE(parts);
    EXPECT_TRUE(parts->second.complete());
    EXPECT_TRUE(parts->second.bytes(CTA_TUPLE_ORIG));
    EXPECT_TRUE(parts->second.bytes(CTA_ZONE));
  }
}

TEST(ConntrackEntry, NamesTcpStates) {
  EXPECT_STREQ(to_text(TcpState::syn_sent), "SYN_SENT");
  EXPECT_STREQ(to_text(TcpState::syn_sent2), "SYN_SENT2");
}

}  // namespace
}  // namespace plumbline::kernel::conntrack
