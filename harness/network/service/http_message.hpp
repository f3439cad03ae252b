#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "harness/network/service/service.hpp"

namespace plumbline::network::detail {

/// The most that a request may be, headers included.
inline constexpr std::size_t kHttpRequestLimit = 8192;

/// True when the empty line that ends the headers is there.
bool http_request_complete(std::string_view received) noexcept;

/// The path of `GET PATH HTTP/1.x`, or the status that says what is wrong with the request (400, 405, 431).
struct HttpRequest {
  int status = 200;
  std::string path;
};
HttpRequest parse_http_request(std::string_view received);

/// The whole answer: for 200 with the lines `client A`, `port N`, `server A`, `path P`.
std::string http_answer(const HttpRequest& request, const ServiceRequest& who);

}  // namespace plumbline::network::detail
