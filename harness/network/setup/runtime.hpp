#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>

#include "harness/network/setup/script_host.hpp"
#include "harness/network/topology/model.hpp"

namespace plumbline::network {

/// A setup that has a runtime make the host's container networking: CNI plugins, a container engine.
class RuntimeSetup {
 public:
  RuntimeSetup() = default;
  RuntimeSetup(const RuntimeSetup&) = delete;
  RuntimeSetup& operator=(const RuntimeSetup&) = delete;
  virtual ~RuntimeSetup() = default;

  /// The nodes that it will leave behind, as far as they are known beforehand: see expected_of of a script.
  /// Pure. Throws Error of kind usage for what cannot be.
  virtual Topology expected(const Topology& world) const = 0;

  /// Makes it in `host`: afterwards each container is a node of the network, whose addresses are usable.
  /// `declared` is told what no kernel can be asked for (the containers' resolvers). Absent: it is made.
  /// Otherwise why it is skipped: what is missing here, and the package that has it. Throws Error of kind
  /// setup, with what the runtime said and a remedy.
  virtual boost::asio::awaitable<std::optional<std::string>> set_up(ScriptHost& host,
                                                                    Topology& declared) const = 0;

  /// To be called after a change: makes nodes of what the containers are now, whose namespaces others may
  /// have made anew (a restart) or taken away (a stop); what became of `declared` is told. Throws Error.
  virtual boost::asio::awaitable<void> follow(ScriptHost& /*host*/, Topology& /*declared*/) const {
    co_return;
  }

  /// Takes the containers down in the runtime's own way, where that is a promise of its own; whatever is left
  /// then ends with the sandbox. Throws Error for what is left behind.
  virtual boost::asio::awaitable<void> take_down(ScriptHost& /*host*/) const { co_return; }
};

}  // namespace plumbline::network
