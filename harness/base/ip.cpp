#include "harness/base/ip.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "harness/base/error.hpp"

namespace plumbline {
namespace {

/// `bytes` with all bits from `length` on set to `value`.
void fill_tail(std::span<std::uint8_t> bytes, int length, bool value) noexcept {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int kept = std::clamp(length - static_cast<int>(i) * 8, 0, 8);
    const auto tail = static_cast<std::uint8_t>(0xFFU >> static_cast<unsigned>(kept));
    bytes[i] = static_cast<std::uint8_t>(value ? bytes[i] | tail : bytes[i] & ~tail);
  }
}

IpAddress with_tail(const IpAddress& address, int length, bool value) noexcept {
  std::array<std::uint8_t, 16> bytes{};
  const auto source = address.bytes();
  std::copy(source.begin(), source.end(), bytes.begin());
  const std::span<std::uint8_t> all(bytes.data(), source.size());
  fill_tail(all, length, value);
  return *IpAddress::from_bytes(all);
}

struct AddressAndLength {
  IpAddress address;
  int length;
};

std::optional<AddressAndLength> parse_with_length(std::string_view text) noexcept {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return AddressAndLength{*address, address->bits()};
  const std::string_view digits = text.substr(slash + 1);
  int length = -1;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (problem != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  if (length < 0 || length > address->bits()) return std::nullopt;
  return AddressAndLength{*address, length};
}

}  // namespace

std::optional<IpAddress> IpAddress::from_bytes(std::span<const std::uint8_t> bytes) noexcept {
  IpAddress address;
  if (bytes.size() == 16) {
    address.family_ = IpFamily::v6;
  } else if (bytes.size() != 4) {
    return std::nullopt;
  }
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) noexcept {
  std::array<char, INET6_ADDRSTRLEN + 1> buffer{};
  if (text.empty() || text.size() >= buffer.size() || text.find('\0') != std::string_view::npos) return {};
  std::copy(text.begin(), text.end(), buffer.begin());
  IpAddress address;
  if (::inet_pton(AF_INET, buffer.data(), address.bytes_.data()) == 1) return address;
  address.bytes_.fill(0);
  if (::inet_pton(AF_INET6, buffer.data(), address.bytes_.data()) != 1) return std::nullopt;
  address.family_ = IpFamily::v6;
  return address;
}

bool IpAddress::is_unspecified() const noexcept {
  return std::ranges::all_of(bytes(), [](std::uint8_t b) { return b == 0; });
}

bool IpAddress::is_loopback() const noexcept {
  if (is_v4()) return bytes_[0] == 127;
  return std::ranges::all_of(bytes().first(15), [](std::uint8_t b) { return b == 0; }) && bytes_[15] == 1;
}

bool IpAddress::is_link_local() const noexcept {
  return is_v4() ? bytes_[0] == 169 && bytes_[1] == 254 : bytes_[0] == 0xFE && (bytes_[1] & 0xC0) == 0x80;
}

bool IpAddress::is_multicast() const noexcept {
  return is_v4() ? (bytes_[0] & 0xF0) == 0xE0 : bytes_[0] == 0xFF;
}

std::string IpAddress::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(is_v4() ? AF_INET : AF_INET6, bytes_.data(), text.data(), text.size());
  return text.data();
}

Prefix::Prefix(const IpAddress& address, int length) : length_(length) {
  if (length < 0 || length > address.bits()) {
    throw Error(fmt::format("prefix length {} does not fit {}", length, address.to_string()));
  }
  address_ = with_tail(address, length, false);
}

std::optional<Prefix> Prefix::parse(std::string_view text) noexcept {
  const auto parsed = parse_with_length(text);
  if (!parsed || with_tail(parsed->address, parsed->length, false) != parsed->address) return std::nullopt;
  Prefix prefix;
  prefix.address_ = parsed->address;
  prefix.length_ = parsed->length;
  return prefix;
}

bool Prefix::contains(const IpAddress& address) const noexcept {
  return address.family() == family() && with_tail(address, length_, false) == address_;
}

bool Prefix::contains(const Prefix& inner) const noexcept {
  return inner.length_ >= length_ && contains(inner.address_);
}

IpAddress Prefix::last() const noexcept {
  return with_tail(address_, length_, true);
}

std::string Prefix::to_string() const {
  return fmt::format("{}/{}", address_.to_string(), length_);
}

std::optional<InterfaceAddress> InterfaceAddress::parse(std::string_view text) noexcept {
  const auto parsed = parse_with_length(text);
  if (!parsed) return std::nullopt;
  return InterfaceAddress{parsed->address, parsed->length};
}

std::string InterfaceAddress::to_string() const {
  return fmt::format("{}/{}", address.to_string(), prefix_length);
}

std::optional<MacAddress> MacAddress::parse(std::string_view text) noexcept {
  MacAddress mac;
  if (text.size() != 17) return std::nullopt;
  for (std::size_t i = 0; i < 6; ++i) {
    const char* first = text.data() + i * 3;
    if (i < 5 && first[2] != ':') return std::nullopt;
    const auto [end, problem] = std::from_chars(first, first + 2, mac.bytes[i], 16);
    if (problem != std::errc{} || end != first + 2) return std::nullopt;
  }
  return mac;
}

std::string MacAddress::to_string() const {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", bytes[0], bytes[1], bytes[2], bytes[3],
                     bytes[4], bytes[5]);
}

}  // namespace plumbline

std::size_t std::hash<plumbline::IpAddress>::operator()(const plumbline::IpAddress& address) const noexcept {
  const auto bytes = address.bytes();
  return std::hash<std::string_view>{}(
      {reinterpret_cast<const char*>(bytes.data()), bytes.size()});  // NOLINT(*-reinterpret-cast)
}
