#include "harness/engine/change/place.hpp"
#include "harness/kernel/netlink/route.hpp"

namespace plumbline::engine {
namespace {

constexpr std::string_view kSchema = R"({
  "type": "object", "required": ["to"], "additionalProperties": false,
  "properties": {"in": {"$ref": "#/$defs/name"}, "to": {"type": "string", "description": "A network, an address, or default."},
                 "via": {"$ref": "#/$defs/address"}, "dev": {"$ref": "#/$defs/interface"},
                 "table": {"type": "integer", "minimum": 1, "maximum": 4294967295}}
})";

class AddRoute final : public Change {
 public:
  explicit AddRoute(change::RouteArguments route) : route_(std::move(route)) {}

  boost::asio::awaitable<void> make(ChangeSite& site) const override {
    change::request(site.network, route_.node,
                    kernel::netlink::add_route(change::resolve(site.network, route_)), about);
    co_return;
  }

 private:
  change::RouteArguments route_;
};

std::unique_ptr<Change> parse(const spec::CheckItem& item, const network::Topology& intended,
                              const spec::Spec& /*spec*/) {
  constexpr std::string_view keys[] = {"in", "to", "via", "dev", "table"};
  item.arguments.as_mapping(item.kind);
  item.arguments.allow_keys(item.kind, keys);
  change::RouteArguments route = change::read_route(item.arguments, intended);
  std::string text = "add-route " + route.text();
  auto made = std::make_unique<AddRoute>(std::move(route));
  made->about = std::move(text);
  return made;
}

}  // namespace

ChangeKind add_route_change() {
  return {"add-route", "Adds a route.", kSchema, parse};
}

}  // namespace plumbline::engine
