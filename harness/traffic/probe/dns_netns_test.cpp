#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "harness/base/error.hpp"
#include "harness/traffic/probe/probe.hpp"
#include "harness/traffic/probe/testing.hpp"

namespace plumbline::traffic {
namespace {

using Status = DnsOutcome::Status;
using std::chrono::milliseconds;

constexpr const char* kV4 = "203.0.113.80";
constexpr const char* kV6 = "2001:db8:ffff::80";

class DnsTest : public ::testing::TestWithParam<DnsTransport> {
 protected:
  DnsTest() {
    for (std::uint8_t i = 0; i < 100; ++i) names_["many.test"].push_back(IpAddress::v4({198, 51, 100, i}));
  }

  DnsRequest request(const char* server, const std::string& name) const {
    DnsRequest wanted;
    wanted.from = &cable_.here();
    wanted.server = *IpAddress::parse(server);
    wanted.name = name;
    wanted.id = 0xBEEF;
    wanted.transport = GetParam();
    wanted.timeout = milliseconds(10'000);
    return wanted;
  }
  DnsOutcome run(DnsRequest wanted) {
    announced_ = 0;
    return testing::run_task(context_, ask(std::move(wanted), [this](const ProbeIdentity& identity) {
                               ++announced_;
                               identity_ = identity;
                             }));
  }
  DnsOutcome run(const char* server, const std::string& name) { return run(request(server, name)); }
  void start() { server_ = network::serve_dns(context_.get_executor(), cable_.there(), 53, names_); }
  void rules(const kernel::Netns& node, const std::string& text) {
    testing::must_run(node, "nft '" + text + "'");
  }
  bool udp() const { return GetParam() == DnsTransport::udp; }

  testing::Cable cable_;
  boost::asio::io_context context_;
  std::map<std::string, std::vector<IpAddress>> names_{
      {"www.example.test",
       {*IpAddress::parse("203.0.113.80"), *IpAddress::parse("2001:db8:ffff::80"),
        *IpAddress::parse("203.0.113.3")}}};
  std::unique_ptr<network::Server> server_;
  int announced_ = 0;
  ProbeIdentity identity_;
};

TEST_P(DnsTest, AnswersInOrderWithCaseKept) {
  start();
  for (const auto& [to, source] : {std::pair{kV4, "192.0.2.1"}, std::pair{kV6, "2001:db8::1"}}) {
    const DnsOutcome outcome = run(to, "wWw.ExamplE.tEst");
    EXPECT_EQ(outcome.status, Status::answered) << to_text(outcome);
    EXPECT_EQ(outcome.addresses,
              (std::vector{*IpAddress::parse("203.0.113.80"), *IpAddress::parse("203.0.113.3")}));
    EXPECT_TRUE(outcome.case_kept);
    EXPECT_FALSE(outcome.truncated);
    EXPECT_EQ(announced_, 1);
    EXPECT_EQ(identity_.source.to_string(), source);
    EXPECT_EQ(outcome.identity.source_port, identity_.source_port);
    ASSERT_FALSE(server_->requests().empty());
    EXPECT_EQ(server_->requests().back().text, "wWw.ExamplE.tEst");
    EXPECT_EQ(server_->requests().back().client, identity_.source);
    EXPECT_EQ(server_->requests().back().client_port, identity_.source_port);
    EXPECT_EQ(server_->requests().back().tcp, !udp());
    EXPECT_GT(outcome.duration.count(), 0);
  }
  DnsRequest six = request(kV4, "www.example.test");
  six.aaaa = true;
  EXPECT_EQ(run(six).addresses, std::vector{*IpAddress::parse("2001:db8:ffff::80")});
}

TEST_P(DnsTest, TellsNoNameFromNoAddresses) {
  start();
  EXPECT_EQ(run(kV4, "nowhere.test").status, Status::name_error);
  DnsRequest six = request(kV4, "many.test");
  six.aaaa = true;
  const DnsOutcome outcome = run(six);
  EXPECT_EQ(outcome.status, Status::answered);
  EXPECT_TRUE(outcome.addresses.empty());
}

TEST_P(DnsTest, LongAnswerIsTruncatedOverUdpOnly) {
  start();
  const DnsOutcome outcome = run(kV4, "many.test");
  EXPECT_EQ(outcome.status, Status::answered);
  EXPECT_EQ(outcome.truncated, udp());
  if (udp()) {
    EXPECT_LT(outcome.addresses.size(), 100U);
  } else {
    EXPECT_EQ(outcome.addresses, names_["many.test"]);
  }
}

TEST_P(DnsTest, ClosedPortIsSaid) {
  const DnsOutcome outcome = run(kV4, "www.example.test");
  EXPECT_EQ(announced_, 1);
  if (udp()) {
    EXPECT_EQ(outcome.status, Status::icmp_error) << to_text(outcome);
    EXPECT_EQ(to_text(outcome), "ICMP port unreachable from 203.0.113.80");
  } else {
    EXPECT_EQ(outcome.status, Status::refused_connection) << to_text(outcome);
    EXPECT_EQ(to_text(outcome), "connection refused");
  }
}

TEST_P(DnsTest, RejectIsReadWithItsSender) {
  rules(cable_.there(),
        "add table inet f; add chain inet f in { type filter hook input priority 0; }; "
        "add rule inet f in ip daddr 203.0.113.80 reject with icmp admin-prohibited; "
        "add rule inet f in ip6 daddr 2001:db8:ffff::80 reject with icmpv6 admin-prohibited");
  EXPECT_EQ(to_text(run(kV4, "www.example.test")),
            "ICMP communication administratively prohibited from 203.0.113.80");
  EXPECT_EQ(to_text(run(kV6, "www.example.test")),
            "ICMPv6 communication administratively prohibited from 2001:db8:ffff::80");
}

TEST_P(DnsTest, SilenceIsTimeout) {
  rules(cable_.there(),
        "add table inet f; add chain inet f in { type filter hook input priority 0; policy drop; }");
  DnsRequest wanted = request(kV4, "www.example.test");
  wanted.timeout = milliseconds(50);
  const DnsOutcome outcome = run(wanted);
  EXPECT_EQ(outcome.status, Status::timeout) << to_text(outcome);
  EXPECT_GE(outcome.duration, milliseconds(50));
}

TEST_P(DnsTest, NoRouteIsALocalError) {
  for (const char* to : {"198.51.100.53", "2001:db8:dead::53"}) {
    const DnsOutcome outcome = run(to, "www.example.test");
    EXPECT_EQ(outcome.status, Status::local_error) << to_text(outcome);
    EXPECT_EQ(outcome.error_number, ENETUNREACH);
    EXPECT_EQ(outcome.attempted, "connect");
    EXPECT_EQ(announced_, 1);
    EXPECT_TRUE(identity_.source.is_unspecified());
  }
}

TEST_P(DnsTest, ImpossibleNameIsAnError) {
  EXPECT_THROW(run(kV4, std::string(300, 'a')), Error);
}

TEST_P(DnsTest, EventLoopMayEndWhileAskedFor) {
  rules(cable_.there(),
        "add table inet f; add chain inet f in { type filter hook input priority 0; policy drop; }");
  auto context = std::make_unique<boost::asio::io_context>();
  boost::asio::co_spawn(*context,
                        ask(request(kV4, "www.example.test"), [this](const ProbeIdentity&) { ++announced_; }),
                        [](std::exception_ptr, const DnsOutcome&) { FAIL() << "the loop was to end first"; });
  context->poll();
  EXPECT_EQ(announced_, 1);
  context.reset();
  EXPECT_EQ(testing::run_tool(cable_.here(), "ss -Hanut").output, "");
}

TEST_P(DnsTest, WhatReadyThrowsComesThrough) {
  start();
  EXPECT_THROW(testing::run_task(context_, ask(request(kV4, "a.test"),
                                               [](const ProbeIdentity&) { throw Error("no capture"); })),
               Error);
}

/// A server that answers each query as this Python expression of its bytes `q` says.
class OddServer {
 public:
  OddServer(const kernel::Netns& node, const std::string& answer) {
    process_ = node.run([&] {
      const std::string script =
          "import socket\n"
          "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((\"203.0.113.80\", 53)); "
          "s.settimeout(20)\n"
          "print(\"ready\", flush=True)\n"
          "q, who = s.recvfrom(512)\n"
          "for a in [" +
          answer + "]: s.sendto(a, who)\n";
      return ::popen(("exec python3 -c '" + script + "'").c_str(), "r");
    });
    if (process_ == nullptr) throw std::runtime_error("python3 cannot be started");
    std::array<char, 16> line{};
    if (std::fgets(line.data(), line.size(), process_) == nullptr)
      throw std::runtime_error("the server did not start");
  }
  ~OddServer() { ::pclose(process_); }
  OddServer(const OddServer&) = delete;
  OddServer& operator=(const OddServer&) = delete;

 private:
  FILE* process_ = nullptr;
};

TEST(DnsOddServer, EachOddityIsSaid) {
  const testing::Cable cable;
  boost::asio::io_context context;
  const auto run = [&](const char* answer, milliseconds timeout = milliseconds(10'000)) {
    const OddServer server(cable.there(), answer);
    DnsRequest wanted;
    wanted.from = &cable.here();
    wanted.server = *IpAddress::parse(kV4);
    wanted.name = "wWw.tEsT";
    wanted.id = 0xBEEF;
    wanted.timeout = timeout;
    return testing::run_task(context, ask(wanted, {}));
  };
  EXPECT_EQ(run(R"(q[:2] + b"\x81\x85" + q[4:])").status, Status::refused);
  EXPECT_EQ(run(R"(q[:2] + b"\x81\x82" + q[4:])").status, Status::server_failure);
  const DnsOutcome not_implemented = run(R"(q[:2] + b"\x81\x84" + q[4:])");
  EXPECT_EQ(not_implemented.status, Status::other_rcode);
  EXPECT_EQ(not_implemented.rcode, 4);
  const DnsOutcome lower = run(R"(q[:2] + b"\x81\x80" + q[4:12] + q[12:].lower())");
  EXPECT_EQ(lower.status, Status::answered) << to_text(lower);
  EXPECT_FALSE(lower.case_kept);
  EXPECT_EQ(run(R"(q[:2] + b"\x81\x80\x00\x01\x00\x01" + q[8:] + b"\xc0\x0c\x00\x01")").status,
            Status::malformed);
  // Not an answer to this question: another id, another name, too short. The right one behind them counts.
  const DnsOutcome last = run(
      R"(b"xx" + q[2:], q[:2] + b"\x81\x80" + q[4:].replace(b"wWw", b"xXx"), b"abc", q[:2] + b"\x81\x83" + q[4:])");
  EXPECT_EQ(last.status, Status::name_error) << to_text(last);
}

INSTANTIATE_TEST_SUITE_P(Over, DnsTest, ::testing::Values(DnsTransport::udp, DnsTransport::tcp),
                         [](const auto& chosen) {
                           return chosen.param == DnsTransport::udp ? "Udp" : "Tcp";
                         });

}  // namespace
}  // namespace plumbline::traffic
