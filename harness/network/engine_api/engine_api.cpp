#include "harness/network/engine_api/engine_api.hpp"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <utility>

#include "harness/base/text.hpp"
#include "harness/network/engine_api/answer.hpp"

namespace plumbline::network {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace json = boost::json;
using Stream = beast::basic_stream<asio::local::stream_protocol>;
constexpr auto kResult = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kLongestAnswer = std::size_t{64} << 20U;  // bytes; an inspection has a few thousand

struct Request {
  http::verb verb = http::verb::get;
  std::string target;
  std::string type;  ///< of the body; empty: there is none
  std::string body;

  std::string label() const {
    return fmt::format("{} {}", std::string_view(http::to_string(verb)), printable(target));
  }
};

asio::local::stream_protocol::endpoint endpoint_of(const std::string& path) {
  try {
    return {path};
  } catch (const boost::system::system_error&) {
    throw Error(fmt::format("the path {} is too long for a socket", printable(path)), ErrorKind::usage)
        .with_remedy("let the engine listen below a shorter one");
  }
}

Error not_connected(const std::string& path, int error_number) {
  const auto error = [&](const char* what, const char* remedy) {
    return Error(fmt::format("container engine at {}: {}", printable(path), what), ErrorKind::environment,
                 error_number)
        .with_remedy(remedy);
  };
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return error("there is no such socket", "start the engine, or name the socket that it listens on");
    case ECONNREFUSED:
      return error("nobody listens there",
                   "start the engine again: what is there was left by one that ended");
    case EACCES:
    case EPERM:
      return error("this user may not connect",
                   "run it as root, or as a member of the group that owns the socket");
    default:
      return Error::from_errno(error_number, "connecting to the container engine at " + printable(path))
          .with_kind(ErrorKind::environment);
  }
}

Error interrupted(const std::string& path, const Request& request, const beast::error_code& problem,
                  std::chrono::milliseconds timeout) {
  const std::string what = problem == beast::error::timeout
                               ? fmt::format("no answer within {} ms", timeout.count())
                               : problem.message();
  return Error(fmt::format("container engine at {}: {}: {}", printable(path), request.label(), what),
               ErrorKind::setup);
}

http::request<http::string_body> message_of(Request& request) {
  http::request<http::string_body> message{request.verb, request.target, 11};
  message.set(http::field::host, "localhost");
  message.set(http::field::user_agent, "plumbline");
  message.keep_alive(false);
  if (!request.type.empty()) {
    message.set(http::field::content_type, request.type);
    message.body() = std::move(request.body);
  }
  message.prepare_payload();
  return message;
}

asio::awaitable<json::value> ask(std::string path, std::chrono::milliseconds timeout, Request request) {
  const auto endpoint = endpoint_of(path);
  Stream stream(co_await asio::this_coro::executor);
  stream.expires_after(timeout);
  const auto [refused] = co_await stream.async_connect(endpoint, kResult);
  if (refused == beast::error::timeout) throw interrupted(path, request, refused, timeout);
  if (refused) throw not_connected(path, refused.value());
  const http::request<http::string_body> message = message_of(request);
  // A write that fails is not yet the end: an engine that refuses a long body answers, and reads no more.
  const auto [unwritten, sent] = co_await http::async_write(stream, message, kResult);
  if (unwritten == beast::error::timeout) throw interrupted(path, request, unwritten, timeout);
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kLongestAnswer);
  const auto [unread, received] = co_await http::async_read(stream, buffer, parser, kResult);
  if (unread) throw interrupted(path, request, unwritten ? unwritten : unread, timeout);
  co_return detail::read_answer(parser.get().result_int(), parser.get().body(), request.label());
}

}  // namespace

EngineApi::EngineApi(std::string socket, std::chrono::milliseconds timeout)
    : socket_(std::move(socket)), timeout_(timeout) {}

asio::awaitable<json::value> EngineApi::get(std::string target) const {
  Request request{http::verb::get, std::move(target), {}, {}};
  co_return co_await ask(socket_, timeout_, std::move(request));
}

asio::awaitable<json::value> EngineApi::post(std::string target, json::value body) const {
  Request request{http::verb::post, std::move(target), {}, {}};
  if (!body.is_null()) {
    request.type = "application/json";
    request.body = json::serialize(body);
  }
  co_return co_await ask(socket_, timeout_, std::move(request));
}

asio::awaitable<json::value> EngineApi::post_tar(std::string target, std::string tar) const {
  Request request{http::verb::post, std::move(target), "application/x-tar", std::move(tar)};
  co_return co_await ask(socket_, timeout_, std::move(request));
}

asio::awaitable<json::value> EngineApi::remove(std::string target) const {
  Request request{http::verb::delete_, std::move(target), {}, {}};
  co_return co_await ask(socket_, timeout_, std::move(request));
}

}  // namespace plumbline::network
