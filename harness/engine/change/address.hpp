#pragma once

#include <memory>

#include "harness/engine/change/place.hpp"
#include "harness/kernel/netlink/address.hpp"

/// Private to this folder: what adding and deleting an address have in common.
namespace plumbline::engine::change {

extern const std::string_view kAddressSchema;

/// A change that gives `message` to the kernel, with the interface's index of then. `in_model` does the same
/// to the model.
std::unique_ptr<Change> read_address_change(
    const spec::CheckItem& item, const network::Topology& intended,
    kernel::netlink::Message (*message)(const kernel::netlink::Address&),
    void (*in_model)(network::Interface&, const InterfaceAddress&));

}  // namespace plumbline::engine::change
