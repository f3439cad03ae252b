#include "harness/base/ip.hpp"

#include <gtest/gtest.h>

#include "harness/base/error.hpp"

namespace plumbline {
namespace {

TEST(IpAddress, RoundTripsBothFamilies) {
  for (const char* text :
       {"0.0.0.0", "192.168.99.1", "255.255.255.255", "::", "2001:db8:ffff::80", "fe80::1"}) {
    const auto address = IpAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), text);
    EXPECT_EQ(IpAddress::from_bytes(address->bytes()), address);
  }
}

TEST(IpAddress, RefusesWhatIsNotAnAddress) {
  for (const char* text : {"", "1.2.3", "1.2.3.4.5", "256.0.0.1", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4/8",
                           ":::", "g::", "01.2.3.4", "1:2:3:4:5:6:7:8:9"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
  EXPECT_FALSE(IpAddress::parse(std::string_view("1.2.3.4\0", 8)));
  EXPECT_FALSE(IpAddress::from_bytes(std::array<std::uint8_t, 5>{}));
}

TEST(IpAddress, KnowsItsKinds) {
  EXPECT_TRUE(IpAddress::parse("127.9.9.9")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("::1")->is_loopback());
  EXPECT_FALSE(IpAddress::parse("::")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("169.254.169.254")->is_link_local());
  EXPECT_TRUE(IpAddress::parse("febf::1")->is_link_local());
  EXPECT_FALSE(IpAddress::parse("fec0::1")->is_link_local());
  EXPECT_TRUE(IpAddress::parse("ff02::1")->is_multicast());
  EXPECT_TRUE(IpAddress::parse("::")->is_unspecified());
}

TEST(Prefix, ContainsFirstAndLastButNotTheNeighbours) {
  const auto range = Prefix::parse("172.16.0.0/12");
  ASSERT_TRUE(range);
  EXPECT_TRUE(range->contains(*IpAddress::parse("172.16.0.0")));
  EXPECT_TRUE(range->contains(*IpAddress::parse("172.31.255.255")));
  EXPECT_FALSE(range->contains(*IpAddress::parse("172.15.255.255")));
  EXPECT_FALSE(range->contains(*IpAddress::parse("172.32.0.0")));
  EXPECT_FALSE(range->contains(*IpAddress::parse("::")));
  EXPECT_EQ(range->last().to_string(), "172.31.255.255");
}

TEST(Prefix, RefusesHostBitsAndBadLengths) {
  for (const char* text :
       {"10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8x", "::1/64", "/8"}) {
    EXPECT_FALSE(Prefix::parse(text)) << text;
  }
  EXPECT_THROW(Prefix(IpAddress(), 33), Error);
  EXPECT_EQ(Prefix::parse("10.1.2.3")->length(), 32);
}

TEST(Prefix, OverlapsBothWays) {
  const auto outer = *Prefix::parse("192.168.0.0/16");
  const auto inner = *Prefix::parse("192.168.99.0/24");
  EXPECT_TRUE(outer.overlaps(inner));
  EXPECT_TRUE(inner.overlaps(outer));
  EXPECT_FALSE(inner.overlaps(*Prefix::parse("192.168.98.0/24")));
  EXPECT_TRUE(Prefix::parse("0.0.0.0/0")->contains(inner));
}

TEST(InterfaceAddress, KeepsItsHostBits) {
  const auto address = InterfaceAddress::parse("192.168.99.1/24");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->to_string(), "192.168.99.1/24");
  EXPECT_EQ(address->network().to_string(), "192.168.99.0/24");
}

TEST(MacAddress, RoundTrips) {
  EXPECT_EQ(MacAddress::parse("02:00:5e:10:ff:0a")->to_string(), "02:00:5e:10:ff:0a");
  for (const char* text :
       {"", "02:00:5e:10:ff", "02-00-5e-10-ff-0a", "02:00:5e:10:ff:0g", "2:0:5e:10:ff:0a:"}) {
    EXPECT_FALSE(MacAddress::parse(text)) << text;
  }
}

}  // namespace
}  // namespace plumbline
