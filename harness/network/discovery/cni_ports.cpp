#include "harness/network/discovery/cni_ports.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "harness/network/discovery/json_read.hpp"

namespace plumbline::network::detail {
namespace {

namespace json = boost::json;

/// RFC 4648, as Go writes bytes in JSON; up to the first that is no digit.
std::string from_base64(std::string_view text) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t held = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const std::size_t value = digits.find(c);
    if (value == std::string_view::npos) break;
    held = held << 6U | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(held >> bits & 0xffU);
  }
  return bytes;
}

bool takes_ports(const json::value& plugin) {
  return truth_at(plugin, {"capabilities", "portMappings"});
}

/// Whether one of the configuration's plugins is told of ports.
bool is_told_of_ports(const json::value& cached) {
  json::error_code problem;
  const json::value configuration = json::parse(from_base64(text_at(cached, {"config"})), problem);
  if (problem) return false;
  const json::array& plugins = array_at(configuration, {"plugins"});
  return takes_ports(configuration) || std::ranges::any_of(plugins, takes_ports);
}

bool has_address(const json::value& cached, IpFamily family) {
  const json::array& all = array_at(cached, {"result", "ips"});
  return std::ranges::any_of(all, [&](const json::value& each) {
    const auto held = InterfaceAddress::parse(text_at(each, {"address"}));
    return held && held->address.family() == family;
  });
}

std::optional<std::uint16_t> port_at(const json::value& mapping, std::string_view key) {
  const std::int64_t port = number_at(mapping, {key});
  if (port < 1 || port > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
  return static_cast<std::uint16_t>(port);
}

}  // namespace

std::vector<PublishedPort> cni_ports(const json::value& cached) {
  std::vector<PublishedPort> ports;
  if (!is_told_of_ports(cached)) return ports;
  for (const json::value& mapping : array_at(cached, {"capabilityArgs", "portMappings"})) {
    std::string protocol = text_at(mapping, {"protocol"});
    std::ranges::transform(protocol, protocol.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
    if (protocol != "tcp" && protocol != "udp") continue;
    const auto outer = port_at(mapping, "hostPort");
    const auto inner = port_at(mapping, "containerPort");
    if (!outer || !inner) continue;
    PublishedPort port;
    port.tcp = protocol == "tcp";
    port.port = *outer;
    port.inner = *inner;
    port.address = IpAddress::parse(text_at(mapping, {"hostIP"}));
    const IpFamily family = port.address ? port.address->family() : IpFamily::v4;
    if (!has_address(cached, family)) continue;
    if (port.address && port.address->is_unspecified()) {
      // An address of the host is promised, and of all of them those of IPv4.
      if (family == IpFamily::v6) continue;
      port.address.reset();
    }
    ports.push_back(port);
  }
  std::ranges::sort(ports);
  ports.erase(std::unique(ports.begin(), ports.end()), ports.end());
  return ports;
}

}  // namespace plumbline::network::detail
