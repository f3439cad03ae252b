#pragma once

#include <optional>
#include <string>

#include "harness/engine/inference/context.hpp"

/// Private to this folder: what becomes of a ping from one to another, and of its answer, over one family.
namespace plumbline::engine::detail {

struct Outcome {
  enum class Kind : std::uint8_t {
    answered,
    denied,      ///< the host stops it for certain, and a control can show that
    unanswered,  ///< it is stopped elsewhere, or nothing could show the denial
    open,        ///< that could not be told
    unrouted,    ///< the sender has no route there
    elsewhere,   ///< the sender's own route leads by another network of its own
  };
  Kind kind = Kind::answered;
  std::string by;  ///< who stops it, or leaves it open
};

/// Of the host there, on the member's own network if it has one; null: none of the family.
const IpAddress* host_address(const Segment& segment, const Member& member, IpFamily family);

Outcome host_to_member(const Context& context, const Segment& segment, const Member& member, IpFamily family);
Outcome member_to_host(const Context& context, const Segment& segment, const Member& member, IpFamily family);
/// Between two of one segment, by the bridge.
Outcome bridged(const Context& context, const Segment& segment, const Member& from, const Member& to,
                IpFamily family);
/// Between two segments, by the host.
Outcome routed(const Context& context, const Segment& from_segment, const Member& from,
               const Segment& to_segment, const Member& to, IpFamily family);

/// The answer to a ping, as rules see it.
proof::firewall::RulePacket answer_packet(const IpAddress& from, const IpAddress& to, std::string iif,
                                          std::string oif);
/// Makes a connection to `port` of a ping and its answer.
void make_tcp(proof::firewall::RulePacket& probe, proof::firewall::RulePacket& back, std::uint16_t port);

/// What a node's own rules do with a ping (or a connection to a port) that it sends by `interface`, and with
/// the answer.
RuleAnswer own_way_out(const Context& context, const std::string& node, const std::string& interface,
                       const IpAddress& own, const IpAddress& to, std::optional<std::uint16_t> tcp = {});
/// The host's route for what comes in from `from` by `iif`, as it is forwarded. `answer` stops where there is
/// none, or another than by `wanted` (empty: any), and is unknown where marks may decide.
struct ForwardRoute {
  RuleAnswer answer;
  std::string dev;
  std::optional<IpAddress> via;
};
ForwardRoute forward_route(const Context& context, const IpAddress& from, const IpAddress& to,
                           const std::string& iif, const std::string& wanted);

/// "", " over IPv6".
std::string over(IpFamily family);

}  // namespace plumbline::engine::detail
