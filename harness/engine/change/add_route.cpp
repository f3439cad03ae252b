#include "harness/engine/change/route.hpp"

namespace plumbline::engine {
namespace {

std::unique_ptr<Change> parse(const spec::CheckItem& item, const network::Topology& intended,
                              const spec::Spec& /*spec*/) {
  auto change = change::read_route_change(item, intended, kernel::netlink::add_route);
  if (item.arguments.find("via") == nullptr && item.arguments.find("dev") == nullptr) {
    item.arguments.fail("add-route needs 'via' or 'dev': the route leads nowhere");
  }
  return change;
}

}  // namespace

ChangeKind add_route_change() {
  static const std::string schema = R"({"anyOf": [{"required": ["via"]}, {"required": ["dev"]}],)" +
                                    std::string(change::kRouteSchema.substr(1));
  return {"add-route", "Adds a route.", schema, parse};
}

}  // namespace plumbline::engine
