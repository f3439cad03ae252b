#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/base/ip.hpp"

/// The part of RFC 1035 (and of RFC 6891, EDNS) that a small authoritative responder needs; pure.
namespace plumbline::network::detail {

/// Lower-case names without the final dot.
using DnsZone = std::map<std::string, std::vector<IpAddress>>;

struct DnsReply {
  std::optional<std::vector<std::uint8_t>> bytes;  ///< absent: silence (not a query, or too short to answer)
  std::string name;  ///< what was asked, case as sent, no final dot; bytes out of the ordinary as \DDD
};

/// No answer is longer than what UDP without EDNS may carry (RFC 1035, 4.2.1), or with it, what the client
/// offers, up to a size that is not fragmented on the way (DNS flag day 2020).
inline constexpr std::size_t kDnsPlainUdpLimit = 512;
inline constexpr std::size_t kDnsEdnsUdpLimit = 1232;
inline constexpr std::size_t kDnsTcpLimit = 65'535;

/// How a server answers other than it should.
struct DnsWays {
  std::uint8_t rcode = 0;  ///< of every answer, without addresses; 0: what the zone says
  bool truncated = false;  ///< over UDP no answer fits
  std::string question;    ///< the name that it says it was asked for; empty: the one that it was
};

/// The answer to one message. What does not fit sets TC and is left out, whole records at a time.
DnsReply answer_dns(const DnsZone& zone, std::span<const std::uint8_t> message, bool tcp,
                    const DnsWays& ways = {});

}  // namespace plumbline::network::detail
