#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "harness/base/ip.hpp"
#include "harness/traffic/probe/probe.hpp"

/// ICMP echo (RFC 792) and ICMPv6 echo (RFC 4443) as bytes; pure.
namespace plumbline::traffic::detail {

inline constexpr std::size_t kIcmpHeaderSize = 8;

/// An echo request with sequence number 1. The ICMPv6 checksum is left to the kernel, which knows the
/// addresses.
std::vector<std::uint8_t> make_echo_request(IpFamily family, std::uint16_t id,
                                            std::span<const std::uint8_t> payload);

/// Behind an IPv4 header (a raw IPv4 socket delivers it, a raw IPv6 socket does not): what follows it.
std::optional<std::span<const std::uint8_t>> skip_ipv4_header(std::span<const std::uint8_t> packet);

/// `message` is the reply to the request: id, sequence number and the whole payload.
bool is_echo_reply(IpFamily family, std::uint16_t id, std::span<const std::uint8_t> payload,
                   std::span<const std::uint8_t> message);

/// `quote` is the beginning of our own request: type and id, and the nonce as far as it is quoted (RFC 792
/// promises 8 bytes, no more).
bool quotes_echo_request(IpFamily family, std::uint16_t id, std::span<const std::uint8_t> payload,
                         std::span<const std::uint8_t> quote);

}  // namespace plumbline::traffic::detail
