#pragma once

#include <boost/json/value.hpp>
#include <vector>

#include "harness/network/discovery/host_view.hpp"

/// Private to this folder.
namespace plumbline::network::detail {

/// The ports that portmap leads to a container, by what CNI's library has cached of its attachment
/// (cniCacheV1): what the runtime knew (capabilityArgs), where a plugin of the configuration takes it. TCP's
/// and UDP's, and of families that the container has an address of; empty: none, or it is not said. Pure.
std::vector<PublishedPort> cni_ports(const boost::json::value& cached);

}  // namespace plumbline::network::detail
