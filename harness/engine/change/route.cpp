#include "harness/engine/change/route.hpp"

#include <fmt/format.h>

#include <utility>

namespace plumbline::engine::change {
namespace {

namespace netlink = kernel::netlink;
using Make = netlink::Message (*)(const netlink::Route&);

/// A route as a change names it.
struct RouteArguments {
  std::string node;
  Prefix to;
  std::optional<IpAddress> via;
  std::string dev;
  std::uint32_t table = network::kMainTable;
};

std::string text_of(const RouteArguments& route) {
  std::string text = fmt::format("{} {}", route.node, route.to.to_string());
  if (route.via) text += " via " + route.via->to_string();
  if (!route.dev.empty()) text += " dev " + route.dev;
  if (route.table != network::kMainTable) text += fmt::format(" table {}", route.table);
  return text;
}

class RouteChange final : public Change {
 public:
  RouteChange(RouteArguments route, Make message) : route_(std::move(route)), message_(message) {}

  boost::asio::awaitable<void> make(ChangeSite& site) const override {
    netlink::Route route;
    route.to = route_.to;
    route.via = route_.via;
    if (!route_.dev.empty()) route.dev = index_of(site.network, {route_.node, route_.dev});
    route.table = route_.table;
    request(site.network, route_.node, message_(route), about);
    co_return;
  }

 private:
  RouteArguments route_;
  Make message_;
};

RouteArguments read_route(const spec::Value& arguments, const network::Topology& intended) {
  RouteArguments route;
  route.node = read_in(arguments, intended);
  if (const spec::Value* via = arguments.find("via")) route.via = via->as_address("via");
  const spec::Value& to = arguments.require("to", "a route");
  if (to.as_text("to") == "default") {
    const bool v6 = route.via && !route.via->is_v4();
    route.to = Prefix(v6 ? IpAddress::v6({}) : IpAddress::v4({}), 0);
  } else {
    route.to = to.as_prefix("to");
  }
  if (const spec::Value* dev = arguments.find("dev")) route.dev = dev->as_name("dev", kLongestInterface);
  if (const spec::Value* table = arguments.find("table")) {
    route.table = static_cast<std::uint32_t>(table->as_number("table", 1, 0xFFFFFFFFU));
  }
  return route;
}

}  // namespace

const std::string_view kRouteSchema = R"({
  "type": "object", "required": ["to"], "additionalProperties": false,
  "properties": {"in": {"$ref": "#/$defs/name"},
                 "to": {"type": "string", "description": "A network, an address, or default."},
                 "via": {"$ref": "#/$defs/address"}, "dev": {"$ref": "#/$defs/interface"},
                 "table": {"type": "integer", "minimum": 1, "maximum": 4294967295}}
})";

std::unique_ptr<Change> read_route_change(const spec::CheckItem& item, const network::Topology& intended,
                                          Make message) {
  constexpr std::string_view keys[] = {"in", "to", "via", "dev", "table"};
  item.arguments.as_mapping(item.kind);
  item.arguments.allow_keys(item.kind, keys);
  RouteArguments route = read_route(item.arguments, intended);
  std::string text = fmt::format("{} {}", item.kind, text_of(route));
  auto change = std::make_unique<RouteChange>(std::move(route), message);
  change->about = std::move(text);
  return change;
}

}  // namespace plumbline::engine::change
