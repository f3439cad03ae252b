#include <gtest/gtest.h>

#include <vector>

#include "harness/traffic/packet/packet.hpp"

namespace plumbline::traffic {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

const Bytes kSource4{10, 1, 2, 3}, kDestination4{192, 168, 16, 53};
const Bytes kSource6{0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
    kDestination6{0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};

Bytes ip4(std::uint8_t protocol, const Bytes& body, std::uint8_t fragment = 0) {
  const auto total = static_cast<std::uint8_t>(20 + body.size());
  return joined({{0x45, 0, 0, total, 0, 1, fragment, 0, 64, protocol, 0, 0}, kSource4, kDestination4, body});
}

Bytes ip6(std::uint8_t protocol, const Bytes& body) {
  const auto length = static_cast<std::uint8_t>(body.size());
  return joined({{0x60, 0, 0, 0, 0, length, protocol, 64}, kSource6, kDestination6, body});
}

std::uint64_t words(const Bytes& bytes) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) sum += i % 2 == 0 ? bytes[i] * 256U : bytes[i];
  return sum;
}

std::uint16_t fold(std::uint64_t sum) {
  return sum == 0 ? std::uint16_t{0} : static_cast<std::uint16_t>(sum % 0xFFFF == 0 ? 0xFFFF : sum % 0xFFFF);
}

std::uint64_t pseudo(bool v6, std::uint8_t protocol, std::size_t length) {
  return (v6 ? words(kSource6) + words(kDestination6) : words(kSource4) + words(kDestination4)) + protocol +
         length;
}

enum class Sum { right, pseudo, wrong };

Bytes with_sum(Bytes body, std::size_t at, std::uint64_t pseudo_sum, Sum sum) {
  const std::uint16_t value =
      sum == Sum::pseudo ? fold(pseudo_sum) : static_cast<std::uint16_t>(~fold(words(body) + pseudo_sum));
  body[at] = static_cast<std::uint8_t>(value >> 8U);
  body[at + 1] = static_cast<std::uint8_t>(value);
  if (sum == Sum::wrong) body[at] = static_cast<std::uint8_t>(body[at] ^ 0x10U);
  return body;
}

Bytes udp(bool v6, Sum sum, const Bytes& payload = {'P', 'L', 1, 2, 3}) {
  const auto length = static_cast<std::uint8_t>(8 + payload.size());
  const Bytes body = joined({{0x9C, 0x41, 0, 7, 0, length, 0, 0}, payload});
  return with_sum(body, 6, pseudo(v6, 17, length), sum);
}

Bytes tcp(bool v6, Sum sum) {
  const Bytes body{0x9C, 0x42, 0,    80,   0, 0, 3, 0xE8, 0, 0, 0, 0,
                   0x60, 2,    0xFA, 0xF0, 0, 0, 0, 0,    2, 4, 5, 0xB4};
  return with_sum(body, 16, pseudo(v6, 6, body.size()), sum);
}

Bytes ping(bool v6, Sum sum) {
  const Bytes body{v6 ? std::uint8_t{128} : std::uint8_t{8}, 0, 0, 0, 0, 1, 0, 1, 'P', 'L', 7};
  return with_sum(body, 2, v6 ? pseudo(true, 58, body.size()) : 0, sum);
}

Checksum of(const Bytes& packet, LinkType type = LinkType::raw_ip) {
  return checksum_of(decode(packet, type), packet);
}

TEST(Checksum, IsGoodWhereEveryByteIsInIt) {
  EXPECT_EQ(of(ip4(17, udp(false, Sum::right))), Checksum::good);
  EXPECT_EQ(of(ip4(6, tcp(false, Sum::right))), Checksum::good);
  EXPECT_EQ(of(ip4(1, ping(false, Sum::right))), Checksum::good);
  EXPECT_EQ(of(ip6(17, udp(true, Sum::right))), Checksum::good);
  EXPECT_EQ(of(ip6(6, tcp(true, Sum::right))), Checksum::good);
  EXPECT_EQ(of(ip6(58, ping(true, Sum::right))), Checksum::good);
}

TEST(Checksum, IsPartialWhereOnlyThePseudoHeaderIsInIt) {
  EXPECT_EQ(of(ip4(17, udp(false, Sum::pseudo))), Checksum::partial);
  EXPECT_EQ(of(ip4(6, tcp(false, Sum::pseudo))), Checksum::partial);
  EXPECT_EQ(of(ip6(17, udp(true, Sum::pseudo))), Checksum::partial);
  EXPECT_EQ(of(ip6(6, tcp(true, Sum::pseudo))), Checksum::partial);
}

TEST(Checksum, IsBadOtherwise) {
  EXPECT_EQ(of(ip4(17, udp(false, Sum::wrong))), Checksum::bad);
  EXPECT_EQ(of(ip4(6, tcp(false, Sum::wrong))), Checksum::bad);
  EXPECT_EQ(of(ip4(1, ping(false, Sum::wrong))), Checksum::bad);
  EXPECT_EQ(of(ip6(17, udp(true, Sum::wrong))), Checksum::bad);
}

TEST(Checksum, OfUdpOverIpv4MayBeLeftOut) {
  Bytes datagram = udp(false, Sum::right);
  datagram[6] = datagram[7] = 0;
  EXPECT_EQ(of(ip4(17, datagram)), Checksum::good);
  Bytes six = udp(true, Sum::right);
  six[6] = six[7] = 0;
  EXPECT_EQ(of(ip6(17, six)), Checksum::bad);
}

TEST(Checksum, IsNotTakenForPaddingsFault) {
  Bytes frame = joined({Bytes(12, 1), {8, 0}, ip4(17, udp(false, Sum::right)), Bytes(13, 0xEE)});
  EXPECT_EQ(of(frame, LinkType::ethernet), Checksum::good);
}

TEST(Checksum, IsUnknownWhereAPartIsMissing) {
  EXPECT_EQ(of(ip4(17, udp(false, Sum::wrong), 0x20)), Checksum::unknown);  // more fragments
  EXPECT_EQ(of(ip4(17, udp(false, Sum::wrong), 0x01)), Checksum::unknown);  // a later fragment
  EXPECT_EQ(of(ip4(47, Bytes(24, 9))), Checksum::unknown);
  for (const Bytes& whole : {ip4(17, udp(false, Sum::wrong)), ip6(6, tcp(true, Sum::wrong))}) {
    for (std::size_t length = 0; length < whole.size(); ++length) {
      const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
      EXPECT_EQ(of(cut), Checksum::unknown) << length;
    }
  }
}

TEST(Checksum, IsUnknownWhileTheLastDestinationIsNotTheHeaders) {
  Bytes routing{17, 2, 4, 1, 0, 0, 0, 0};
  routing.resize(24, 0);
  EXPECT_EQ(of(ip6(43, joined({routing, udp(true, Sum::wrong)}))), Checksum::unknown);
  routing[3] = 0;
  EXPECT_EQ(of(ip6(43, joined({routing, udp(true, Sum::right)}))), Checksum::good);
}

}  // namespace
}  // namespace plumbline::traffic
