#include "harness/engine/check/tcp_connections.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <span>
#include <sstream>
#include <string_view>
#include <system_error>

namespace plumbline::engine {
namespace {

constexpr int kHex = 16;

std::optional<std::uint32_t> hex(std::string_view digits) {
  std::uint32_t value = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value, kHex);
  if (problem != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

/// "0100007F:1F90": words of the machine's own byte order, one or four, and a port.
bool read_end(const std::string& text, IpAddress& address, std::uint16_t& port) {
  constexpr std::size_t kDigits = 8;
  constexpr std::size_t kMapped = 12;  // bytes of ::ffff:0:0/96
  const std::size_t colon = text.find(':');
  if (colon != kDigits && colon != 4 * kDigits) return false;
  std::vector<std::uint8_t> bytes;
  for (std::size_t at = 0; at < colon; at += kDigits) {
    const auto word = hex(std::string_view(text).substr(at, kDigits));
    if (!word) return false;
    std::array<std::uint8_t, sizeof *word> parts{};
    std::copy_n(reinterpret_cast<const std::uint8_t*>(&*word), parts.size(), parts.begin());
    bytes.insert(bytes.end(), parts.begin(), parts.end());
  }
  const auto number = hex(std::string_view(text).substr(colon + 1));
  std::span<const std::uint8_t> held = bytes;
  static const Prefix kMappedV4 = *Prefix::parse("::ffff:0:0/96");
  auto read = IpAddress::from_bytes(held);
  if (!read || !number) return false;
  if (!read->is_v4() && kMappedV4.contains(*read)) read = IpAddress::from_bytes(held.subspan(kMapped));
  address = *read;
  port = static_cast<std::uint16_t>(*number);
  return true;
}

}  // namespace

std::optional<TcpConnection> parse_tcp_connection(const std::string& line) {
  constexpr int kBetween = 5;  // fields from the state to the inode: proc(5)
  std::istringstream fields(line);
  std::string number, local, remote, state, skipped;
  fields >> number >> local >> remote >> state;
  TcpConnection connection;
  if (!read_end(local, connection.local, connection.local_port)) return std::nullopt;
  if (!read_end(remote, connection.remote, connection.remote_port)) return std::nullopt;
  using State = TcpConnection::State;
  connection.state = state == "01" ? State::established : state == "03" ? State::half_open : State::other;
  for (int i = 0; i < kBetween; ++i) fields >> skipped;
  if (!(fields >> connection.inode)) return std::nullopt;
  return connection;
}

std::vector<TcpConnection> tcp_connections(const kernel::Netns& netns) {
  std::vector<TcpConnection> all;
  const auto inside = netns.enter();
  for (const char* path : {"/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"}) {
    std::ifstream table(path);
    for (std::string line; std::getline(table, line);) {
      if (const auto connection = parse_tcp_connection(line)) all.push_back(*connection);
    }
  }
  return all;
}

}  // namespace plumbline::engine
