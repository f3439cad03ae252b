#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "harness/base/error.hpp"
#include "harness/network/service/listen.hpp"
#include "harness/network/service/service.hpp"
#include "harness/network/service/testing.hpp"
#include "harness/network/service/udp_service.hpp"

namespace plumbline::network {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using testing::make_node;
using testing::must_run;
using ::testing::Not;
using testing::run_tool;

/// A client that shares no code with the servers. Asks `to`:`port` from a connected socket: a reply from
/// another address than the one asked would never reach it.
std::string python_client(const char* kind, const std::string& to, int port, const std::string& text) {
  return fmt::format(R"(python3 -c '
import socket, sys
family = socket.AF_INET6 if ":" in "{1}" else socket.AF_INET
s = socket.socket(family, socket.SOCK_{0})
s.settimeout(5)
s.connect(("{1}", {2}))
s.send(b"{3}")
if "{0}" == "STREAM": s.shutdown(socket.SHUT_WR)
answer = b""
while True:
    part = s.recv(65536)
    answer += part
    if "{0}" == "DGRAM" or not part: break
sys.stdout.write(answer.decode())
')",
                     kind, to, port, text);
}

class ServiceTest : public ::testing::Test {
 protected:
  std::string tool(const std::string& command) {
    std::string output;
    testing::run_beside(context_, [&] { output = run_tool(node_, command).output; });
    return output;
  }

  kernel::Netns node_ = make_node();
  boost::asio::io_context context_;
};

TEST_F(ServiceTest, UdpEchoAnswersBothFamilies) {
  const auto server = serve_udp_echo(context_.get_executor(), node_, 7);
  EXPECT_EQ(tool(python_client("DGRAM", "127.0.0.1", 7, "hello")), "hello");
  EXPECT_EQ(tool(python_client("DGRAM", "::1", 7, "hello six")), "hello six");
  ASSERT_EQ(server->requests().size(), 2U);
  EXPECT_EQ(server->requests()[0].client.to_string(), "127.0.0.1");
  EXPECT_EQ(server->requests()[0].server.to_string(), "127.0.0.1");
  EXPECT_EQ(server->requests()[0].text, "hello");
  EXPECT_FALSE(server->requests()[0].tcp);
  EXPECT_GT(server->requests()[0].client_port, 0);
  EXPECT_EQ(server->requests()[1].client.to_string(), "::1");
}

TEST_F(ServiceTest, UdpRepliesLeaveFromTheAddressAsked) {
  must_run(node_, "ip route add local 10.0.0.0/8 dev lo; ip -6 route add local fd00::/8 dev lo");
  const auto server = serve_udp_echo(context_.get_executor(), node_, 7);
  EXPECT_EQ(tool(python_client("DGRAM", "10.1.2.3", 7, "ten")), "ten");
  EXPECT_EQ(tool(python_client("DGRAM", "fd00:1::3", 7, "unique local")), "unique local");
  ASSERT_EQ(server->requests().size(), 2U);
  EXPECT_EQ(server->requests()[0].server.to_string(), "10.1.2.3");
  EXPECT_EQ(server->requests()[1].server.to_string(), "fd00:1::3");
}

TEST_F(ServiceTest, WorksWithoutIpv6) {
  must_run(node_, "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 && ip route add local 10.0.0.0/8 dev lo");
  const auto udp = serve_udp_echo(context_.get_executor(), node_, 7);
  const auto tcp = serve_tcp_echo(context_.get_executor(), node_, 7);
  EXPECT_EQ(tool(python_client("DGRAM", "10.1.2.3", 7, "udp")), "udp");
  EXPECT_EQ(tool(python_client("STREAM", "10.1.2.3", 7, "tcp")), "tcp");
}

// What a kernel without any IPv6 falls back to.
TEST_F(ServiceTest, Ipv4SocketRepliesFromTheAddressAsked) {
  must_run(node_, "ip route add local 10.0.0.0/8 dev lo");
  const auto log = std::make_shared<detail::RequestLog>();
  const auto service = detail::UdpService::start(
      context_.get_executor(), detail::bind_udp(node_, 7, IpFamily::v4), log, [](auto datagram) {
        return detail::UdpReply{detail::Bytes(datagram.begin(), datagram.end()), "seen"};
      });
  EXPECT_EQ(tool(python_client("DGRAM", "10.1.2.3", 7, "ten")), "ten");
  ASSERT_EQ(log->all().size(), 1U);
  EXPECT_EQ(log->all()[0].server.to_string(), "10.1.2.3");
  EXPECT_EQ(log->all()[0].client.to_string(), "10.1.2.3");
  service->close();
}

TEST_F(ServiceTest, TcpEchoAnswersBothFamilies) {
  must_run(node_, "ip route add local 10.0.0.0/8 dev lo");
  const auto server = serve_tcp_echo(context_.get_executor(), node_, 7);
  EXPECT_EQ(tool(python_client("STREAM", "10.9.9.9", 7, "hello")), "hello");
  EXPECT_EQ(tool(python_client("STREAM", "::1", 7, "six")), "six");
  ASSERT_EQ(server->requests().size(), 2U);
  EXPECT_EQ(server->requests()[0].server.to_string(), "10.9.9.9");
  EXPECT_EQ(server->requests()[0].text, "hello");
  EXPECT_TRUE(server->requests()[0].tcp);
  EXPECT_EQ(server->requests()[1].client.to_string(), "::1");
}

TEST_F(ServiceTest, HttpTellsTheClientWhoItIs) {
  const auto server = serve_http(context_.get_executor(), node_, 80);
  const std::string answer = tool(python_client("STREAM", "127.0.0.5", 80, R"(GET /a/b HTTP/1.0\r\n\r\n)"));
  EXPECT_THAT(answer, HasSubstr("HTTP/1.0 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\nclient 127.0.0.1\nport "));
  EXPECT_THAT(answer, HasSubstr("\nserver 127.0.0.5\npath /a/b\n"));
  EXPECT_THAT(
      tool("python3 -c 'import urllib.request as u; print(u.urlopen(\"http://[::1]/six\").read().decode())'"),
      HasSubstr("client ::1\n"));
}

TEST_F(ServiceTest, HttpIsNotHeldUpByGarbageOrSilence) {
  const auto server = serve_http(context_.get_executor(), node_, 80);
  const std::string output = tool(R"(python3 -c '
import socket, urllib.request
silent = [socket.create_connection(("127.0.0.1", 80)) for _ in range(50)]
slow = socket.create_connection(("127.0.0.1", 80)); slow.send(b"GET /")
endless = socket.create_connection(("127.0.0.1", 80)); endless.send(b"x" * 9000)
print(endless.recv(4096).decode().split("\r\n")[0])
print(urllib.request.urlopen("http://127.0.0.1/through").read().decode())
')");
  EXPECT_THAT(output, HasSubstr("HTTP/1.0 431"));
  EXPECT_THAT(output, HasSubstr("path /through\n"));
}

TEST_F(ServiceTest, ManyConnectionsWaitTheirTurn) {
  const auto server = serve_tcp_echo(context_.get_executor(), node_, 7);
  // More clients than are served at a time, and perhaps than this process may have descriptors; as the first
  // go, the rest get their answers.
  const std::string output = tool(R"(for i in 1 2 3; do python3 -c '
import os, socket
clients = [socket.create_connection(("127.0.0.1", 7)) for _ in range(400)]
for c in clients: c.settimeout(20); c.send(b"x")
for c in clients:
    assert c.recv(1) == b"x"
    c.close()
os.write(1, b"all\n")
' & done; wait)");
  EXPECT_EQ(output, "all\nall\nall\n");
  EXPECT_EQ(server->requests().size(), 1200U);
}

TEST_F(ServiceTest, DnsAnswersDig) {
  std::map<std::string, std::vector<IpAddress>> names{
      {"www.example.test", {*IpAddress::parse("203.0.113.80"), *IpAddress::parse("2001:db8::80")}},
      {"many.test", {}}};
  for (std::uint8_t i = 0; i < 100; ++i) names["many.test"].push_back(IpAddress::v4({192, 0, 2, i}));
  must_run(node_, "ip route add local 10.0.0.0/8 dev lo");
  const auto server = serve_dns(context_.get_executor(), node_, 53, names);
  const std::string dig = "dig +tries=1 +time=5 ";
  EXPECT_EQ(tool(dig + "@10.5.5.5 wWw.eXample.test A +short"), "203.0.113.80\n");
  EXPECT_EQ(tool(dig + "@::1 www.example.test AAAA +short"), "2001:db8::80\n");
  EXPECT_EQ(tool(dig + "@127.0.0.1 +tcp www.example.test A +short"), "203.0.113.80\n");
  EXPECT_THAT(tool(dig + "@127.0.0.1 nowhere.test"), HasSubstr("status: NXDOMAIN"));
  const std::string no_data = tool(dig + "@127.0.0.1 www.example.test MX");
  EXPECT_THAT(no_data, HasSubstr("status: NOERROR"));
  EXPECT_THAT(no_data, HasSubstr("ANSWER: 0"));
  EXPECT_THAT(no_data, Not(HasSubstr("malformed")));
  const std::string truncated = tool(dig + "@127.0.0.1 +noedns +ignore many.test");
  EXPECT_THAT(truncated, HasSubstr(" tc "));
  EXPECT_THAT(tool(dig + "@127.0.0.1 +noedns many.test"), HasSubstr("ANSWER: 100"));
  // Several questions on one connection.
  EXPECT_EQ(tool(dig + "@127.0.0.1 +tcp +keepopen +short www.example.test A www.example.test AAAA"),
            "203.0.113.80\n2001:db8::80\n");
  ASSERT_GE(server->requests().size(), 3U);
  EXPECT_EQ(server->requests()[0].text, "wWw.eXample.test");
  EXPECT_EQ(server->requests()[0].server.to_string(), "10.5.5.5");
  EXPECT_TRUE(server->requests()[2].tcp);
  EXPECT_EQ(server->requests()[2].text, "www.example.test");
}

TEST_F(ServiceTest, TakenPortIsSaidWithTransportAndPort) {
  const auto first = serve_dns(context_.get_executor(), node_, 53, {});
  for (const bool tcp : {false, true}) {
    try {
      if (tcp) {
        serve_http(context_.get_executor(), node_, 53);
      } else {
        serve_udp_echo(context_.get_executor(), node_, 53);
      }
      FAIL() << "served twice";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(tcp ? "TCP port 53" : "UDP port 53"));
      EXPECT_EQ(error.error_number(), EADDRINUSE);
    }
  }
}

TEST_F(ServiceTest, DestroyedServerIsClosedAtOnce) {
  auto server = serve_udp_echo(context_.get_executor(), node_, 7);
  auto web = serve_http(context_.get_executor(), node_, 80);
  tool(python_client("DGRAM", "127.0.0.1", 7, "x"));
  server.reset();
  web.reset();
  // The loop is not running: the ports are free all the same.
  EXPECT_EQ(run_tool(node_, "ss -Hlnut").output, "");
}

TEST_F(ServiceTest, ServerMayOutliveItsEventLoop) {
  auto context = std::make_unique<boost::asio::io_context>();
  const auto echo = serve_udp_echo(context->get_executor(), node_, 7);
  const auto web = serve_http(context->get_executor(), node_, 80);
  context->poll();
  const std::string held = run_tool(node_, "ss -Hlnut").output;
  EXPECT_THAT(held, HasSubstr(":80"));
  context.reset();
  EXPECT_EQ(run_tool(node_, "ss -Hlnut").output, "");
  EXPECT_TRUE(echo->requests().empty());
}

/// What a client that waits for `seconds` gets: its words, or the name of Python's error.
std::string patient_client(const char* kind, const std::string& to, int port, double seconds) {
  return fmt::format(R"(python3 -c '
import socket, sys
family = socket.AF_INET6 if ":" in "{1}" else socket.AF_INET
s = socket.socket(family, socket.SOCK_{0})
s.settimeout({3})
try:
    s.connect(("{1}", {2}))
    s.send(b"hello")
    sys.stdout.write(s.recv(65536).decode() or "nothing")
except OSError as error:
    sys.stdout.write(type(error).__name__)
')",
                     kind, to, port, seconds);
}

TEST_F(ServiceTest, ListensOnOneAddressAlone) {
  must_run(node_, "ip route add local 10.0.0.0/8 dev lo");
  const Manner loopback{.listen = IpAddress::parse("127.0.0.1")};
  const auto udp = serve_udp_echo(context_.get_executor(), node_, 7, loopback);
  const auto tcp = serve_tcp_echo(context_.get_executor(), node_, 7, loopback);
  EXPECT_EQ(tool(patient_client("DGRAM", "127.0.0.1", 7, 5)), "hello");
  EXPECT_EQ(tool(patient_client("STREAM", "127.0.0.1", 7, 5)), "hello");
  EXPECT_EQ(tool(patient_client("DGRAM", "10.1.2.3", 7, 5)), "ConnectionRefusedError");
  EXPECT_EQ(tool(patient_client("STREAM", "10.1.2.3", 7, 5)), "ConnectionRefusedError");
  EXPECT_EQ(tool(patient_client("STREAM", "::1", 7, 5)), "ConnectionRefusedError");
}

TEST_F(ServiceTest, AnswersLateWhereToldTo) {
  const Manner late{.delay = std::chrono::milliseconds(300)};
  const auto udp = serve_udp_echo(context_.get_executor(), node_, 7, late);
  const auto tcp = serve_tcp_echo(context_.get_executor(), node_, 7, late);
  for (const char* kind : {"DGRAM", "STREAM"}) {
    EXPECT_EQ(tool(patient_client(kind, "127.0.0.1", 7, 0.1)), "TimeoutError") << kind;
    EXPECT_EQ(tool(patient_client(kind, "127.0.0.1", 7, 5)), "hello") << kind;
  }
}

TEST_F(ServiceTest, AnswersFromAnotherAddressOrPortDoNotReachTheClient) {
  must_run(node_, "ip route add local 10.0.0.0/8 dev lo");
  for (const Manner& elsewhere : {Manner{.source = IpAddress::parse("10.1.2.4")}, Manner{.source_port = 8}}) {
    const auto udp = serve_udp_echo(context_.get_executor(), node_, 7, elsewhere);
    EXPECT_NE(tool(patient_client("DGRAM", "10.1.2.3", 7, 0.2)), "hello");
    EXPECT_EQ(udp->requests().size(), 1U);
  }
}

TEST_F(ServiceTest, SilenceTakesEverythingAndSaysNothing) {
  const auto udp = serve_udp_silence(context_.get_executor(), node_, 7);
  const auto tcp = serve_tcp_silence(context_.get_executor(), node_, 7);
  EXPECT_EQ(tool(patient_client("DGRAM", "127.0.0.1", 7, 0.2)), "TimeoutError");
  EXPECT_EQ(tool(patient_client("STREAM", "::1", 7, 0.2)), "TimeoutError");
  ASSERT_EQ(udp->requests().size(), 1U);
  ASSERT_EQ(tcp->requests().size(), 1U);
  EXPECT_EQ(udp->requests().front().text, "hello");
  EXPECT_EQ(tcp->requests().front().text, "hello");
}

TEST_F(ServiceTest, ResetsWhatItHasAccepted) {
  const auto tcp = serve_tcp_reset(context_.get_executor(), node_, 7);
  EXPECT_THAT(tool(patient_client("STREAM", "127.0.0.1", 7, 5)),
              AnyOf("ConnectionResetError", "BrokenPipeError"));
  EXPECT_EQ(tcp->requests().size(), 1U);
}

TEST_F(ServiceTest, AFullQueueTakesNoHandshake) {
  const auto tcp = serve_tcp_full(node_, 7);
  EXPECT_EQ(tool(patient_client("STREAM", "127.0.0.1", 7, 0.3)), "TimeoutError");
  EXPECT_THAT(run_tool(node_, "nstat -az TcpExtListenOverflows").output,
              Not(HasSubstr("Overflows          0 ")));
}

TEST_F(ServiceTest, ADnsServerMayServeOneTransportAlone) {
  const auto udp = serve_dns(context_.get_executor(), node_, 53, {}, {.over = Transports::udp});
  EXPECT_THAT(run_tool(node_, "ss -Hlnut").output, Not(HasSubstr("tcp")));
  const auto tcp = serve_dns(context_.get_executor(), node_, 53, {}, {.over = Transports::tcp});
  EXPECT_THAT(run_tool(node_, "ss -Hlnut").output, HasSubstr("tcp"));
}

}  // namespace
}  // namespace plumbline::network
