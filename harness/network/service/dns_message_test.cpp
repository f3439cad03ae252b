#include "harness/network/service/dns_message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>

namespace plumbline::network::detail {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint16_t kA = 1;
constexpr std::uint16_t kMx = 15;
constexpr std::uint16_t kAaaa = 28;

void put16(Bytes& bytes, unsigned value) {
  bytes.push_back(static_cast<std::uint8_t>(value >> 8U));
  bytes.push_back(static_cast<std::uint8_t>(value & 0xFFU));
}

Bytes query(std::string_view name, std::uint16_t type, unsigned flags = 0x0100) {
  Bytes bytes;
  for (const unsigned word : {0xBEEFU, flags, 1U, 0U, 0U, 0U}) put16(bytes, word);
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    bytes.push_back(static_cast<std::uint8_t>(label.size()));
    bytes.insert(bytes.end(), label.begin(), label.end());
    name.remove_prefix(std::min(name.size(), label.size() + 1));
  }
  bytes.push_back(0);
  put16(bytes, type);
  put16(bytes, 1);
  return bytes;
}

Bytes with_opt(Bytes bytes, unsigned udp_size, std::uint8_t version = 0) {
  bytes[11] = 1;
  bytes.push_back(0);
  put16(bytes, 41);
  put16(bytes, udp_size);
  for (const std::uint8_t byte : {std::uint8_t{0}, version, std::uint8_t{0}, std::uint8_t{0}})
    bytes.push_back(byte);
  put16(bytes, 0);
  return bytes;
}

unsigned word(const Bytes& bytes, std::size_t at) {
  return (unsigned{bytes.at(at)} << 8U) | bytes.at(at + 1);
}
unsigned rcode(const DnsReply& reply) {
  return word(*reply.bytes, 2) & 0xFU;
}
bool truncated(const DnsReply& reply) {
  return (word(*reply.bytes, 2) & 0x0200U) != 0;
}
unsigned answers(const DnsReply& reply) {
  return word(*reply.bytes, 6);
}

IpAddress ip(const char* text) {
  return *IpAddress::parse(text);
}

DnsZone zone() {
  return {{"www.example.test", {ip("203.0.113.80"), ip("2001:db8::80"), ip("203.0.113.81")}},
          {"many.test", std::vector<IpAddress>(100, ip("192.0.2.1"))}};
}

TEST(DnsMessage, AnswersWithPointerToQuestion) {
  const Bytes question = query("www.example.test", kA);
  const DnsReply reply = answer_dns(zone(), question, false);
  Bytes expected{0xBE, 0xEF, 0x85, 0x80, 0, 1, 0, 2, 0, 0, 0, 0};
  expected.insert(expected.end(), question.begin() + 12, question.end());
  for (const std::uint8_t last : {std::uint8_t{80}, std::uint8_t{81}}) {
    expected.insert(expected.end(), {0xC0, 0x0C, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 203, 0, 113, last});
  }
  EXPECT_EQ(*reply.bytes, expected);
  EXPECT_EQ(reply.name, "www.example.test");
}

TEST(DnsMessage, AnswersOnlyTheTypeAsked) {
  const DnsReply reply = answer_dns(zone(), query("www.example.test", kAaaa), false);
  EXPECT_EQ(answers(reply), 1U);
  EXPECT_EQ(reply.bytes->at(reply.bytes->size() - 1), 0x80);
  EXPECT_EQ(answers(answer_dns(zone(), query("www.example.test", 255), false)), 3U);
}

TEST(DnsMessage, EchoesCaseAndFindsNameAllTheSame) {
  const Bytes question = query("wWw.ExAmPlE.tEsT", kA);
  const DnsReply reply = answer_dns(zone(), question, false);
  EXPECT_EQ(rcode(reply), 0U);
  EXPECT_EQ(answers(reply), 2U);
  EXPECT_EQ(reply.name, "wWw.ExAmPlE.tEsT");
  EXPECT_TRUE(std::equal(question.begin() + 12, question.end(), reply.bytes->begin() + 12));
}

TEST(DnsMessage, TellsNoSuchNameFromNoSuchType) {
  const DnsReply no_name = answer_dns(zone(), query("nowhere.test", kA), false);
  EXPECT_EQ(rcode(no_name), 3U);
  EXPECT_EQ(answers(no_name), 0U);
  const DnsReply no_data = answer_dns(zone(), query("www.example.test", kMx), false);
  EXPECT_EQ(rcode(no_data), 0U);
  EXPECT_EQ(answers(no_data), 0U);
}

TEST(DnsMessage, TruncatesOverUdpAndNotOverTcp) {
  const Bytes question = query("many.test", kA);
  const DnsReply udp = answer_dns(zone(), question, false);
  EXPECT_TRUE(truncated(udp));
  EXPECT_LE(udp.bytes->size(), 512U);
  EXPECT_EQ(udp.bytes->size(), question.size() + 16 * answers(udp))
      << "the count is that of the records there";
  const DnsReply tcp = answer_dns(zone(), question, true);
  EXPECT_FALSE(truncated(tcp));
  EXPECT_EQ(answers(tcp), 100U);
}

TEST(DnsMessage, HonoursEdnsSizeAndRepliesWithOpt) {
  const DnsReply reply = answer_dns(zone(), with_opt(query("many.test", kA), 4096), false);
  EXPECT_TRUE(truncated(reply));
  EXPECT_GT(reply.bytes->size(), 512U);
  EXPECT_LE(reply.bytes->size(), 1232U);
  EXPECT_EQ(word(*reply.bytes, 10), 1U);
  EXPECT_EQ(word(*reply.bytes, reply.bytes->size() - 10), 41U);
}

TEST(DnsMessage, RefusesOtherEdnsVersion) {
  const DnsReply reply = answer_dns(zone(), with_opt(query("www.example.test", kA), 1232, 1), false);
  EXPECT_EQ(rcode(reply), 0U);
  EXPECT_EQ(answers(reply), 0U);
  EXPECT_EQ(reply.bytes->at(reply.bytes->size() - 6), 1) << "extended rcode 1 << 4 is BADVERS";
}

TEST(DnsMessage, RefusesOtherClassesAndOpcodes) {
  Bytes chaos = query("www.example.test", kA);
  chaos.back() = 3;
  EXPECT_EQ(rcode(answer_dns(zone(), chaos, false)), 5U);
  EXPECT_EQ(rcode(answer_dns(zone(), query("www.example.test", kA, 0x2800), false)), 4U);
}

TEST(DnsMessage, NeverAnswersAnAnswer) {
  EXPECT_FALSE(answer_dns(zone(), query("www.example.test", kA, 0x8180), false).bytes);
}

TEST(DnsMessage, EveryTruncationIsSilenceOrFormError) {
  const Bytes whole = with_opt(query("www.example.test", kA), 1232);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const DnsReply reply = answer_dns(zone(), std::span(whole).first(size), size % 2 == 0);
    ASSERT_EQ(reply.bytes.has_value(), size >= 12) << size;
    if (size >= 12) {
      EXPECT_EQ(rcode(reply), 1U) << size;
    }
  }
}

TEST(DnsMessage, MalformedQuestionsAreFormErrors) {
  Bytes pointer = query("", kA);
  pointer.insert(pointer.begin() + 12, {0xC0, 0x0C});
  Bytes reserved = query("a", kA);
  reserved[12] = 0x81;
  Bytes two = query("www.example.test", kA);
  two[5] = 2;
  const Bytes endless = query(std::string(63, 'a') + "." + std::string(63, 'b') + "." + std::string(63, 'c') +
                                  "." + std::string(63, 'd') + "." + std::string(9, 'e'),
                              kA);
  Bytes promised = query("www.example.test", kA);
  promised[7] = 0xFF;  // records that are not there
  for (const Bytes& bad : {pointer, reserved, two, endless, promised}) {
    EXPECT_EQ(rcode(answer_dns(zone(), bad, false)), 1U);
  }
}

TEST(DnsMessage, OddBytesInNamesAreShownEscaped) {
  Bytes bytes = query("a", kA);
  bytes[13] = '\n';
  EXPECT_EQ(answer_dns(zone(), bytes, false).name, "\\010");
}

// Deterministic noise beside the fuzz target, so that every build has some.
TEST(DnsMessage, SurvivesMutations) {
  const Bytes whole = with_opt(query("www.example.test", kA), 1232);
  std::uint32_t state = 1;
  for (int i = 0; i < 100'000; ++i) {
    Bytes bytes = whole;
    for (int j = 0; j < 4; ++j) {
      state = state * 1'664'525U + 1'013'904'223U;
      bytes[(state >> 8U) % bytes.size()] = static_cast<std::uint8_t>(state >> 24U);
    }
    const DnsReply reply = answer_dns(zone(), bytes, false);
    ASSERT_LE(reply.bytes.value_or(Bytes{}).size(), kDnsEdnsUdpLimit);
  }
}

TEST(DnsAnswer, SaysWhatItIsToldToSayOfEveryName) {
  const DnsZone zone{{"www.example.test", {*IpAddress::parse("203.0.113.80")}}};
  const DnsReply refused = answer_dns(zone, query("www.example.test", kA), false, {.rcode = 5});
  EXPECT_EQ(rcode(refused), 5U);
  EXPECT_EQ(answers(refused), 0U);
}

TEST(DnsAnswer, IsAboutAnotherNameWhereToldTo) {
  const DnsZone zone{{"www.example.test", {*IpAddress::parse("203.0.113.80")}}};
  const DnsReply other = answer_dns(zone, query("www.example.test", kA), false, {.question = "b.test"});
  EXPECT_EQ(answers(other), 1U);
  const Bytes asked = query("b.test", kA);
  const Bytes& said = *other.bytes;
  EXPECT_TRUE(std::equal(asked.begin() + 12, asked.end(), said.begin() + 12));
}

TEST(DnsAnswer, IsCutOverUdpAloneWhereToldTo) {
  const DnsZone zone{{"www.example.test", {*IpAddress::parse("203.0.113.80")}}};
  const DnsReply cut = answer_dns(zone, query("www.example.test", kA), false, {.truncated = true});
  EXPECT_EQ(rcode(cut), 0U);
  EXPECT_TRUE(truncated(cut));
  EXPECT_EQ(answers(cut), 0U);
  const DnsReply whole = answer_dns(zone, query("www.example.test", kA), true, {.truncated = true});
  EXPECT_FALSE(truncated(whole));
  EXPECT_EQ(answers(whole), 1U);
}

}  // namespace
}  // namespace plumbline::network::detail
