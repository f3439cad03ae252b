#pragma once

#include <memory>

#include "harness/engine/change/place.hpp"
#include "harness/kernel/netlink/route.hpp"

/// Private to this folder: what adding and deleting a route have in common.
namespace plumbline::engine::change {

extern const std::string_view kRouteSchema;

/// A change that gives `message` to the kernel, with the device's index of then.
std::unique_ptr<Change> read_route_change(const spec::CheckItem& item, const network::Topology& intended,
                                          kernel::netlink::Message (*message)(const kernel::netlink::Route&));

}  // namespace plumbline::engine::change
