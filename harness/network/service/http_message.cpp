#include "harness/network/service/http_message.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace plumbline::network::detail {
namespace {

bool printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7F; });
}

std::string_view reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 405:
      return "Method Not Allowed";
    case 431:
      return "Request Header Fields Too Large";
    default:
      return "Bad Request";
  }
}

}  // namespace

bool http_request_complete(std::string_view received) noexcept {
  return received.find("\r\n\r\n") != std::string_view::npos ||
         received.find("\n\n") != std::string_view::npos;
}

HttpRequest parse_http_request(std::string_view received) {
  if (!http_request_complete(received)) return {received.size() < kHttpRequestLimit ? 400 : 431, {}};
  std::string_view line = received.substr(0, received.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return {400, {}};
  const std::string_view method = line.substr(0, first);
  const std::string_view path = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!version.starts_with("HTTP/1.") || !printable(version) || !printable(path) || path.empty())
    return {400, {}};
  if (method != "GET") return {405, std::string(path)};
  return {200, std::string(path)};
}

std::string http_answer(const HttpRequest& request, const ServiceRequest& who) {
  std::string body = fmt::format("{} {}\n", request.status, reason(request.status));
  if (request.status == 200) {
    body = fmt::format("client {}\nport {}\nserver {}\npath {}\n", who.client.to_string(), who.client_port,
                       who.server.to_string(), request.path);
  }
  return fmt::format(
      "HTTP/1.0 {} {}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n{}Connection: close\r\n\r\n{}",
      request.status, reason(request.status), body.size(), request.status == 405 ? "Allow: GET\r\n" : "",
      body);
}

}  // namespace plumbline::network::detail
