#include "harness/kernel/iptables_legacy/trace_event.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <sys/socket.h>

#include "harness/kernel/netlink/message.hpp"

namespace plumbline::kernel::iptables {
namespace {

using Bytes = std::vector<std::uint8_t>;

netlink::Message log(const std::string& prefix, std::uint8_t family = AF_INET) {
  netlink::Message message(NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET, 0, nfgenmsg{family, NFNETLINK_V0, 0});
  message.put(NFULA_PACKET_HDR, Bytes{8, 0, 2, 0});
  message.put_text(NFULA_PREFIX, prefix);
  message.put_u32(NFULA_IFINDEX_INDEV, htonl(3));
  message.put_u32(NFULA_IFINDEX_OUTDEV, htonl(4));
  message.put_u32(NFULA_SEQ, htonl(17));
  message.put(NFULA_PAYLOAD, Bytes{0x45, 0, 0, 20});
  return message;
}

TEST(LegacyTraceEvent, ReadsWhatAPacketMet) {
  const Heard heard = parse_log(log("TRACE: filter:FORWARD:rule:2 ").bytes());
  EXPECT_THAT(heard.sequence, testing::ElementsAre(17U));
  ASSERT_EQ(heard.events.size(), 1U);
  const TraceEvent& event = heard.events[0];
  EXPECT_EQ(event.family, IpFamily::v4);
  EXPECT_EQ(event.hook, 2U);
  EXPECT_EQ(event.table, "filter");
  EXPECT_EQ(event.chain, "FORWARD");
  EXPECT_EQ(event.type, TraceEvent::Type::rule);
  EXPECT_EQ(event.number, 2U);
  EXPECT_EQ(event.iif, 3U);
  EXPECT_EQ(event.oif, 4U);
  EXPECT_EQ(event.packet, (Bytes{0x45, 0, 0, 20}));
}

TEST(LegacyTraceEvent, ReadsPrefixes) {
  EXPECT_EQ(parse_prefix("TRACE: raw:a:b:return:12 ")->chain, "a:b");
  EXPECT_EQ(parse_prefix("TRACE: raw:a:b:return:12 ")->type, TraceEvent::Type::returned);
  EXPECT_EQ(parse_prefix("TRACE: nat:OUTPUT:policy:1 ")->type, TraceEvent::Type::policy);
  for (const char* other :
       {"", "TRACE: ", "[FORWARD] ", "TRACE: filter:FORWARD:rule: ", "TRACE: filter:rule:1 ",
        "TRACE: filter:FORWARD:rule:x ", "TRACE: filter:FORWARD:rule:99999999999 "}) {
    EXPECT_FALSE(parse_prefix(other)) << other;
  }
}

TEST(LegacyTraceEvent, CountsOtherPeoplesLogsButDoesNotReadThem) {
  const Heard heard = parse_log(log("[FORWARD] ").bytes());
  EXPECT_EQ(heard.sequence.size(), 1U);
  EXPECT_TRUE(heard.events.empty());
  EXPECT_TRUE(parse_log(log("TRACE: filter:FORWARD:rule:2 ", AF_UNIX).bytes()).events.empty());
}

TEST(LegacyTraceEvent, TruncatedAnywhereGivesNothing) {
  const netlink::Message message = log("TRACE: filter:FORWARD:rule:2 ");
  const auto whole = message.bytes();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_TRUE(parse_log(cut).events.empty()) << length;
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const std::uint8_t value : Bytes{0, 1, 4, 127, 128, 255}) {
      Bytes wrong(whole.begin(), whole.end());
      wrong[at] = value;
      EXPECT_LE(parse_log(wrong).events.size(), 1U);
    }
  }
}

}  // namespace
}  // namespace plumbline::kernel::iptables
