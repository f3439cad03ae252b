#pragma once

#include <optional>
#include <string_view>

#include "harness/base/ip.hpp"

namespace plumbline::traffic::detail {

/// What has come back so far on a probe's TCP connection.
struct TcpAnswer {
  bool has_nonce = false;
  bool is_http = false;
  std::optional<IpAddress> seen_as;  ///< from a whole line `client ADDRESS`
};
TcpAnswer read_tcp_answer(std::string_view received, std::string_view nonce_text);

}  // namespace plumbline::traffic::detail
