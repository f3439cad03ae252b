#include "harness/network/topology/live_network.hpp"

#include <exception>

#include "harness/base/error.hpp"
#include "harness/network/topology/builder.hpp"

namespace plumbline::network {

LiveNetwork::~LiveNetwork() {
  try {
    teardown();
  } catch (const std::exception&) {  // a destructor has nobody to tell; teardown() by hand tells
  }
}

LiveNetwork& LiveNetwork::operator=(LiveNetwork&& other) noexcept {
  LiveNetwork old(std::move(*this));
  nodes_ = std::exchange(other.nodes_, {});
  return *this;
}

void LiveNetwork::build(const Topology& addition) {
  Builder builder(addition, nodes_);
  builder.build();
  nodes_.merge(builder.take());
}

const kernel::Netns& LiveNetwork::netns(std::string_view node) const {
  const auto found = nodes_.find(node);
  if (found == nodes_.end()) throw Error("there is no node \"" + std::string(node) + "\"", ErrorKind::usage);
  return found->second;
}

void LiveNetwork::teardown() {
  std::string failures;
  const auto nodes = std::exchange(nodes_, {});
  for (const auto& [name, netns] : nodes) {
    try {
      kernel::Netns::unbind(name_path(name));
    } catch (const std::exception& error) {
      failures += (failures.empty() ? "" : "; ") + std::string(error.what());
    }
  }
  if (!failures.empty()) throw Error("taking the network down: " + failures);
}

}  // namespace plumbline::network
