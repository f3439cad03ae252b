#include "harness/proof/diagnosis/tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace plumbline::proof {

using network::Node;

const network::Route* best_route(const Node& node, const IpAddress& to, std::uint32_t table,
                                 std::string_view oif) {
  const network::Route* best = nullptr;
  const auto rank = [](const network::Route& route) { return std::tuple(-route.to.length(), route.metric); };
  for (const network::Route& route : node.routes) {
    if (route.table != table || route.to.family() != to.family() || !route.to.contains(to)) continue;
    if (!oif.empty() && !route.dev.empty() && route.dev != oif) continue;
    if (best == nullptr || rank(route) < rank(*best)) best = &route;
  }
  return best;
}

bool covers(const Node& node, const IpAddress& to) {
  return std::ranges::any_of(node.routes, [&](const network::Route& route) { return route.to.contains(to); });
}

bool holds_for(const network::RoutingRule& rule, const IpAddress& source, const IpAddress& destination,
               std::string_view iif, std::string_view oif) {
  if (rule.family != destination.family() || rule.mark != 0) return false;
  if (!rule.oif.empty() && rule.oif != oif) return false;
  if (rule.from && !rule.from->contains(source)) return false;
  if (rule.to && !rule.to->contains(destination)) return false;
  return rule.iif.empty() || rule.iif == (iif.empty() ? "lo" : iif);
}

std::string to_text(const network::Route& route) {
  static constexpr std::array<std::string_view, 5> kTypes{"", "local ", "blackhole ", "unreachable ",
                                                          "prohibit "};
  std::string text(kTypes.at(static_cast<std::size_t>(route.type)));
  text += route.to.length() == 0 ? "default" : route.to.to_string();
  if (route.via) text += " via " + route.via->to_string();
  if (!route.dev.empty()) text += " dev " + route.dev;
  if (route.table != network::kMainTable) text += fmt::format(" table {}", route.table);
  if (route.metric != 0 && route.metric != 1024) text += fmt::format(" metric {}", route.metric);
  return text;
}

std::string to_text(const network::RoutingRule& rule) {
  std::string text = fmt::format("{}: from {}", rule.priority, rule.from ? rule.from->to_string() : "all");
  if (rule.to) text += " to " + rule.to->to_string();
  if (rule.mark != 0) text += fmt::format(" fwmark {:#x}", rule.mark);
  if (!rule.iif.empty()) text += " iif " + rule.iif;
  if (!rule.oif.empty()) text += " oif " + rule.oif;
  const std::string table = rule.table == network::kMainTable    ? "main"
                            : rule.table == network::kLocalTable ? "local"
                                                                 : fmt::to_string(rule.table);
  return text + " lookup " + table;
}

std::string to_text(const RouteAnswer& answer) {
  const std::string via = answer.via ? "via " + answer.via->to_string() + " " : std::string();
  const std::string table = answer.table == network::kMainTable    ? "main"
                            : answer.table == network::kLocalTable ? "local"
                                                                   : fmt::to_string(answer.table);
  return fmt::format("{}dev {} (table {})", via, answer.dev, table);
}

}  // namespace plumbline::proof
