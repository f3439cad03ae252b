#include "harness/kernel/netlink/message.hpp"

#include <gtest/gtest.h>
#include <linux/netlink.h>

#include <array>
#include <string>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/kernel/netlink/testing.hpp"

namespace plumbline::kernel::netlink {
namespace {

struct Fixed {
  std::uint32_t number;
};

TEST(Message, RoundTripsEveryType) {
  Message message(77, NLM_F_CREATE, Fixed{5});
  message.put_u8(1, 8);
  message.put_u32(2, 32);
  message.put_text(3, "bridge0");
  message.put_ip(4, IpAddress::parse("2001:db8::1").value());
  message.put_mac(5, MacAddress{{1, 2, 3, 4, 5, 6}});
  {
    const auto nest = message.nest(6);
    message.put_u32(7, 99);
  }
  message.put_text(8, "after");

  const Received received = testing::rewind(message);
  EXPECT_EQ(received.type, 77);
  EXPECT_EQ(received.flags, NLM_F_REQUEST | NLM_F_CREATE);
  const auto parts = split<Fixed>(received.payload);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->first.number, 5U);
  const Attributes& attributes = parts->second;
  EXPECT_TRUE(attributes.complete());
  EXPECT_EQ(attributes.u8(1), 8);
  EXPECT_EQ(attributes.u32(2), 32U);
  EXPECT_EQ(attributes.text(3), "bridge0");
  EXPECT_EQ(attributes.ip(4), IpAddress::parse("2001:db8::1"));
  EXPECT_EQ(attributes.mac(5), (MacAddress{{1, 2, 3, 4, 5, 6}}));
  EXPECT_EQ(attributes.nested(6).u32(7), 99U);
  EXPECT_EQ(attributes.u32(7), std::nullopt) << "nested attributes are not one's own";
  EXPECT_EQ(attributes.text(8), "after");
}

TEST(Message, OverflowThrows) {
  Message message(1, 0, Fixed{});
  EXPECT_THROW(message.put_text(1, std::string(2000, 'x')), Error);
  const auto fill = [&message] {
    for (int i = 0; i < 1000; ++i) message.put_u32(1, 0);
  };
  EXPECT_THROW(fill(), Error);
}

TEST(Attributes, SizeIsCheckedBeforeReading) {
  Message message(1, 0, Fixed{});
  message.put_u32(1, 7);
  const auto parts = split<Fixed>(testing::rewind(message).payload);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->second.u8(1), std::nullopt);
  EXPECT_EQ(parts->second.mac(1), std::nullopt);
  EXPECT_EQ(parts->second.u32(2), std::nullopt);
  EXPECT_EQ(parts->second.u32(60000), std::nullopt);
  EXPECT_EQ(parts->second.nested(2).u32(1), std::nullopt);
}

TEST(Attributes, TextMustBeTerminated) {
  const std::array<std::uint8_t, 3> letters{'a', 'b', 'c'};
  Message message(1, 0, Fixed{});
  message.put(1, letters);
  const auto parts = split<Fixed>(testing::rewind(message).payload);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->second.text(1), std::nullopt);
}

TEST(Attributes, TruncationIsToldAndReadsNothingBeyond) {
  Message message(1, 0, Fixed{});
  message.put_text(1, "a name of some length");
  testing::cut_everywhere(message, [](const Received& cut) {
    const auto parts = split<Fixed>(cut.payload);
    EXPECT_EQ(parts.has_value(), cut.payload.size() >= sizeof(Fixed));
    if (!parts || cut.payload.size() == sizeof(Fixed)) return;
    const bool whole = cut.payload.size() >= sizeof(Fixed) + 4 + 22;
    EXPECT_EQ(parts->second.text(1).has_value(), whole) << cut.payload.size();
    EXPECT_EQ(parts->second.complete(), whole) << cut.payload.size();
  });
}

TEST(Attributes, LengthBelowItsHeaderEndsTheReading) {
  const std::array<std::uint8_t, 8> bytes{3, 0, 1, 0, 8, 0, 1, 0};
  const Attributes attributes(bytes);
  EXPECT_FALSE(attributes.complete());
  EXPECT_EQ(attributes.bytes(1), std::nullopt);
}

TEST(TakeMessage, WalksADatagramAndStopsAtTruncation) {
  Message message(9, 0, Fixed{1});
  const auto bytes = message.bytes();
  std::vector<std::uint8_t> datagram(bytes.begin(), bytes.end());
  datagram.insert(datagram.end(), bytes.begin(), bytes.end());
  datagram.pop_back();
  std::span<const std::uint8_t> rest(datagram);
  EXPECT_TRUE(take_message(rest));
  EXPECT_FALSE(take_message(rest));
  std::span<const std::uint8_t> nothing;
  EXPECT_FALSE(take_message(nothing));
}

}  // namespace
}  // namespace plumbline::kernel::netlink
