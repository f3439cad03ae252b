#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "harness/proof/diagnosis/case.hpp"
#include "harness/proof/diagnosis/facts.hpp"

/// What causes ask about packets that are too large for a link.
namespace plumbline::proof {

/// Of the packet that the probe was to be, IP header included; 0: no size was promised.
std::size_t packet_size(const Case& question);
/// The largest packet of `leg` that was seen, in bytes, IP header included; 0: none was.
std::size_t largest_packet(const Journey& journey, Leg leg);

/// "Fragmentation needed", or IPv6's "packet too big", as it was seen.
struct TooBig {
  Leg leg = Leg::forward;  ///< whose packet it quotes
  std::string made_by;
  std::size_t mtu = 0;
  std::size_t packet_bytes = 0;  ///< of the packet that it quotes
  IpAddress quoted_source, quoted_destination;
  const Sighting* first = nullptr;
  const Sighting* last = nullptr;
  const Sighting* reached = nullptr;  ///< where it came to whom it is for; null: it was not seen to
};
/// The first one. Absent: none was seen.
std::optional<TooBig> too_big(const Journey& journey);

/// The first interface on the way from `node` to `to`, as the kernels route it, that passes no packet of
/// `bytes`. Absent: all do, as far as we see.
std::optional<network::Endpoint> narrow_link(Facts& facts, std::string node, const IpAddress& to,
                                             std::size_t bytes);
/// Commands that let packets of `bytes` leave by `end`: its MTU, and that of the other end of its cable.
std::vector<std::string> raise_mtu(const Case& question, Facts& facts, const network::Endpoint& end,
                                   std::size_t bytes);

}  // namespace plumbline::proof
