#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "harness/base/ip.hpp"
#include "harness/engine/check/evidence.hpp"

namespace plumbline::checks {

/// `route`: which packet is asked about.
struct RouteQuestion {
  std::string to;  ///< as the spec names it, or its address
  std::optional<IpAddress> from;
  std::string iif, oif;
  std::uint32_t mark = 0;
};

/// What is promised about it. Only what is set is judged.
struct RoutePromise {
  std::string type;  ///< unicast, local, blackhole, unreachable, prohibit; empty: any
  std::string dev;
  std::optional<IpAddress> via;
  bool on_link = false;  ///< `via: none`
  std::optional<IpAddress> source;
  std::optional<std::uint32_t> table;
  int error = 0;  ///< errno; 0: a route is promised
};

/// What the node's kernel would do with it.
struct RouteFinding {
  std::string type;  ///< empty where there is an error
  std::string dev;
  std::optional<IpAddress> via;
  std::optional<IpAddress> source;
  std::uint32_t table = 0;
  int error = 0;
  /// Packets that come in by `iif` are not forwarded at all, so no route helps them.
  bool forwarding_off = false;
  /// `from` is no address of the node, which (IPv4, without `iif`) is refused whatever the routes say.
  bool foreign_source = false;
};

/// "203.0.113.80 from 192.168.99.11 iif bridge0: via 192.168.17.1 dev ens5 table 88".
std::string to_text(const RouteQuestion& question, const RouteFinding& finding);

/// Inconclusive where the kernel's refusal has a reason that hides what was promised.
engine::Judgement judge_route(const RoutePromise& promise, const RouteQuestion& question,
                              const RouteFinding& finding);

}  // namespace plumbline::checks
