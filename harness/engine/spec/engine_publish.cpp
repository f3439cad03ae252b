#include "harness/engine/spec/engine_publish.hpp"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "harness/engine/spec/words.hpp"

namespace plumbline::spec {
namespace {

constexpr std::string_view kForm = "HOST-PORT:PORT, as in 8080:80, 127.0.0.1:8081:80/tcp or 53:53/udp";

std::uint16_t read_port(const Value& value, std::string_view text) {
  unsigned port = 0;
  const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (problem != std::errc{} || rest != text.data() + text.size() || port < 1 || port > 65'535) {
    value.fail(fmt::format("{} in {} is no port from 1 to 65535: a published port is {}", in_quotes(text),
                           in_quotes(value.text), kForm));
  }
  return static_cast<std::uint16_t>(port);
}

/// What stands before the last colon, and what behind it.
std::pair<std::string_view, std::string_view> at_last_colon(const Value& value, std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    value.fail(fmt::format("{} publishes no port: a published port is {}", in_quotes(value.text), kForm));
  }
  return {text.substr(0, colon), text.substr(colon + 1)};
}

IpAddress read_address(const Value& value, std::string_view text) {
  const bool brackets = text.starts_with('[') && text.ends_with(']');
  const auto address = IpAddress::parse(brackets ? text.substr(1, text.size() - 2) : text);
  if (!address || brackets == address->is_v4()) {
    value.fail(fmt::format("{} in {} is no address of the host (IPv6 ones stand in brackets)",
                           in_quotes(text), in_quotes(value.text)));
  }
  return *address;
}

}  // namespace

network::EngineSetup::Publish read_publish(const Value& value) {
  std::string_view text = value.as_text("publish");
  network::EngineSetup::Publish publish;
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    const std::string_view protocol = text.substr(slash + 1);
    if (protocol != "tcp" && protocol != "udp") {
      value.fail(fmt::format("{} in {} is neither tcp nor udp", in_quotes(protocol), in_quotes(value.text)));
    }
    publish.udp = protocol == "udp";
    text = text.substr(0, slash);
  }
  const auto [host, port] = at_last_colon(value, text);
  publish.port = read_port(value, port);
  if (host.find(':') == std::string_view::npos) {
    publish.host_port = read_port(value, host);
    return publish;
  }
  const auto [address, host_port] = at_last_colon(value, host);
  publish.address = read_address(value, address);
  publish.host_port = read_port(value, host_port);
  return publish;
}

}  // namespace plumbline::spec
