#include "harness/kernel/netlink/xfrm.hpp"

#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <span>
#include <string_view>

namespace plumbline::kernel::netlink {
namespace {

std::optional<IpAddress> address_of(const xfrm_address_t& address, std::uint16_t family) {
  std::array<std::uint8_t, 16> bytes{};
  static_assert(sizeof address == bytes.size());
  std::memcpy(bytes.data(), &address, bytes.size());
  if (family == AF_INET) return IpAddress::from_bytes(std::span(bytes).first(4));
  if (family == AF_INET6) return IpAddress::from_bytes(bytes);
  return std::nullopt;
}

std::optional<Prefix> prefix_of(const xfrm_address_t& address, std::uint16_t family, int length) {
  const auto whole = address_of(address, family);
  if (!whole || length > whole->bits()) return std::nullopt;
  return Prefix(*whole, length);
}

}  // namespace

Message get_xfrm_policies() {
  return Message(XFRM_MSG_GETPOLICY, 0, xfrm_userpolicy_id{});
}

Message get_xfrm_states() {
  // This dump has no fixed header: attributes begin at once. By protocol 0 all are meant.
  struct OfProtocol {
    nlattr attribute{sizeof(nlattr) + 1, XFRMA_PROTO};
    std::array<std::uint8_t, 4> protocol{};
  };
  return Message(XFRM_MSG_GETSA, 0, OfProtocol{});
}

std::optional<XfrmPolicy> decode_xfrm_policy(const Received& message) {
  constexpr std::array<std::string_view, 3> directions{"in", "out", "fwd"};
  if (message.type != XFRM_MSG_NEWPOLICY) return std::nullopt;
  const auto parts = split<xfrm_userpolicy_info>(message.payload);
  if (!parts || parts->first.dir >= directions.size()) return std::nullopt;
  const xfrm_selector& selector = parts->first.sel;
  // A policy for any address of either family has none.
  const std::uint16_t family = selector.family == AF_UNSPEC ? std::uint16_t{AF_INET} : selector.family;
  const auto from = prefix_of(selector.saddr, family, selector.prefixlen_s);
  const auto to = prefix_of(selector.daddr, family, selector.prefixlen_d);
  if (!from || !to) return std::nullopt;
  return XfrmPolicy{*from, *to, std::string(directions.at(parts->first.dir)),
                    parts->first.action == XFRM_POLICY_BLOCK};
}

std::optional<XfrmState> decode_xfrm_state(const Received& message) {
  if (message.type != XFRM_MSG_NEWSA) return std::nullopt;
  const auto parts = split<xfrm_usersa_info>(message.payload);
  if (!parts) return std::nullopt;
  const xfrm_usersa_info& info = parts->first;
  const auto from = address_of(info.saddr, info.family);
  const auto to = address_of(info.id.daddr, info.family);
  if (!from || !to) return std::nullopt;
  return XfrmState{*from, *to, info.id.proto, __builtin_bswap32(info.id.spi)};
}

}  // namespace plumbline::kernel::netlink
