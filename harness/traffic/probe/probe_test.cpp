#include "harness/traffic/probe/probe.hpp"

#include <gtest/gtest.h>

#include <set>

#include "harness/base/error.hpp"
#include "harness/traffic/probe/dns_answer.hpp"
#include "harness/traffic/probe/exchange.hpp"
#include "harness/traffic/probe/http_answer.hpp"
#include "harness/traffic/probe/icmp_echo.hpp"
#include "harness/traffic/probe/source_port.hpp"

namespace plumbline::traffic {
namespace {

using Bytes = std::vector<std::uint8_t>;

IpAddress ip(const char* text) {
  return *IpAddress::parse(text);
}

TEST(Nonce, IsTaggedAndNeverTwiceTheSame) {
  std::set<Nonce> seen;
  for (int i = 0; i < 10'000; ++i) {
    const Nonce nonce = next_nonce();
    EXPECT_EQ(nonce >> 48U, 0x504CU);
    EXPECT_TRUE(seen.insert(nonce).second);
  }
  EXPECT_EQ(nonce_text(0x504C'0000'0000'00AFULL), "504c0000000000af");
}

TEST(SourcePorts, ComeBackOnlyAfterAllOthers) {
  detail::SourcePorts ports;
  std::set<std::uint16_t> seen;
  for (std::uint32_t i = 0; i < detail::SourcePorts::kCount; ++i) {
    const std::uint16_t port = ports.next();
    ASSERT_GE(port, 20'000);
    ASSERT_LE(port, 59'999);
    ASSERT_TRUE(seen.insert(port).second) << port;
  }
  EXPECT_FALSE(seen.insert(ports.next()).second);
}

TEST(Payload, BeginsWithNonceAndIsReadable) {
  const Bytes payload = detail::make_payload(0x504C'0102'0304'0506ULL, 24);
  EXPECT_EQ(Bytes(payload.begin(), payload.begin() + 8), (Bytes{0x50, 0x4C, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(std::string(payload.begin() + 8, payload.end()), " plumbline probe");
  EXPECT_THROW(detail::make_payload(1, 15), Error);
}

TEST(IcmpEcho, RequestHasValidChecksum) {
  const Bytes payload = detail::make_payload(7, 17);  // odd length
  const Bytes request = detail::make_echo_request(IpFamily::v4, 0xABCD, payload);
  ASSERT_EQ(request.size(), 25U);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < request.size(); ++i) sum += i % 2 == 0 ? request[i] * 256U : request[i];
  while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16U);
  EXPECT_EQ(sum, 0xFFFFU);
  EXPECT_EQ(request[0], 8);
  EXPECT_EQ(detail::make_echo_request(IpFamily::v6, 1, payload)[0], 128);
}

TEST(IcmpEcho, ReplyMustHaveIdAndPayload) {
  const Bytes payload = detail::make_payload(next_nonce(), 56);
  for (const IpFamily family : {IpFamily::v4, IpFamily::v6}) {
    Bytes reply = detail::make_echo_request(family, 0x1234, payload);
    EXPECT_FALSE(detail::is_echo_reply(family, 0x1234, payload, reply)) << "a request is no reply";
    reply[0] = family == IpFamily::v4 ? 0 : 129;
    EXPECT_TRUE(detail::is_echo_reply(family, 0x1234, payload, reply));
    EXPECT_FALSE(detail::is_echo_reply(family, 0x1235, payload, reply));
    for (std::size_t size = 0; size < reply.size(); ++size) {
      EXPECT_FALSE(detail::is_echo_reply(family, 0x1234, payload, std::span(reply).first(size)));
    }
    reply[9] ^= 1;
    EXPECT_FALSE(detail::is_echo_reply(family, 0x1234, payload, reply)) << "another nonce";
  }
}

TEST(IcmpEcho, QuoteMayBeShortButNotAnothers) {
  const Bytes payload = detail::make_payload(next_nonce(), 56);
  Bytes quote = detail::make_echo_request(IpFamily::v4, 0x1234, payload);
  for (std::size_t size = 0; size <= quote.size(); ++size) {
    EXPECT_EQ(detail::quotes_echo_request(IpFamily::v4, 0x1234, payload, std::span(quote).first(size)),
              size >= 8)
        << size;
  }
  EXPECT_FALSE(detail::quotes_echo_request(IpFamily::v4, 0x1235, payload, quote));
  quote[15] ^= 1;
  EXPECT_FALSE(detail::quotes_echo_request(IpFamily::v4, 0x1234, payload, quote)) << "another nonce";
}

TEST(IcmpEcho, SkipsIpv4HeaderWithOptions) {
  Bytes packet(28, 0);
  packet[0] = 0x46;
  packet[24] = 0xAA;
  const auto rest = detail::skip_ipv4_header(packet);
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->size(), 4U);
  EXPECT_EQ(rest->front(), 0xAA);
  EXPECT_FALSE(detail::skip_ipv4_header(std::span(packet).first(23)));
  EXPECT_FALSE(detail::skip_ipv4_header({}));
  packet[0] = 0x44;
  EXPECT_FALSE(detail::skip_ipv4_header(packet));
  packet[0] = 0x66;
  EXPECT_FALSE(detail::skip_ipv4_header(packet));
}

TEST(TcpAnswer, NeedsNonceAndReadsWholeClientLine) {
  const std::string nonce = "504c0000000000af";
  EXPECT_TRUE(detail::read_tcp_answer("GET /plumbline/" + nonce, nonce).has_nonce);
  EXPECT_FALSE(detail::read_tcp_answer("GET /plumbline/504c", nonce).has_nonce);
  const std::string head = "HTTP/1.0 200 OK\r\n\r\nclient 192.0.2.1";
  EXPECT_FALSE(detail::read_tcp_answer(head, nonce).seen_as) << "the line may go on";
  EXPECT_EQ(detail::read_tcp_answer(head + "23\n", nonce).seen_as, ip("192.0.2.123"));
  EXPECT_EQ(detail::read_tcp_answer(head + "\r\n", nonce).seen_as, ip("192.0.2.1"));
  EXPECT_FALSE(detail::read_tcp_answer(head + " x\n", nonce).seen_as);
  EXPECT_FALSE(detail::read_tcp_answer("GET /\nclient 192.0.2.1\n", nonce).seen_as) << "not HTTP";
}

Bytes dns_query() {
  return {0xBE, 0xEF, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'A', 4, 't', 'e', 's', 't', 0, 0, 1, 0, 1};
}

Bytes dns_answer() {
  Bytes answer = dns_query();
  answer[2] = 0x85;
  answer[3] = 0x80;
  answer[7] = 2;
  for (const std::uint8_t last : {std::uint8_t{9}, std::uint8_t{5}}) {
    answer.insert(answer.end(), {0xC0, 0x0C, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, last});
  }
  return answer;
}

DnsOutcome read(const Bytes& answer, bool aaaa = false) {
  DnsOutcome outcome;
  detail::read_dns_answer(dns_query(), answer, aaaa, outcome);
  return outcome;
}

TEST(DnsAnswer, KeepsTheOrder) {
  const DnsOutcome outcome = read(dns_answer());
  EXPECT_EQ(outcome.status, DnsOutcome::Status::answered);
  EXPECT_EQ(outcome.addresses, (std::vector{ip("192.0.2.9"), ip("192.0.2.5")}));
  EXPECT_TRUE(outcome.case_kept);
  EXPECT_FALSE(outcome.truncated);
  EXPECT_EQ(to_text(outcome), "192.0.2.9, 192.0.2.5");
}

TEST(DnsAnswer, NoticesAnotherSpelling) {
  Bytes answer = dns_answer();
  answer[13] = 'a';
  const DnsOutcome outcome = read(answer);
  EXPECT_EQ(outcome.status, DnsOutcome::Status::answered);
  EXPECT_FALSE(outcome.case_kept);
}

TEST(DnsAnswer, ReadsRcodesAndTruncation) {
  using Status = DnsOutcome::Status;
  Bytes answer = dns_query();
  const std::vector<std::pair<int, Status>> table{{0, Status::answered},
                                                  {1, Status::other_rcode},
                                                  {2, Status::server_failure},
                                                  {3, Status::name_error},
                                                  {5, Status::refused}};
  for (const auto& [rcode, status] : table) {
    answer[2] = 0x87;
    answer[3] = static_cast<std::uint8_t>(0x80 | rcode);
    const DnsOutcome outcome = read(answer);
    EXPECT_EQ(outcome.status, status) << rcode;
    EXPECT_EQ(outcome.rcode, rcode);
    EXPECT_TRUE(outcome.truncated);
  }
  // An error without its question (as some servers answer what they cannot parse).
  EXPECT_EQ(read({0xBE, 0xEF, 0x85, 0x81, 0, 0, 0, 0, 0, 0, 0, 0}).status, Status::other_rcode);
}

TEST(DnsAnswer, EveryCutIsMalformed) {
  const Bytes whole = dns_answer();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(read(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))).status,
              DnsOutcome::Status::malformed)
        << size;
  }
}

TEST(ProbeText, NamesErrorsInTheirOwnWords) {
  using Status = ProbeOutcome::Status;
  ProbeOutcome outcome;
  EXPECT_EQ(to_text(outcome), "timeout");
  outcome.status = Status::icmp_error;
  outcome.icmp = IcmpError{3, 10, false, ip("192.168.99.1")};
  EXPECT_EQ(to_text(outcome), "ICMP host administratively prohibited from 192.168.99.1");
  outcome.icmp = IcmpError{1, 4, true, ip("2001:db8::1")};
  EXPECT_EQ(to_text(outcome), "ICMPv6 port unreachable from 2001:db8::1");
  outcome.icmp = IcmpError{3, 99, false, ip("192.0.2.1")};
  EXPECT_EQ(to_text(outcome), "ICMP type 3 code 99 from 192.0.2.1");
  outcome.status = Status::local_error;
  outcome.error_number = ENETUNREACH;
  outcome.attempted = "connect";
  EXPECT_EQ(to_text(outcome), "connect: Network is unreachable");
  outcome.status = Status::refused;
  EXPECT_EQ(to_text(outcome), "connection refused");
}

TEST(Probe, WithoutANodeIsAnError) {
  EXPECT_THROW(static_cast<void>(probe({}, {})), Error);
  EXPECT_THROW(static_cast<void>(ask({}, {})), Error);
}

}  // namespace
}  // namespace plumbline::traffic
