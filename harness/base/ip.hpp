#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace plumbline {

enum class IpFamily : std::uint8_t { v4, v6 };

/// An IPv4 or IPv6 address, bytes in network order. Default: 0.0.0.0.
class IpAddress {
 public:
  constexpr IpAddress() noexcept = default;
  static constexpr IpAddress v4(std::array<std::uint8_t, 4> bytes) noexcept {
    IpAddress a;
    for (std::size_t i = 0; i < 4; ++i) a.bytes_[i] = bytes[i];
    return a;
  }
  static constexpr IpAddress v6(std::array<std::uint8_t, 16> bytes) noexcept {
    IpAddress a;
    a.family_ = IpFamily::v6;
    a.bytes_ = bytes;
    return a;
  }
  /// 4 or 16 bytes; anything else is absent.
  static std::optional<IpAddress> from_bytes(std::span<const std::uint8_t> bytes) noexcept;
  /// Dotted quad or RFC 4291 text, nothing before or after it.
  static std::optional<IpAddress> parse(std::string_view text) noexcept;

  constexpr IpFamily family() const noexcept { return family_; }
  constexpr bool is_v4() const noexcept { return family_ == IpFamily::v4; }
  /// 4 or 16 bytes, network order.
  std::span<const std::uint8_t> bytes() const noexcept { return {bytes_.data(), is_v4() ? 4U : 16U}; }
  constexpr int bits() const noexcept { return is_v4() ? 32 : 128; }
  bool is_unspecified() const noexcept;
  bool is_loopback() const noexcept;
  bool is_link_local() const noexcept;  ///< 169.254.0.0/16 or fe80::/10
  bool is_multicast() const noexcept;
  std::string to_string() const;

  friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) noexcept = default;

 private:
  IpFamily family_ = IpFamily::v4;
  std::array<std::uint8_t, 16> bytes_{};
};

/// A network: address with its host bits cleared, and a length in bits.
class Prefix {
 public:
  constexpr Prefix() noexcept = default;  ///< 0.0.0.0/0
  /// Clears the host bits. Throws Error when `length` is out of range.
  Prefix(const IpAddress& address, int length);
  /// "10.0.0.0/8", or an address alone as /32 or /128. Host bits set make it absent.
  static std::optional<Prefix> parse(std::string_view text) noexcept;

  const IpAddress& address() const noexcept { return address_; }
  int length() const noexcept { return length_; }
  IpFamily family() const noexcept { return address_.family(); }
  bool contains(const IpAddress& address) const noexcept;
  bool contains(const Prefix& inner) const noexcept;
  bool overlaps(const Prefix& other) const noexcept { return contains(other) || other.contains(*this); }
  IpAddress last() const noexcept;  ///< the highest address of the network
  std::string to_string() const;

  friend auto operator<=>(const Prefix&, const Prefix&) noexcept = default;

 private:
  IpAddress address_;
  int length_ = 0;
};

/// An address on an interface with its prefix length: "192.168.99.1/24".
struct InterfaceAddress {
  IpAddress address;
  int prefix_length = 32;

  /// "192.168.99.1/24"; without a length /32 or /128.
  static std::optional<InterfaceAddress> parse(std::string_view text) noexcept;
  Prefix network() const { return Prefix(address, prefix_length); }
  std::string to_string() const;
  friend auto operator<=>(const InterfaceAddress&, const InterfaceAddress&) noexcept = default;
};

/// A 48-bit hardware address.
struct MacAddress {
  std::array<std::uint8_t, 6> bytes{};

  static std::optional<MacAddress> parse(std::string_view text) noexcept;
  std::string to_string() const;
  friend constexpr auto operator<=>(const MacAddress&, const MacAddress&) noexcept = default;
};

}  // namespace plumbline

template <>
struct std::hash<plumbline::IpAddress> {
  std::size_t operator()(const plumbline::IpAddress& address) const noexcept;
};
