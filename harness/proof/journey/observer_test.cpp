#include "harness/proof/journey/observer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace plumbline::proof {
namespace {

using Bytes = std::vector<std::uint8_t>;

const IpAddress kContainer = *IpAddress::parse("192.168.99.11");
const IpAddress kHost = *IpAddress::parse("192.168.16.10");
const IpAddress kServer = *IpAddress::parse("203.0.113.80");
constexpr std::uint64_t kNonce = 0x504C0123456789ABULL;

void put16(Bytes& bytes, unsigned value) {
  bytes.push_back(static_cast<std::uint8_t>(value >> 8U));
  bytes.push_back(static_cast<std::uint8_t>(value));
}
void put32(Bytes& bytes, std::uint32_t value) {
  put16(bytes, value >> 16U);
  put16(bytes, value & 0xFFFFU);
}

Bytes ip(const IpAddress& from, const IpAddress& to, std::uint8_t protocol, const Bytes& body) {
  Bytes packet{0x45, 0};
  put16(packet, static_cast<unsigned>(20 + body.size()));
  put32(packet, 0);
  packet.insert(packet.end(), {64, protocol, 0, 0});
  for (const IpAddress& address : {from, to}) {
    const auto bytes = address.bytes();
    packet.insert(packet.end(), bytes.begin(), bytes.end());
  }
  packet.insert(packet.end(), body.begin(), body.end());
  return packet;
}

Bytes nonce_bytes(std::uint64_t nonce) {
  Bytes bytes;
  put32(bytes, static_cast<std::uint32_t>(nonce >> 32U));
  put32(bytes, static_cast<std::uint32_t>(nonce));
  bytes.resize(24, 'x');
  return bytes;
}

Bytes udp(unsigned from, unsigned to, const Bytes& payload) {
  Bytes bytes;
  put16(bytes, from);
  put16(bytes, to);
  put16(bytes, static_cast<unsigned>(8 + payload.size()));
  put16(bytes, 0);
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  return bytes;
}

Bytes tcp(unsigned from, unsigned to, std::uint32_t sequence, std::uint32_t acknowledgment,
          std::uint8_t flags) {
  Bytes bytes;
  put16(bytes, from);
  put16(bytes, to);
  put32(bytes, sequence);
  put32(bytes, acknowledgment);
  bytes.insert(bytes.end(), {0x50, flags, 0xFF, 0xFF, 0, 0, 0, 0});
  return bytes;
}
constexpr std::uint8_t kSyn = 0x02, kRstAck = 0x14, kSynAck = 0x12, kAck = 0x10;

Bytes icmp(std::uint8_t type, std::uint8_t code, unsigned id, const Bytes& rest) {
  Bytes bytes{type, code, 0, 0};
  put16(bytes, id);
  put16(bytes, 1);
  bytes.insert(bytes.end(), rest.begin(), rest.end());
  return bytes;
}

Bytes first(Bytes bytes, std::size_t count) {
  bytes.resize(std::min(count, bytes.size()));
  return bytes;
}

class ObserverTest : public testing::Test {
 protected:
  void see(const Bytes& packet) {
    observer_.see(0, "host", "ens4", ++now_, packet, packet.size(), traffic::LinkType::raw_ip);
  }
  std::vector<Leg> legs(WatchId id) const {
    std::vector<Leg> legs;
    for (const Sighting& sighting : observer_.journey(id, {}).sightings) legs.push_back(sighting.leg);
    return legs;
  }
  Observer observer_;
  std::uint64_t now_ = 0;
};

TEST_F(ObserverTest, FollowsAPingByItsNonceThroughSourceNat) {
  const WatchId id = observer_.watch(NonceKey{kNonce, 77, 0});
  see(ip(kContainer, kServer, 1, icmp(8, 0, 77, nonce_bytes(kNonce))));
  see(ip(kHost, kServer, 1, icmp(8, 0, 4000, nonce_bytes(kNonce))));  // conntrack may change the echo id
  see(ip(kServer, kHost, 1, icmp(0, 0, 4000, nonce_bytes(kNonce))));
  see(ip(kContainer, kServer, 1, icmp(8, 0, 77, nonce_bytes(kNonce + 1))));  // somebody else's
  EXPECT_THAT(legs(id), testing::ElementsAre(Leg::forward, Leg::forward, Leg::reply));
}

TEST_F(ObserverTest, TellsUdpLegsApartByTheirPorts) {
  const WatchId id = observer_.watch(NonceKey{kNonce, 40001, 7});
  see(ip(kContainer, kServer, 17, udp(40001, 7, nonce_bytes(kNonce))));
  see(ip(kHost, kServer, 17, udp(50123, 7, nonce_bytes(kNonce))));  // source port translated
  see(ip(kServer, kHost, 17, udp(7, 50123, nonce_bytes(kNonce))));
  see(ip(kServer, kContainer, 17, udp(7, 40001, nonce_bytes(kNonce))));
  EXPECT_THAT(legs(id), testing::ElementsAre(Leg::forward, Leg::forward, Leg::reply, Leg::reply));
}

TEST_F(ObserverTest, FollowsTcpByItsSequenceNumberBehindATranslatedPort) {
  const WatchId id = observer_.watch(TcpKey{40002, 80, kServer});
  constexpr std::uint32_t isn = 0xFFFFFFF0U;  // wraps within the exchange
  see(ip(kContainer, kServer, 6, tcp(40002, 80, isn, 0, kSyn)));
  see(ip(kHost, kServer, 6, tcp(1024, 80, isn, 0, kSyn)));
  see(ip(kServer, kHost, 6, tcp(80, 1024, 99, isn + 1, kSynAck)));
  see(ip(kServer, kContainer, 6, tcp(80, 40002, 99, isn + 1, kSynAck)));
  see(ip(kContainer, kServer, 6, tcp(40002, 80, isn + 40, 100, kAck)));
  EXPECT_THAT(legs(id),
              testing::ElementsAre(Leg::forward, Leg::forward, Leg::reply, Leg::reply, Leg::forward));
}

TEST_F(ObserverTest, FollowsUdpWhereNatChangedBothPorts) {
  const WatchId id = observer_.watch(NonceKey{kNonce, 40001, 7});
  see(ip(kContainer, kServer, 17, udp(40001, 7, nonce_bytes(kNonce))));
  see(ip(kHost, kServer, 17, udp(1024, 8080, nonce_bytes(kNonce))));
  see(ip(kServer, kHost, 17, udp(8080, 1024, nonce_bytes(kNonce))));
  see(ip(kServer, kContainer, 17, udp(7, 40001, nonce_bytes(kNonce))));
  EXPECT_THAT(legs(id), testing::ElementsAre(Leg::forward, Leg::forward, Leg::reply, Leg::reply));
}

TEST_F(ObserverTest, KnowsTheProbesSynWhereverItsSenderHasSentIt) {
  const WatchId id = observer_.watch(TcpKey{40002, 80, kServer});
  see(ip(kHost, kContainer, 6, tcp(40002, 4444, 5000, 0, kSyn)));  // DNAT in the sender's own OUTPUT
  see(ip(kContainer, kHost, 6, tcp(4444, 40002, 0, 5001, kRstAck)));
  EXPECT_THAT(legs(id), testing::ElementsAre(Leg::forward, Leg::reply));
}

TEST_F(ObserverTest, KnowsASynByItsChosenNumberThoughItsSenderTranslatesThePort) {
  const WatchId id = observer_.watch(TcpKey{40002, 80, kServer, 5000});
  see(ip(kHost, kServer, 6, tcp(1024, 80, 5000, 0, kSyn)));  // as its own masquerade made it
  see(ip(kServer, kHost, 6, tcp(80, 1024, 99, 5001, kSynAck)));
  see(ip(kHost, kServer, 6, tcp(1024, 80, 5001, 100, kAck)));
  EXPECT_THAT(legs(id), testing::ElementsAre(Leg::forward, Leg::reply, Leg::forward));
}

TEST_F(ObserverTest, AnothersSynTranslatedToItsPortIsNotItsOwn) {
  const WatchId id = observer_.watch(TcpKey{40002, 80, kServer, 5000});
  const WatchId other = observer_.watch(TcpKey{40003, 80, kServer, 900000});
  see(ip(kHost, kServer, 6, tcp(40002, 80, 900000, 0, kSyn)));
  see(ip(kContainer, kServer, 6, tcp(40002, 80, 5000, 0, kSyn)));
  EXPECT_THAT(legs(id), testing::ElementsAre(Leg::forward));
  EXPECT_THAT(legs(other), testing::ElementsAre(Leg::forward));
}

TEST_F(ObserverTest, FollowsTcpWhereNatChangedBothPorts) {
  const WatchId id = observer_.watch(TcpKey{40002, 80, kServer});
  see(ip(kContainer, kServer, 6, tcp(40002, 80, 5000, 0, kSyn)));
  see(ip(kHost, kServer, 6, tcp(1024, 8080, 5000, 0, kSyn)));
  see(ip(kServer, kHost, 6, tcp(8080, 1024, 99, 5001, kSynAck)));
  see(ip(kServer, kHost, 6, tcp(8080, 1025, 99, 5001, kSynAck)));  // another connection's ports
  EXPECT_THAT(legs(id), testing::ElementsAre(Leg::forward, Leg::forward, Leg::reply));
}

TEST_F(ObserverTest, DoesNotTakeAStrangersConnectionForItsOwn) {
  const WatchId id = observer_.watch(TcpKey{40002, 80, kServer});
  see(ip(kContainer, kServer, 6, tcp(40002, 80, 1000, 0, kSyn)));
  see(ip(kContainer, kServer, 6, tcp(40003, 80, 900000, 0, kSyn)));
  see(ip(kContainer, kServer, 6, tcp(40003, 443, 1001, 0, kSyn)));
  EXPECT_THAT(legs(id), testing::ElementsAre(Leg::forward));
}

TEST_F(ObserverTest, CountsAResetAsReply) {
  const WatchId id = observer_.watch(TcpKey{40002, 80, kServer});
  see(ip(kContainer, kServer, 6, tcp(40002, 80, 1000, 0, kSyn)));
  see(ip(kServer, kContainer, 6, tcp(80, 40002, 0, 1001, kRstAck)));
  EXPECT_THAT(legs(id), testing::ElementsAre(Leg::forward, Leg::reply));
}

TEST_F(ObserverTest, TiesAnIcmpErrorToThePacketThatItQuotes) {
  const WatchId by_udp = observer_.watch(NonceKey{kNonce, 40001, 53});
  const WatchId by_ping = observer_.watch(NonceKey{kNonce + 1, 78, 0});
  const WatchId by_tcp = observer_.watch(TcpKey{40004, 80, kServer});
  const Bytes datagram = ip(kContainer, kServer, 17, udp(40001, 53, nonce_bytes(kNonce)));
  const Bytes ping = ip(kContainer, kServer, 1, icmp(8, 0, 78, nonce_bytes(kNonce + 1)));
  const Bytes syn = ip(kContainer, kServer, 6, tcp(40004, 80, 1000, 0, kSyn));
  see(datagram);
  see(ping);
  see(syn);
  for (const Bytes& original : {datagram, ping, syn}) {
    see(ip(kHost, kContainer, 1, icmp(3, 3, 0, original)));
    see(ip(kHost, kContainer, 1, icmp(3, 3, 0, first(original, 28))));  // RFC 792's least: 8 bytes of it
  }
  const auto expected = testing::ElementsAre(Leg::forward, Leg::error, Leg::error);
  EXPECT_THAT(legs(by_udp), expected);
  EXPECT_THAT(legs(by_ping), expected);
  EXPECT_THAT(legs(by_tcp), expected);
}

/// As the kernel reports a packet: 20 bytes behind its IP header.
std::optional<Recognised> reported(const Observer& observer, const Bytes& packet) {
  const Bytes cut = first(packet, 40);
  return observer.recognise(traffic::decode(cut, traffic::LinkType::raw_ip), cut);
}

/// Its checksum, which the helper above leaves out, may be any: routers only add to it.
Bytes with_checksum(Bytes packet, unsigned checksum, std::uint8_t ttl) {
  packet[8] = ttl;
  packet[10] = static_cast<std::uint8_t>(checksum >> 8U);
  packet[11] = static_cast<std::uint8_t>(checksum);
  return packet;
}

TEST_F(ObserverTest, KnowsAReportedErrorByTheStartOfTheHeaderThatItQuotes) {
  const WatchId one = observer_.watch(NonceKey{kNonce, 40001, 53});
  const WatchId two = observer_.watch(NonceKey{kNonce + 1, 40002, 53});
  const Bytes datagram = ip(kContainer, kServer, 17, udp(40001, 53, nonce_bytes(kNonce)));
  const Bytes other = ip(kContainer, kHost, 17, udp(40002, 53, nonce_bytes(kNonce + 1)));
  see(with_checksum(datagram, 0xFE10, 64));
  see(with_checksum(other, 0x1234, 64));
  const auto error = [&](const Bytes& quoted, const IpAddress& to = kContainer) {
    return reported(observer_, ip(kHost, to, 1, icmp(3, 4, 0, quoted)));
  };
  // Two routers on, each of which adds 0x0100, and what is carried over.
  const auto found = error(with_checksum(datagram, 0x0011, 62));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->watch, one);
  EXPECT_EQ(found->leg, Leg::error);
  EXPECT_EQ(error(with_checksum(other, 0x1234, 64))->watch, two);
  EXPECT_FALSE(error(with_checksum(datagram, 0x0012, 62)));
  EXPECT_FALSE(error(with_checksum(datagram, 0xFE10, 64), kServer)) << "not to the probe's source";
}

TEST_F(ObserverTest, DoesNotGuessWhoseReportedErrorItIs) {
  observer_.watch(NonceKey{kNonce, 40001, 53});
  observer_.watch(NonceKey{kNonce + 1, 40002, 53});
  const Bytes datagram = ip(kContainer, kServer, 17, udp(40001, 53, nonce_bytes(kNonce)));
  see(datagram);
  see(ip(kContainer, kServer, 17, udp(40002, 53, nonce_bytes(kNonce + 1))));
  EXPECT_FALSE(reported(observer_, ip(kHost, kContainer, 1, icmp(3, 4, 0, datagram))));
}

Bytes question(std::uint16_t id, const std::string& label, bool response) {
  Bytes message;
  put16(message, id);
  put16(message, response ? 0x8180 : 0x0100);
  for (const unsigned count : {1U, 0U, 0U, 0U}) put16(message, count);
  message.push_back(static_cast<std::uint8_t>(label.size()));
  message.insert(message.end(), label.begin(), label.end());
  message.push_back(0);
  put16(message, 1);
  put16(message, 1);
  return message;
}

TEST_F(ObserverTest, TakesAnAnswerForAnotherNameByIdAndPort) {
  const WatchId id = observer_.watch(DnsKey{4711, "wWw", 40005, 53});
  see(ip(kContainer, kServer, 17, udp(40005, 53, question(4711, "wWw", false))));
  see(ip(kServer, kContainer, 17, udp(53, 40005, question(4711, "other", true))));
  see(ip(kServer, kContainer, 17, udp(53, 40006, question(4711, "other", true))));
  see(ip(kServer, kContainer, 17, udp(53, 40005, question(4712, "other", true))));
  see(ip(kContainer, kServer, 17, udp(40005, 53, question(4711, "other", false))));
  EXPECT_THAT(legs(id), testing::ElementsAre(Leg::forward, Leg::reply));
}

TEST_F(ObserverTest, TellsDnsQuestionsApartByIdAndLetters) {
  const WatchId id = observer_.watch(DnsKey{4711, "wWw", 40005, 53});
  see(ip(kContainer, kServer, 17, udp(40005, 53, question(4711, "wWw", false))));
  see(ip(kContainer, kServer, 17, udp(40006, 53, question(4711, "WwW", false))));
  see(ip(kServer, kContainer, 17, udp(53, 40005, question(4711, "wWw", true))));
  EXPECT_THAT(legs(id), testing::ElementsAre(Leg::forward, Leg::reply));
}

TEST_F(ObserverTest, KnowsADnsAnswerInAnotherSpellingByTheAskersPort) {
  const WatchId id = observer_.watch(DnsKey{4711, "wWw", 40005, 53});
  observer_.watch(DnsKey{4711, "WWW", 40006, 53});
  see(ip(kContainer, kServer, 17, udp(40005, 53, question(4711, "wWw", false))));
  see(ip(kServer, kContainer, 17, udp(53, 40005, question(4711, "WwW", true))));
  see(ip(kServer, kContainer, 17, udp(53, 40007, question(4711, "WwW", true))));  // to nobody
  EXPECT_THAT(legs(id), testing::ElementsAre(Leg::forward, Leg::reply));
}

std::optional<Recognised> recognise(const Observer& observer, const Bytes& packet) {
  return observer.recognise(traffic::decode(packet, traffic::LinkType::raw_ip), packet);
}

/// As the kernel's trace reports it: the IP header and 20 bytes of the transport.
Bytes reported(const Bytes& packet) {
  return first(packet, 40);
}

TEST_F(ObserverTest, RecognisesWhatTheKernelReportsOfAPacket) {
  const WatchId ping = observer_.watch(NonceKey{kNonce, 77, 0});
  const WatchId by_udp = observer_.watch(NonceKey{kNonce + 1, 40001, 7});
  const WatchId dns = observer_.watch(DnsKey{4711, "wWw", 40005, 53});
  observer_.watch(DnsKey{4711, "WwW", 40006, 53});
  const auto is = [&](const Bytes& packet, WatchId watch, Leg leg) {
    const auto found = recognise(observer_, reported(packet));
    return found && found->watch == watch && found->leg == leg;
  };
  EXPECT_TRUE(is(ip(kContainer, kServer, 1, icmp(8, 0, 77, nonce_bytes(kNonce))), ping, Leg::forward));
  EXPECT_TRUE(is(ip(kServer, kHost, 1, icmp(0, 0, 4000, nonce_bytes(kNonce))), ping, Leg::reply));
  EXPECT_TRUE(is(ip(kServer, kHost, 17, udp(7, 40001, nonce_bytes(kNonce + 1))), by_udp, Leg::reply));
  EXPECT_TRUE(
      is(ip(kContainer, kServer, 17, udp(40005, 53, question(4711, "wWw", false))), dns, Leg::forward));
  EXPECT_TRUE(is(ip(kServer, kContainer, 17, udp(53, 40005, question(4711, "wWw", true))), dns, Leg::reply));
  EXPECT_FALSE(recognise(observer_,
                         reported(ip(kContainer, kServer, 17, udp(40005, 53, question(4712, "a", false))))));
  EXPECT_FALSE(
      recognise(observer_, reported(ip(kContainer, kServer, 1, icmp(8, 0, 77, nonce_bytes(kNonce + 9))))));
}

TEST_F(ObserverTest, RecognisesASynThatNoTapSaw) {
  const WatchId id = observer_.watch(TcpKey{40002, 80, kServer});
  const Bytes syn = ip(kContainer, kServer, 6, tcp(40002, 80, 5000, 0, kSyn));
  const Bytes strange = ip(kHost, kServer, 6, tcp(1024, 80, 5000, 0, kSyn));
  ASSERT_TRUE(recognise(observer_, syn));
  EXPECT_EQ(recognise(observer_, syn)->watch, id);
  EXPECT_FALSE(recognise(observer_, strange));  // recognising teaches nothing
  see(syn);
  EXPECT_TRUE(recognise(observer_, strange));
  EXPECT_EQ(observer_.frames(), 1U);
}

constexpr std::uint8_t kRst = 0x04;
const IpAddress kPublished = *IpAddress::parse("192.168.99.1");
const IpAddress kBackend = *IpAddress::parse("192.168.99.12");

/// A connection through a node that may translate all of it.
struct Nat {
  const char* about;
  IpAddress source, target;  // as the node sends it on
  unsigned source_port, target_port;
};
const Nat kNats[] = {
    {"SNAT", kHost, kServer, 40002, 8080},
    {"masquerade that changes the port", kHost, kServer, 1024, 8080},
    {"DNAT", kContainer, kBackend, 40002, 80},
    {"hairpin: DNAT and SNAT", kPublished, kBackend, 40002, 80},
    {"hairpin that changes both ports", kPublished, kBackend, 1024, 80},
};

TEST_F(ObserverTest, FollowsTcpByItsNumbersThroughEveryKindOfNat) {
  std::uint32_t isn = 0xFFFFFF00U;
  std::uint16_t port = 40100;
  for (Nat nat : kNats) {
    const bool same_port = nat.source_port == 40002;
    ++port;
    if (same_port) nat.source_port = port;
    const IpAddress aimed = nat.target == kServer ? kServer : kPublished;
    const WatchId id = observer_.watch(TcpKey{port, 8080, aimed});
    isn += 100'000;
    const std::uint32_t theirs = isn ^ 0x5A5A5A5AU;
    const auto there = [&](std::uint32_t sequence, std::uint32_t acknowledgment, std::uint8_t flags) {
      see(ip(kContainer, aimed, 6, tcp(port, 8080, sequence, acknowledgment, flags)));
      see(ip(nat.source, nat.target, 6,
             tcp(nat.source_port, nat.target_port, sequence, acknowledgment, flags)));
    };
    const auto back = [&](std::uint32_t sequence, std::uint32_t acknowledgment, std::uint8_t flags) {
      see(ip(nat.target, nat.source, 6,
             tcp(nat.target_port, nat.source_port, sequence, acknowledgment, flags)));
      see(ip(aimed, kContainer, 6, tcp(8080, port, sequence, acknowledgment, flags)));
    };
    there(isn, 0, kSyn);
    back(theirs, isn + 1, kSynAck);
    there(isn + 1, theirs + 1, kAck);
    back(theirs + 1, 0, kRst);  // a reset of an acknowledging segment acknowledges nothing
    EXPECT_THAT(legs(id), testing::ElementsAre(Leg::forward, Leg::forward, Leg::reply, Leg::reply,
                                               Leg::forward, Leg::forward, Leg::reply, Leg::reply))
        << nat.about;
  }
}

TEST_F(ObserverTest, KnowsTheResetOfAClosedPortOrARejectBehindEveryKindOfNat) {
  std::uint32_t isn = 7'000'000;
  std::uint16_t port = 40200;
  for (Nat nat : kNats) {
    ++port;
    isn += 100'000;
    if (nat.source_port == 40002) nat.source_port = port;
    const IpAddress aimed = nat.target == kServer ? kServer : kPublished;
    const WatchId id = observer_.watch(TcpKey{port, 8080, aimed});
    see(ip(kContainer, aimed, 6, tcp(port, 8080, isn, 0, kSyn)));
    see(ip(nat.source, nat.target, 6, tcp(nat.source_port, nat.target_port, isn, 0, kSyn)));
    see(ip(nat.target, nat.source, 6, tcp(nat.target_port, nat.source_port, 0, isn + 1, kRstAck)));
    see(ip(aimed, kContainer, 6, tcp(8080, port, 0, isn + 1, kRstAck)));
    EXPECT_THAT(legs(id), testing::ElementsAre(Leg::forward, Leg::forward, Leg::reply, Leg::reply))
        << nat.about;
  }
}

TEST_F(ObserverTest, KnowsARejectsResetWhoseSynNeverLeftTheTranslator) {
  const WatchId id = observer_.watch(TcpKey{40002, 8080, kPublished});
  see(ip(kContainer, kPublished, 6, tcp(40002, 8080, 5000, 0, kSyn)));
  see(ip(kPublished, kContainer, 6, tcp(8080, 40002, 0, 5001, kRstAck)));
  // Inside the translator, as its kernel reports it: behind DNAT, and behind SNAT of both ports.
  const auto dnat =
      observer_.recognise(traffic::decode(ip(kBackend, kContainer, 6, tcp(80, 40002, 0, 5001, kRstAck)),
                                          traffic::LinkType::raw_ip),
                          {});
  const auto both = observer_.recognise(
      traffic::decode(ip(kPublished, kBackend, 6, tcp(1024, 80, 5000, 0, kSyn)), traffic::LinkType::raw_ip),
      {});
  ASSERT_TRUE(dnat && both);
  EXPECT_EQ(dnat->leg, Leg::reply);
  EXPECT_EQ(both->watch, id);
  EXPECT_THAT(legs(id), testing::ElementsAre(Leg::forward, Leg::reply));
}

TEST_F(ObserverTest, TakesNoStrangersResetOrHandshakeForItsOwn) {
  const WatchId id = observer_.watch(TcpKey{40002, 8080, kPublished});
  see(ip(kContainer, kPublished, 6, tcp(40002, 8080, 5000, 0, kSyn)));
  see(ip(kPublished, kContainer, 6, tcp(8080, 40002, 900, 5001, kSynAck)));
  see(ip(kBackend, kPublished, 6, tcp(80, 1024, 0, 5001, kRstAck)));          // ports that no SYN of ours had
  see(ip(kBackend, kPublished, 6, tcp(80, 1024, 901, 0, kRst)));              // likewise
  see(ip(kPublished, kContainer, 6, tcp(8080, 40002, 900 + 9000, 0, kRst)));  // another connection's number
  see(ip(kContainer, kPublished, 6, tcp(40009, 80, 5002, 0, kSyn)));          // near, but not ours
  EXPECT_THAT(legs(id), testing::ElementsAre(Leg::forward, Leg::reply));
}

TEST_F(ObserverTest, LooksAtTheChecksumsOfItsOwnPackets) {
  const WatchId id = observer_.watch(NonceKey{kNonce, 77, 0});
  see(ip(kContainer, kServer, 1, icmp(8, 0, 77, nonce_bytes(kNonce))));
  EXPECT_EQ(observer_.journey(id, {}).sightings.at(0).packet.checksum, traffic::Checksum::bad);
}

TEST_F(ObserverTest, PassesOverFramesThatAreNotPackets) {
  observer_.watch(NonceKey{kNonce, 77, 0});
  const Bytes whole = ip(kContainer, kServer, 1, icmp(8, 0, 77, nonce_bytes(kNonce)));
  for (std::size_t length = 0; length < 36; ++length) see(first(whole, length));
  EXPECT_TRUE(observer_.journey(0, {}).sightings.empty());
  EXPECT_EQ(observer_.frames(), 36U);
}

}  // namespace
}  // namespace plumbline::proof
