#include "harness/kernel/netlink/attributes.hpp"

#include <linux/netlink.h>

#include <algorithm>
#include <cstring>

namespace plumbline::kernel::netlink {
namespace {

constexpr unsigned kTypeMask = 0x3FFF;  // NLA_TYPE_MASK: without the nested and byte-order bits

template <class Value>
std::optional<Value> exact(std::optional<std::span<const std::uint8_t>> bytes) noexcept {
  if (!bytes || bytes->size() != sizeof(Value)) return std::nullopt;
  Value value{};
  std::memcpy(&value, bytes->data(), sizeof value);
  return value;
}

}  // namespace

Attributes::Attributes(std::span<const std::uint8_t> bytes) noexcept : all_(bytes) {
  std::size_t offset = 0;
  while (offset < bytes.size()) {
    nlattr header{};
    const std::size_t left = bytes.size() - offset;
    if (left < sizeof header) break;
    std::memcpy(&header, bytes.data() + offset, sizeof header);
    if (header.nla_len < sizeof header || header.nla_len > left) break;
    const std::size_t type = header.nla_type & kTypeMask;
    if (type <= kMaxType) {
      places_[type] = {static_cast<std::uint32_t>(offset + sizeof header),
                       static_cast<std::uint32_t>(header.nla_len - sizeof header)};
    }
    offset += std::min(left, (std::size_t{header.nla_len} + 3U) & ~std::size_t{3});
  }
  complete_ = offset >= bytes.size();
}

std::optional<std::span<const std::uint8_t>> Attributes::bytes(std::uint16_t type) const noexcept {
  if (type > kMaxType || places_[type].offset == 0) return std::nullopt;
  return all_.subspan(places_[type].offset, places_[type].size);
}

std::optional<std::uint8_t> Attributes::u8(std::uint16_t type) const noexcept {
  return exact<std::uint8_t>(bytes(type));
}

std::optional<std::uint32_t> Attributes::u32(std::uint16_t type) const noexcept {
  return exact<std::uint32_t>(bytes(type));
}

std::optional<std::int32_t> Attributes::s32(std::uint16_t type) const noexcept {
  return exact<std::int32_t>(bytes(type));
}

std::optional<std::string_view> Attributes::text(std::uint16_t type) const noexcept {
  const auto found = bytes(type);
  if (!found) return std::nullopt;
  const auto end = std::find(found->begin(), found->end(), std::uint8_t{0});
  if (end == found->end()) return std::nullopt;
  return std::string_view(reinterpret_cast<const char*>(found->data()),
                          static_cast<std::size_t>(end - found->begin()));
}

std::optional<IpAddress> Attributes::ip(std::uint16_t type) const noexcept {
  const auto found = bytes(type);
  return found ? IpAddress::from_bytes(*found) : std::nullopt;
}

std::optional<MacAddress> Attributes::mac(std::uint16_t type) const noexcept {
  return exact<MacAddress>(bytes(type));
}

Attributes Attributes::nested(std::uint16_t type) const noexcept {
  const auto found = bytes(type);
  return found ? Attributes(*found) : Attributes();
}

}  // namespace plumbline::kernel::netlink
