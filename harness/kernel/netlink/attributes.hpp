#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "harness/base/ip.hpp"

namespace plumbline::kernel::netlink {

/// Attributes as they came from the kernel, found by type once and read checked: an attribute that is not
/// there, or whose size is not exactly that of what is asked for, is absent. Reads nothing beyond `bytes`,
/// whatever they hold; does not own them. Of several attributes of one type the last counts.
class Attributes {
 public:
  static constexpr std::size_t kMaxType = 95;  ///< beyond any that is read here; higher types are passed over

  Attributes() noexcept = default;
  explicit Attributes(std::span<const std::uint8_t> bytes) noexcept;

  std::optional<std::span<const std::uint8_t>> bytes(std::uint16_t type) const noexcept;
  std::optional<std::uint8_t> u8(std::uint16_t type) const noexcept;
  std::optional<std::uint32_t> u32(std::uint16_t type) const noexcept;
  std::optional<std::int32_t> s32(std::uint16_t type) const noexcept;
  /// Up to its NUL; absent when it is not terminated.
  std::optional<std::string_view> text(std::uint16_t type) const noexcept;
  std::optional<IpAddress> ip(std::uint16_t type) const noexcept;
  std::optional<MacAddress> mac(std::uint16_t type) const noexcept;
  /// Those nested in an attribute; none when it is not there.
  Attributes nested(std::uint16_t type) const noexcept;

  /// False when the bytes ended inside an attribute.
  bool complete() const noexcept { return complete_; }

 private:
  struct Place {
    std::uint32_t offset = 0;  // of the payload; 0: not there, for an attribute's header comes first
    std::uint32_t size = 0;
  };
  std::span<const std::uint8_t> all_;
  std::array<Place, kMaxType + 1> places_{};
  bool complete_ = true;
};

}  // namespace plumbline::kernel::netlink
