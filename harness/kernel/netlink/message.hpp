#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "harness/base/ip.hpp"
#include "harness/kernel/netlink/attributes.hpp"

namespace plumbline::kernel::netlink {

/// One netlink request being written: header, the family's fixed header, attributes. Throws Error when it
/// would outgrow kCapacity, which no request of ours comes near.
class Message {
 public:
  static constexpr std::size_t kCapacity = 1024;  ///< bytes

  /// `flags` beyond NLM_F_REQUEST, which is always set.
  template <class Header>
  Message(std::uint16_t type, std::uint16_t flags, const Header& header) : Message(type, flags) {
    append(header);
  }

  /// A fixed header in its place: after the message's own, or at the start of a nest (VETH_INFO_PEER).
  template <class Header>
  void append(const Header& header) {
    static_assert(std::is_trivially_copyable_v<Header>);
    std::memcpy(extend(sizeof(Header)), &header, sizeof(Header));
  }
  void put(std::uint16_t type, std::span<const std::uint8_t> bytes);
  void put_u8(std::uint16_t type, std::uint8_t value);
  void put_u32(std::uint16_t type, std::uint32_t value);
  void put_text(std::uint16_t type, std::string_view text);  ///< with its NUL
  void put_ip(std::uint16_t type, const IpAddress& address) { put(type, address.bytes()); }
  void put_mac(std::uint16_t type, const MacAddress& mac) { put(type, mac.bytes); }

  /// What is put while it lives goes inside the attribute.
  class Nest {
   public:
    Nest(const Nest&) = delete;
    Nest& operator=(const Nest&) = delete;
    ~Nest();

   private:
    friend class Message;
    Nest(Message& message, std::size_t offset) : message_(message), offset_(offset) {}
    Message& message_;
    std::size_t offset_;
  };
  [[nodiscard]] Nest nest(std::uint16_t type);

  /// The whole message, header included.
  std::span<const std::uint8_t> bytes() const noexcept;

 private:
  Message(std::uint16_t type, std::uint16_t flags);
  void* extend(std::size_t size);

  alignas(4) std::array<std::uint8_t, kCapacity> buffer_;
};

/// One message as it came; `payload` points into the datagram.
struct Received {
  std::uint16_t type = 0;
  std::uint16_t flags = 0;
  std::uint32_t sequence = 0;
  std::span<const std::uint8_t> payload;
};

/// Takes the first message off `rest`. Absent at the end, and when what is left is shorter than it says.
std::optional<Received> take_message(std::span<const std::uint8_t>& rest) noexcept;

/// The family's fixed header and the attributes after it; absent when the payload is too short for them.
template <class Header>
std::optional<std::pair<Header, Attributes>> split(std::span<const std::uint8_t> payload) noexcept {
  static_assert(std::is_trivially_copyable_v<Header>);
  constexpr std::size_t aligned = (sizeof(Header) + 3U) & ~std::size_t{3};
  if (payload.size() < sizeof(Header)) return std::nullopt;
  std::pair<Header, Attributes> parts{};
  std::memcpy(&parts.first, payload.data(), sizeof(Header));
  if (payload.size() > aligned) parts.second = Attributes(payload.subspan(aligned));
  return parts;
}

}  // namespace plumbline::kernel::netlink
