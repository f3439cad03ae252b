#include "harness/network/service/http_message.hpp"

#include <gtest/gtest.h>

namespace plumbline::network::detail {
namespace {

TEST(HttpMessage, ReadsPath) {
  const HttpRequest request = parse_http_request("GET /plumbline/0123 HTTP/1.0\r\nHost: a\r\n\r\n");
  EXPECT_EQ(request.status, 200);
  EXPECT_EQ(request.path, "/plumbline/0123");
  EXPECT_EQ(parse_http_request("GET / HTTP/1.1\n\n").status, 200);
}

TEST(HttpMessage, RefusesWhatIsNoRequest) {
  for (const char* text :
       {"", "\r\n\r\n", "GET\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/2\r\n\r\n", "GET  HTTP/1.0\r\n\r\n",
        "GET /a b HTTP/1.0\r\n\r\n", "GET /\x01 HTTP/1.0\r\n\r\n", "GET / HTTP/1.0\r\n", "\n\n"}) {
    EXPECT_EQ(parse_http_request(text).status, 400) << text;
  }
  EXPECT_EQ(parse_http_request("POST / HTTP/1.0\r\n\r\n").status, 405);
  EXPECT_EQ(parse_http_request(std::string(kHttpRequestLimit, 'x')).status, 431);
}

TEST(HttpMessage, ReportsTheClient) {
  ServiceRequest who;
  who.client = *IpAddress::parse("2001:db8::7");
  who.client_port = 4711;
  who.server = *IpAddress::parse("2001:db8::1");
  const std::string answer = http_answer({200, "/x"}, who);
  const std::string body = "client 2001:db8::7\nport 4711\nserver 2001:db8::1\npath /x\n";
  EXPECT_TRUE(answer.starts_with("HTTP/1.0 200 OK\r\n")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n" + body)) << answer;
  EXPECT_NE(answer.find("Content-Length: " + std::to_string(body.size()) + "\r\n"), std::string::npos);
  EXPECT_EQ(http_answer({400, ""}, who).find("client"), std::string::npos);
}

}  // namespace
}  // namespace plumbline::network::detail
