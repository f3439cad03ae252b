#include "harness/traffic/packet/packet.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace plumbline::traffic {
namespace {

using ::testing::_;
using ::testing::ElementsAre;
using ::testing::StartsWith;

using Bytes = std::vector<std::uint8_t>;

Bytes hex(std::string_view text) {
  Bytes bytes;
  std::string digits;
  for (const char c : text) {
    if (std::isxdigit(static_cast<unsigned char>(c)) == 0) continue;
    digits.push_back(c);
    if (digits.size() < 2) continue;
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(digits, nullptr, 16)));
    digits.clear();
  }
  return bytes;
}

std::vector<std::string> lines_of(LinkType type, std::string_view text) {
  const Bytes frame = hex(text);
  Packet packet = decode(frame, type);
  packet.checksum = checksum_of(packet, frame);
  return header_lines(packet);
}

TEST(HeaderLines, AreOneForEachHeader) {
  EXPECT_THAT(
      lines_of(LinkType::ethernet,
               "0e9871837281 724ee3d6cf6e 0800 4500001c1a2b40004001d939c0a8630bcb007150 0800f7fd00010001"),
      ElementsAre("Ethernet: 72:4e:e3:d6:cf:6e > 0e:98:71:83:72:81, IPv4",
                  "IPv4: 192.168.99.11 > 203.0.113.80, ttl 64, ICMP, 28 bytes, id 6699, don't fragment",
                  "ICMP: echo request (type 8 code 0), id 1, seq 1, checksum good"));
  EXPECT_THAT(lines_of(LinkType::linux_sll2,
                       "08000000 00000007 00010406 0e98718372810000 4500002400004000401100000a010203c0a81035 "
                       "9c410035 00100000 504c0123456789ab"),
              ElementsAre("Linux cooked v2: goes out, from 0e:98:71:83:72:81, interface 7, IPv4",
                          "IPv4: 10.1.2.3 > 192.168.16.53, ttl 64, UDP, 36 bytes, id 0, don't fragment",
                          StartsWith("UDP: port 40001 > 53, length 16"), "payload: 8 bytes"));
  EXPECT_THAT(
      lines_of(LinkType::raw_ip,
               "4500003c000040003f060000c0a8100acb007150 9c420050 000003e8 00000000 a002faf0 00000000 "
               "020405b40402080a0000000000000000 01030307"),
      ElementsAre(StartsWith("IPv4: "), StartsWith("TCP: port 40002 > 80, SYN, seq 1000, window 64240")));
  EXPECT_THAT(
      lines_of(
          LinkType::ethernet,
          "ffffffffffff 0e9871837281 0806 0001 0800 06 04 0001 0e9871837281 c0a8630b 000000000000 c0a86301"),
      ElementsAre(_, "ARP: request, 192.168.99.11 is at 0e:98:71:83:72:81, 192.168.99.1 at ?"));
}

TEST(HeaderLines, IndentWhatAnErrorQuotes) {
  EXPECT_THAT(lines_of(LinkType::raw_ip,
                       "45c00038000000004001 0000c0a86301c0a8630b 0303000000000000 "
                       "45000024000040003f110000c0a8630b0a010203 "
                       "9c410035 00100000"),
              ElementsAre(StartsWith("IPv4: "), StartsWith("ICMP: port unreachable (type 3 code 3)"),
                          "quotes:", StartsWith("  IPv4: 192.168.99.11 > 10.1.2.3, ttl 63, UDP"),
                          StartsWith("  UDP: port 40001 > 53")));
}

TEST(HeaderLines, SayWhereDecodingEnded) {
  EXPECT_THAT(lines_of(LinkType::raw_ip, "4500003c000040003f06"),
              ElementsAre("not decoded further: IPv4 header cut to 10 bytes"));
  EXPECT_THAT(lines_of(LinkType::ethernet, "ffffffffffff 0e9871837281 88cc 00"),
              ElementsAre("Ethernet: 0e:98:71:83:72:81 > ff:ff:ff:ff:ff:ff, 0x88cc", "payload: 1 bytes"));
}

struct Sample {
  const char* about;
  LinkType type;
  const char* bytes;
  const char* text;
};

// Real frames: headers as Linux sent them, payloads shortened.
const Sample kSamples[] = {
    {"ping over Ethernet", LinkType::ethernet,
     "0e9871837281 724ee3d6cf6e 0800 4500001c1a2b40004001d939c0a8630bcb007150 0800f7fd00010001",
     "192.168.99.11 > 203.0.113.80 ICMP echo request id 1 seq 1, ttl 64"},
    {"the same behind a VLAN tag", LinkType::ethernet,
     "0e9871837281 724ee3d6cf6e 8100000a 0800 4500001c1a2b40004001d939c0a8630bcb007150 0800f7fd00010001",
     "192.168.99.11 > 203.0.113.80 ICMP echo request id 1 seq 1, ttl 64"},
    {"UDP in a cooked frame", LinkType::linux_sll2,
     "08000000 00000007 00010406 0e98718372810000 4500002400004000401100000a010203c0a81035 9c410035 00100000 "
     "504c0123456789ab",
     "10.1.2.3:40001 > 192.168.16.53:53 UDP 8 bytes, ttl 64"},
    {"TCP SYN with options", LinkType::raw_ip,
     "4500003c000040003f060000c0a8100acb007150 9c420050 000003e8 00000000 a002faf0 00000000 "
     "020405b40402080a0000000000000000 01030307",
     "192.168.16.10:40002 > 203.0.113.80:80 TCP SYN seq 1000, ttl 63"},
    {"TCP reset", LinkType::raw_ip,
     "450000280000400040060000cb007150c0a8100a 00509c42 00000000 000003e9 50140000 00000000",
     "203.0.113.80:80 > 192.168.16.10:40002 TCP RST,ACK seq 0 ack 1001, ttl 64"},
    {"port unreachable that quotes a UDP datagram", LinkType::raw_ip,
     "45c00038000000004001 0000c0a86301c0a8630b 0303000000000000 45000024000040003f110000c0a8630b0a010203 "
     "9c410035 00100000",
     "192.168.99.1 > 192.168.99.11 ICMP port unreachable (quotes 192.168.99.11:40001 > 10.1.2.3:53 UDP 8 "
     "bytes), ttl 64"},
    {"ARP request", LinkType::ethernet,
     "ffffffffffff 0e9871837281 0806 0001 0800 06 04 0001 0e9871837281 c0a8630b 000000000000 c0a86301",
     "ARP who-has 192.168.99.1 tell 192.168.99.11"},
    {"ARP reply", LinkType::ethernet,
     "0e9871837281 724ee3d6cf6e 0806 0001 0800 06 04 0002 724ee3d6cf6e c0a86301 0e9871837281 c0a8630b",
     "ARP 192.168.99.1 is-at 72:4e:e3:d6:cf:6e"},
    {"IPv6 UDP", LinkType::raw_ip,
     "600000000010 11 40 20010db8001600000000000000000010 20010db8ffff00000000000000000080 9c410007 00100000 "
     "504c0123456789ab",
     "[2001:db8:16::10]:40001 > [2001:db8:ffff::80]:7 UDP 8 bytes, ttl 64"},
    {"IPv6 behind hop-by-hop options", LinkType::raw_ip,
     "60000000001c 00 01 fe800000000000000000000000000001 ff0200000000000000000000000000fb 3a00050200000100 "
     "8f000000 00000001 04000000 00000000 00000000",
     "fe80::1 > ff02::fb ICMPv6 multicast listener report, ttl 1"},
    {"ICMPv6 address unreachable with its quote", LinkType::raw_ip,
     "600000000038 3a 40 20010db8001600000000000000000001 20010db8001600000000000000000010 0103000000000000"
     " 600000000010 11 3f 20010db8001600000000000000000010 fd000001000000000000000000000003 9c410035 "
     "00100000",
     "2001:db8:16::1 > 2001:db8:16::10 ICMPv6 address unreachable (quotes [2001:db8:16::10]:40001 > "
     "[fd00:1::3]:53 UDP 8 "
     "bytes), ttl 64"},
    {"IPv6 neighbour solicitation", LinkType::raw_ip,
     "600000000020 3a ff fe800000000000000000000000000001 ff0200000000000000000001ff000010"
     "8700000000000000 20010db8001600000000000000000010 01010e9871837281",
     "fe80::1 > ff02::1:ff00:10 ICMPv6 neighbour solicitation for 2001:db8:16::10, ttl 255"},
    {"DNS query", LinkType::raw_ip,
     "4500003e00004000401100000a010203c0a81035 9c410035 002a0000"
     "1267 0100 0001 0000 0000 0000 03777777 076578616d706c65 0474657374 00 0001 0001",
     "10.1.2.3:40001 > 192.168.16.53:53 UDP 34 bytes, DNS query A www.example.test, ttl 64"},
    {"DNS answer that there is no such name", LinkType::raw_ip,
     "4500003e0000400040110000c0a810350a010203 00359c41 002a0000"
     "1267 8183 0001 0000 0000 0000 03777777 076578616d706c65 0474657374 00 001c 0001",
     "192.168.16.53:53 > 10.1.2.3:40001 UDP 34 bytes, DNS answer AAAA www.example.test NXDOMAIN, ttl 64"},
    {"fragmentation needed that quotes TCP", LinkType::raw_ip,
     "45c000380000000040010000c0a86301c0a8630b 0304000000000578"
     "450005dc000040003f060000c0a8630bcb007150 9c420050000003e8",
     "192.168.99.1 > 192.168.99.11 ICMP fragmentation needed, mtu 1400 (quotes 192.168.99.11:40002 > "
     "203.0.113.80:80 TCP seq 1000), ttl 64"},
    {"the first IPv4 fragment", LinkType::raw_ip,
     "450000240001200040110000c0a8630bcb007150 9c410007 05d00000 504c0123456789ab",
     "192.168.99.11:40001 > 203.0.113.80:7 UDP 1480 bytes, ttl 64, first fragment"},
    {"a later IPv6 fragment", LinkType::raw_ip,
     "600000000010 2c 40 20010db8001600000000000000000010 20010db8ffff00000000000000000080"
     "1100058800000001 1122334455667788",
     "2001:db8:16::10 > 2001:db8:ffff::80 fragment at 1416, ttl 64"},
    {"TCP on loopback in a cooked frame", LinkType::linux_sll2,
     "08000000 00000001 03040006 0000000000000000"
     "45000028000040004006 00007f0000017f000001 9c4200500000000a0000000b501002000000 0000",
     "127.0.0.1:40002 > 127.0.0.1:80 TCP ACK seq 10 ack 11, ttl 64"},
    {"a later IPv4 fragment", LinkType::raw_ip, "4500001c000100b940110000c0a8630bcb007150 0011223344556677",
     "192.168.99.11 > 203.0.113.80 fragment at 1480, ttl 64"},
};

TEST(Packet, TellsRealFramesInOneLine) {
  for (const Sample& sample : kSamples) {
    const Packet packet = decode(hex(sample.bytes), sample.type);
    EXPECT_EQ(to_text(packet), sample.text) << sample.about;
    EXPECT_EQ(packet.problem, "") << sample.about;
  }
}

TEST(Packet, IsSafeAtEveryTruncation) {
  for (const Sample& sample : kSamples) {
    const Bytes whole = hex(sample.bytes);
    for (std::size_t length = 0; length < whole.size(); ++length) {
      // A copy of exactly that size, so that AddressSanitizer sees a read past its end.
      const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
      const Packet packet = decode(cut, sample.type);
      EXPECT_LE(packet.payload_offset + packet.payload_length, cut.size())
          << sample.about << " cut to " << length;
      EXPECT_FALSE(to_text(packet).empty());
      (void)decode_dns_question(cut);
    }
  }
}

TEST(Packet, SaysWhatIsMalformed) {
  const auto problem = [](std::string_view bytes) { return decode(hex(bytes), LinkType::raw_ip).problem; };
  EXPECT_THAT(problem(""), testing::HasSubstr("empty"));
  EXPECT_THAT(problem("4f00001c"), testing::HasSubstr("IPv4 header cut"));
  EXPECT_THAT(problem("4400001c000000004011 0000c0a8630bcb007150"),
              testing::HasSubstr("IPv4 header length 16"));
  EXPECT_THAT(problem("4500000a000000004011 0000c0a8630bcb007150"), testing::HasSubstr("total length 10"));
  EXPECT_THAT(problem("4500001c000000004011 0000c0a8630bcb007150 9c410007 0003 0000"),
              testing::HasSubstr("UDP length 3"));
  EXPECT_THAT(
      problem("45000028000000004006 0000c0a8630bcb007150 9c420050 00000000 00000000 10020000 00000000"),
      testing::HasSubstr("TCP header length 4"));
}

TEST(Packet, BoundsIpv6ExtensionHeaders) {
  Bytes chain = hex("600000000100 00 40 fe800000000000000000000000000001 fe800000000000000000000000000002");
  for (int i = 0; i < 32; ++i) {
    const Bytes option = hex("0000010400000000");
    chain.insert(chain.end(), option.begin(), option.end());
  }
  EXPECT_THAT(decode(chain, LinkType::raw_ip).problem, testing::HasSubstr("do not end"));
}

TEST(Packet, CountsWhatACutFrameClaims) {
  // An offloaded segment of 40,000 bytes, of which a tap kept four.
  const Bytes frame =
      hex("45009c680000400040060000c0a8630bcb007150 9c420050000003e80000000050180200 00000000 61626364");
  const Packet packet = decode(frame, LinkType::raw_ip);
  EXPECT_EQ(packet.payload_length, 4U);
  EXPECT_EQ(packet.payload_total, 40000U);
  EXPECT_THAT(to_text(packet), testing::HasSubstr(" 40000 bytes"));
}

TEST(Packet, QuotesOneLevelOnly) {
  // A port unreachable that quotes a port unreachable: no host sends it, so a forger may.
  const std::string unreachable = "45c00038000000004001 0000c0a86301c0a8630b 0303000000000000";
  const Packet packet = decode(hex(unreachable + unreachable + unreachable), LinkType::raw_ip);
  const auto& outer = std::get<IcmpHeader>(packet.transport);
  ASSERT_TRUE(outer.quoted);
  EXPECT_FALSE(std::get<IcmpHeader>(outer.quoted->transport).quoted);
}

TEST(Packet, QuotesAPayloadToo) {
  const Bytes frame =
      hex("45c000440000000040010000c0a86301c0a8630b 030d000000000000"
          "45000028000040003f110000c0a8630b0a010203 9c410007 00140000 504c0123456789abcdef0011");
  const Packet packet = decode(frame, LinkType::raw_ip);
  const auto& icmp = std::get<IcmpHeader>(packet.transport);
  ASSERT_TRUE(icmp.quoted);
  EXPECT_EQ(icmp.quoted->payload_length, 12U);
  const auto payload = icmp.quoted->payload(frame);  // offsets of a quote count from the whole frame's start
  EXPECT_EQ(payload.front(), 0x50);
  EXPECT_EQ(payload.back(), 0x11);
}

TEST(Packet, KeepsANamesControlCharactersOffTheTerminal) {
  const Bytes frame =
      hex("4500003000004000401100000a010203c0a81035 9c410035 001c0000"
          "1267 0100 0001 0000 0000 0000 021b5b 00 0001 0001");
  EXPECT_THAT(to_text(decode(frame, LinkType::raw_ip)), testing::HasSubstr("DNS query A \\027[,"));
}

TEST(Packet, KnowsDirectionAndInterfaceOfCookedFrames) {
  const auto direction = [](const char* type) {
    return decode(hex(std::string("0800 0000 00000007 0001 ") + type + " 06 0e98718372810000"),
                  LinkType::linux_sll2)
        .direction;
  };
  EXPECT_EQ(direction("00"), Direction::in);
  EXPECT_EQ(direction("01"), Direction::in);  // broadcast
  EXPECT_EQ(direction("02"), Direction::in);  // multicast
  EXPECT_EQ(direction("03"), Direction::other_host);
  EXPECT_EQ(direction("04"), Direction::out);
  EXPECT_EQ(direction("07"), Direction::unknown);  // PACKET_KERNEL, and whatever comes later
  EXPECT_EQ(decode(hex(kSamples[2].bytes), LinkType::linux_sll2).interface_index, 7U);
}

TEST(Packet, GivesThePayloadWithoutPadding) {
  const Bytes frame =
      hex("0e9871837281 724ee3d6cf6e 0800 4500001f00004000401100000a010203c0a81035 9c410035 000b0000 616263 "
          "000000000000");
  const Packet packet = decode(frame, LinkType::ethernet);
  const auto payload = packet.payload(frame);
  EXPECT_EQ(std::string(payload.begin(), payload.end()), "abc");
}

TEST(Packet, ReadsPortsAndSequenceFromAnEightByteQuote) {
  const Packet packet = decode(hex("45c00038000000004001 0000c0a86301c0a8630b 0303000000000000"
                                   "4500003c000040003f060000c0a8630b0a010203 9c420050 000003e8"),
                               LinkType::raw_ip);
  const auto& icmp = std::get<IcmpHeader>(packet.transport);
  ASSERT_TRUE(icmp.quoted);
  const auto& tcp = std::get<TcpHeader>(icmp.quoted->transport);
  EXPECT_EQ(tcp.source_port, 40002);
  EXPECT_EQ(tcp.sequence, 1000U);
}

TEST(DnsQuestion, KeepsIdAndLetters) {
  const Bytes query =
      hex("1267 0100 0001 0000 0000 0000 03 775757 07 6578616d706c65 04 74657374 00 0001 0001");
  const auto question = decode_dns_question(query);
  ASSERT_TRUE(question);
  EXPECT_EQ(question->id, 0x1267);
  EXPECT_EQ(question->name, "wWW.example.test");
  EXPECT_FALSE(question->response);
  EXPECT_EQ(question->type, 1);
  for (std::size_t length = 0; length < query.size(); ++length) {
    EXPECT_FALSE(
        decode_dns_question(Bytes(query.begin(), query.begin() + static_cast<std::ptrdiff_t>(length))))
        << length;
  }
}

TEST(DnsQuestion, RefusesCompressionAndNamesWithoutEnd) {
  EXPECT_FALSE(decode_dns_question(hex("1267 0100 0001 0000 0000 0000 c00c 0001 0001")));
  Bytes endless = hex("1267 0100 0001 0000 0000 0000");
  for (int i = 0; i < 400; ++i) endless.insert(endless.end(), {1, 'a'});
  EXPECT_FALSE(decode_dns_question(endless));
}

TEST(IcmpText, NamesWhatFirewallsAnswer) {
  EXPECT_EQ(icmp_text(3, 3, false), "port unreachable");
  EXPECT_EQ(icmp_text(3, 13, false), "communication administratively prohibited");
  EXPECT_EQ(icmp_text(1, 1, true), "communication administratively prohibited");
  EXPECT_EQ(icmp_text(42, 7, false), "type 42 code 7");
}

}  // namespace
}  // namespace plumbline::traffic
