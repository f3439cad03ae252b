#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "harness/base/ip.hpp"
#include "harness/network/topology/model.hpp"
#include "harness/proof/diagnosis/facts.hpp"

/// A node's routes and routing rules as they are listed: what they hold for, and in `ip`'s words.
namespace plumbline::proof {

/// The route of `table` that holds for `to`: the longest, then that of the lowest metric. Null: none.
/// `oif`: of that interface alone.
const network::Route* best_route(const network::Node& node, const IpAddress& to, std::uint32_t table,
                                 std::string_view oif = {});
/// Whether any table of `node` has any route for `to`.
bool covers(const network::Node& node, const IpAddress& to);
/// Whether `rule` is for a packet without mark; `iif` empty: the node's own; `oif`: that its sender insists
/// on.
bool holds_for(const network::RoutingRule& rule, const IpAddress& source, const IpAddress& destination,
               std::string_view iif, std::string_view oif = {});
/// As `ip route` and `ip rule` write them: "default via 192.168.16.1 dev ens4 table 88".
std::string to_text(const network::Route& route);
std::string to_text(const network::RoutingRule& rule);
/// "via 192.168.16.1 dev ens4 (table 88)".
std::string to_text(const RouteAnswer& answer);

}  // namespace plumbline::proof
