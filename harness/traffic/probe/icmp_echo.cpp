#include "harness/traffic/probe/icmp_echo.hpp"

#include <algorithm>

namespace plumbline::traffic::detail {
namespace {

using Span = std::span<const std::uint8_t>;

constexpr std::uint16_t kSequence = 1;
constexpr std::size_t kNonceSize = 8;

constexpr std::uint8_t request_type(IpFamily family) {
  return family == IpFamily::v4 ? 8 : 128;
}
constexpr std::uint8_t reply_type(IpFamily family) {
  return family == IpFamily::v4 ? 0 : 129;
}

std::uint16_t get16(Span bytes, std::size_t at) {
  return static_cast<std::uint16_t>((bytes[at] << 8U) | bytes[at + 1]);
}

void set16(std::vector<std::uint8_t>& bytes, std::size_t at, std::uint16_t value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8U);
  bytes[at + 1] = static_cast<std::uint8_t>(value & 0xFFU);
}

/// RFC 1071.
std::uint16_t checksum(Span bytes) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) sum += i % 2 == 0 ? std::uint64_t{bytes[i]} << 8U : bytes[i];
  while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16U);
  return static_cast<std::uint16_t>(~sum & 0xFFFF);
}

}  // namespace

std::vector<std::uint8_t> make_echo_request(IpFamily family, std::uint16_t id, Span payload) {
  std::vector<std::uint8_t> message(kIcmpHeaderSize);
  message[0] = request_type(family);
  set16(message, 4, id);
  set16(message, 6, kSequence);
  message.insert(message.end(), payload.begin(), payload.end());
  if (family == IpFamily::v4) set16(message, 2, checksum(message));
  return message;
}

std::optional<Span> skip_ipv4_header(Span packet) {
  if (packet.empty()) return std::nullopt;
  const std::size_t size = (packet[0] & 0x0FU) * std::size_t{4};
  if (packet[0] >> 4U != 4 || size < 20 || packet.size() < size) return std::nullopt;
  return packet.subspan(size);
}

bool is_echo_reply(IpFamily family, std::uint16_t id, Span payload, Span message) {
  return message.size() >= kIcmpHeaderSize && message[0] == reply_type(family) && message[1] == 0 &&
         get16(message, 4) == id && get16(message, 6) == kSequence &&
         std::ranges::equal(message.subspan(kIcmpHeaderSize), payload);
}

bool quotes_echo_request(IpFamily family, std::uint16_t id, Span payload, Span quote) {
  if (quote.size() < kIcmpHeaderSize || quote[0] != request_type(family) || quote[1] != 0) return false;
  if (get16(quote, 4) != id || get16(quote, 6) != kSequence) return false;
  const Span rest = quote.subspan(kIcmpHeaderSize);
  const std::size_t compared = std::min({rest.size(), payload.size(), kNonceSize});
  return std::ranges::equal(rest.first(compared), payload.first(compared));
}

}  // namespace plumbline::traffic::detail
