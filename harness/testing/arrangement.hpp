#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/engine/spec/spec.hpp"
#include "harness/network/setup/native.hpp"
#include "harness/network/topology/model.hpp"

#ifndef PLUMBLINE_DATA_DIR
/// Where an installed plumbline keeps its worlds and setups; find_package(plumbline) defines it.
#define PLUMBLINE_DATA_DIR ""
#endif

namespace plumbline::testing {

/// World and setup of the scenario in `file`, with its checks, which nobody runs unless asked to. `setup`
/// names one where the file has several ("native"). Throws spec::SpecError, or Error of kind usage.
spec::Spec scenario(const std::string& file, const std::string& setup = {},
                    const std::string& data = PLUMBLINE_DATA_DIR);

/// The same from text: the keys `world` and `setup` of a scenario, as docs/spec.md has them. Places in errors
/// are lines of the text; paths in it are relative to the working folder.
spec::Spec scenario_text(std::string_view yaml, const std::string& setup = {},
                         const std::string& data = PLUMBLINE_DATA_DIR);

/// One end of a cable.
struct Plug {
  std::string node;
  std::string interface;
  std::vector<std::string> addresses;  ///< with their prefix lengths: "192.168.16.10/24"
};

/// A network put together in code. Its words are those of specs; whatever has none is reached through world()
/// and setup(), the very model that YAML is read into. Addresses are text. Throws Error of kind usage for
/// what cannot be, at the latest from arrangement().
class NetworkBuilder {
 public:
  /// Begins with nothing but a host, named "host".
  NetworkBuilder();
  /// Begins with a world that ships ("diy"), or with that of a file.
  static NetworkBuilder in_world(const std::string& world, const std::string& data = PLUMBLINE_DATA_DIR);

  /// Another machine around the host.
  NetworkBuilder& node(const std::string& name);
  /// A cable (veth pair) between machines that are here.
  NetworkBuilder& cable(const Plug& one, const Plug& other);
  /// `to` is a network or "default"; `via` must be on a network of the node's. A default route also tells a
  /// setup that routes by that interface who its gateway is.
  NetworkBuilder& route(const std::string& node, const std::string& to, const std::string& via);

  /// A bridge of the host's; its addresses are its containers' gateways.
  NetworkBuilder& bridge(const std::string& name, const std::vector<std::string>& addresses);
  /// A container on the bridge named last, with one address of each family at most.
  NetworkBuilder& container(const std::string& name, const std::vector<std::string>& addresses);
  /// Containers may leave by `uplink`; everything else is refused by the host's FORWARD policy.
  NetworkBuilder& forward(const std::string& uplink);
  /// Containers are kept out of `networks`, by REJECT.
  NetworkBuilder& deny(const std::vector<std::string>& networks);
  NetworkBuilder& masquerade(const std::string& uplink);
  /// The host's own nftables ruleset, loaded last.
  NetworkBuilder& nft(const std::string& ruleset);

  network::Topology& world() noexcept { return world_; }
  network::NativeSetup& setup() noexcept { return setup_; }

  spec::Spec arrangement() const;

 private:
  network::Node& known(const std::string& node);
  network::NativeSetup::Forward& forwarding();

  network::Topology world_;
  network::NativeSetup setup_;
};

}  // namespace plumbline::testing
