#include "harness/engine/change/route.hpp"

namespace plumbline::engine {
namespace {

std::unique_ptr<Change> parse(const spec::CheckItem& item, const network::Topology& intended,
                              const spec::Spec& /*spec*/) {
  return change::read_route_change(item, intended, kernel::netlink::add_route);
}

}  // namespace

ChangeKind add_route_change() {
  return {"add-route", "Adds a route.", change::kRouteSchema, parse};
}

}  // namespace plumbline::engine
