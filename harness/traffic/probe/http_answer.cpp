#include "harness/traffic/probe/http_answer.hpp"

namespace plumbline::traffic::detail {

TcpAnswer read_tcp_answer(std::string_view received, std::string_view nonce_text) {
  constexpr std::string_view kLine = "\nclient ";
  TcpAnswer answer;
  answer.has_nonce = received.find(nonce_text) != std::string_view::npos;
  answer.is_http = received.starts_with("HTTP/");
  const auto start = received.find(kLine);
  if (!answer.is_http || start == std::string_view::npos) return answer;
  std::string_view line = received.substr(start + kLine.size());
  const auto end = line.find_first_of("\r\n");
  if (end != std::string_view::npos) answer.seen_as = IpAddress::parse(line.substr(0, end));
  return answer;
}

}  // namespace plumbline::traffic::detail
