#include "harness/engine/change/route.hpp"

namespace plumbline::engine {
namespace {

std::unique_ptr<Change> parse(const spec::CheckItem& item, const network::Topology& intended,
                              const spec::Spec& /*spec*/) {
  return change::read_route_change(item, intended, kernel::netlink::delete_route);
}

}  // namespace

ChangeKind delete_route_change() {
  return {"delete-route", "Takes a route away.", change::kRouteSchema, parse};
}

}  // namespace plumbline::engine
