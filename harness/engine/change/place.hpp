#pragma once

#include <cstddef>
#include <string>

#include "harness/base/ip.hpp"
#include "harness/engine/check/change.hpp"
#include "harness/kernel/netlink/batch.hpp"

/// Private to this folder: what kinds of change share.
namespace plumbline::engine::change {

inline constexpr std::size_t kLongestInterface = 15;  ///< the kernel's IFNAMSIZ with its NUL is 16

/// An interface that a change is about.
struct Place {
  std::string node;
  std::string dev;
  std::string text() const { return node + ":" + dev; }
};

/// `in:`, the host by default. Throws SpecError.
std::string read_in(const spec::Value& arguments, const network::Topology& intended);
/// `in:` and `dev:`. An interface that a setup's script makes is not known beforehand, so any name may stand
/// there.
Place read_place(const spec::Value& arguments, const network::Topology& intended);

/// The index of the interface now. Throws Error where there is none.
unsigned index_of(const network::LiveNetwork& network, const Place& place);
/// One request to `node`'s kernel. Throws Error: "node host: `about`: what the kernel says".
void request(const network::LiveNetwork& network, const std::string& node,
             const kernel::netlink::Message& message, const std::string& about);

/// The interface of `place` in the model, added where a script will have made it.
network::Interface& foreseen(network::Topology& intended, const Place& place);

}  // namespace plumbline::engine::change
