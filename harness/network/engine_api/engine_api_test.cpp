#include "harness/network/engine_api/engine_api.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/serialize.hpp>
#include <exception>
#include <filesystem>
#include <optional>

#include "harness/network/engine_api/answer.hpp"

namespace plumbline::network {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using asio::local::stream_protocol;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// A folder for sockets, and an engine that answers what it is told to.
class EngineApiTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = "/tmp/plumbline-api-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    socket_ = folder_ / "engine.sock";
  }
  void TearDown() override { fs::remove_all(folder_); }

  /// Listens; the next connection is answered with `answer` once its request's head has come. Empty: never.
  void serve(std::string answer) {
    acceptor_.emplace(loop_, stream_protocol::endpoint(socket_.string()));
    asio::co_spawn(loop_, answer_one(std::move(answer)), [](const std::exception_ptr&) {});
  }

  asio::awaitable<void> answer_one(std::string answer) {
    stream_protocol::socket peer = co_await acceptor_->async_accept(asio::use_awaitable);
    const auto result = asio::as_tuple(asio::use_awaitable);
    while (request_.find("\r\n\r\n") == std::string::npos) {
      std::array<char, 4096> chunk{};
      const auto [problem, size] = co_await peer.async_read_some(asio::buffer(chunk), result);
      if (problem) co_return;
      request_.append(chunk.data(), size);
    }
    if (answer.empty()) {
      std::array<char, 1> more{};
      co_await peer.async_read_some(asio::buffer(more), result);  // until the other side has had enough
      co_return;
    }
    co_await asio::async_write(peer, asio::buffer(answer), result);
  }

  boost::json::value await(asio::awaitable<boost::json::value> work) {
    std::exception_ptr problem;
    boost::json::value result;
    asio::co_spawn(loop_, std::move(work), [&](const std::exception_ptr& error, boost::json::value value) {
      problem = error;
      result = std::move(value);
      loop_.stop();
    });
    loop_.restart();
    loop_.run();
    if (problem) std::rethrow_exception(problem);
    return result;
  }

  /// What get() throws.
  std::optional<Error> refused(const std::string& path, milliseconds timeout = milliseconds(5000)) {
    try {
      const EngineApi api(path, timeout);
      await(api.get("/_ping"));
    } catch (const Error& error) {
      return error;
    }
    return std::nullopt;
  }

  static std::string response(unsigned status, const std::string& body) {
    return fmt::format("HTTP/1.1 {} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
                       status, body.size(), body);
  }

  fs::path folder_;
  fs::path socket_;
  asio::io_context loop_{1};
  std::optional<stream_protocol::acceptor> acceptor_;
  std::string request_;
};

TEST_F(EngineApiTest, GetsJson) {
  serve(response(200, R"({"ID": "x", "Containers": 2})"));
  const EngineApi api(socket_);
  const boost::json::value got = await(api.get("/info"));
  EXPECT_EQ(got.at("Containers").to_number<int>(), 2);
  EXPECT_THAT(request_, StartsWith("GET /info HTTP/1.1\r\n"));
}

TEST_F(EngineApiTest, PostsJsonAndTarsAndDeletes) {
  serve(response(201, R"({"Id": "abc"})"));
  const EngineApi api(socket_);
  const boost::json::value got = await(api.post("/containers/create", {{"Image", "x"}}));
  EXPECT_EQ(got.at("Id").as_string(), "abc");
  EXPECT_THAT(request_, StartsWith("POST /containers/create "));
  EXPECT_THAT(request_, HasSubstr("Content-Type: application/json"));

  fs::remove(socket_);
  request_.clear();
  serve(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"status\":\"one\"}\r\n"
      "10\r\n{\"status\":\"two\"}\r\n0\r\n\r\n");
  EXPECT_EQ(boost::json::serialize(await(api.post_tar("/images/create?fromSrc=-", "tar"))),
            R"([{"status":"one"},{"status":"two"}])");
  EXPECT_THAT(request_, HasSubstr("application/x-tar"));

  fs::remove(socket_);
  request_.clear();
  serve("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_TRUE(await(api.remove("/containers/abc?force=true")).is_null());
  EXPECT_THAT(request_, StartsWith("DELETE /containers/abc?force=true "));
}

TEST_F(EngineApiTest, RefusalIsTheEnginesOwnMessage) {
  serve(response(404, R"({"message": "No such container: box"})"));
  const EngineApi api(socket_);
  try {
    await(api.get("/containers/box/json"));
    FAIL() << "nothing was thrown";
  } catch (const EngineRefusal& refusal) {
    EXPECT_EQ(refusal.status(), 404U);
    EXPECT_STREQ(refusal.what(), "GET /containers/box/json: No such container: box (status 404)");
  }
}

TEST_F(EngineApiTest, WhatIsMissingIsSaidWithItsRemedy) {
  const auto absent = refused(folder_ / "none.sock");
  ASSERT_TRUE(absent);
  EXPECT_EQ(absent->kind(), ErrorKind::environment);
  EXPECT_THAT(absent->what(), HasSubstr("there is no such socket"));
  EXPECT_THAT(absent->remedy(), HasSubstr("start the engine"));

  { const stream_protocol::acceptor left(loop_, stream_protocol::endpoint(socket_.string())); }
  const auto nobody = refused(socket_);
  ASSERT_TRUE(nobody);
  EXPECT_EQ(nobody->kind(), ErrorKind::environment);
  EXPECT_THAT(nobody->what(), HasSubstr("nobody listens"));

  const auto too_long = refused("/tmp/" + std::string(200, 'x'));
  ASSERT_TRUE(too_long);
  EXPECT_EQ(too_long->kind(), ErrorKind::usage);
}

TEST_F(EngineApiTest, SilenceAndRubbishEndInTime) {
  serve("");
  const auto silent = refused(socket_, milliseconds(50));
  ASSERT_TRUE(silent);
  EXPECT_EQ(silent->kind(), ErrorKind::setup);
  EXPECT_THAT(silent->what(), HasSubstr("no answer within 50 ms"));

  fs::remove(socket_);
  request_.clear();
  serve("SSH-2.0-OpenSSH\r\n\r\n");
  const auto other = refused(socket_);
  ASSERT_TRUE(other);
  EXPECT_EQ(other->kind(), ErrorKind::setup);
  EXPECT_THAT(other->what(), HasSubstr("GET /_ping"));
}

TEST_F(EngineApiTest, NoPermissionIsNoAbsence) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may connect everywhere";
  serve("");
  ASSERT_EQ(::chmod(socket_.c_str(), 0), 0);
  const auto forbidden = refused(socket_);
  ASSERT_TRUE(forbidden);
  EXPECT_THAT(forbidden->what(), HasSubstr("may not connect"));
}

TEST(EngineAnswer, TextThatIsNoJsonIsAString) {
  EXPECT_EQ(detail::read_answer(200, "OK", "GET /_ping").as_string(), "OK");
  EXPECT_EQ(detail::read_answer(200, "{\"a\": ", "GET /x").as_string(), "{\"a\": ");
}

TEST(EngineAnswer, AnErrorAmongProgressIsARefusal) {
  const char* body =
      "{\"status\":\"Importing\"}\r\n{\"errorDetail\":{\"message\":\"no space\"},\"error\":\"no space\"}\r\n";
  EXPECT_THROW(detail::read_answer(200, body, "POST /images/create"), EngineRefusal);
}

TEST(EngineAnswer, ARefusalWithoutJsonShowsItsText) {
  try {
    detail::read_answer(500, "page not found\x1b[0m", "GET /x");
    FAIL();
  } catch (const EngineRefusal& refusal) {
    EXPECT_STREQ(refusal.what(), "GET /x: page not found\\x1b[0m (status 500)");
  }
}

TEST(EngineApiTarget, EncodesWhatWouldEndIt) {
  EXPECT_EQ(url_encoded("a b/c?d&e=f"), "a%20b%2Fc%3Fd%26e%3Df");
  EXPECT_EQ(url_encoded("web-1.x_y~z"), "web-1.x_y~z");
}

}  // namespace
}  // namespace plumbline::network
