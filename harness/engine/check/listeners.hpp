#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/engine/check/evidence.hpp"
#include "harness/network/service/service.hpp"
#include "harness/network/topology/live_network.hpp"
#include "harness/network/topology/model.hpp"
#include "harness/traffic/probe/probe.hpp"

namespace plumbline::engine {

/// Whether the probe's target is declared to answer questions there, not echoes.
bool serves_dns(const network::Topology& topology, const Target& target, const Service& service);

/// The servers on a stage: those that the network declares, and those that checks need so that they can be
/// proven either way.
class Listeners {
 public:
  /// The executor's context must outlive this.
  Listeners(boost::asio::any_io_executor executor, const network::LiveNetwork& network)
      : executor_(std::move(executor)), network_(network) {}

  /// What `topology` declares, in nodes that have none yet. Throws Error.
  void start_declared(const network::Topology& topology);
  /// What a check needs and what is not there yet. Throws Error.
  void plant(const Need& need, const network::Topology& topology);
  /// Ends what serves a port of a node over these transports, planted or declared. Nothing is planted there
  /// again.
  void stop(const std::string& node, std::uint16_t port, network::Transports over);
  /// Serves, in the place of what was there. Throws Error.
  void serve(const std::string& node, const network::ServerPlan& plan);
  /// Of nodes that went away, also where others have their names now.
  void let_go();

  /// The node whose server got the nonce; empty when none did.
  std::string delivered_to(traffic::Nonce nonce) const;

 private:
  void start(const std::string& node, const network::ServerPlan& plan);

  boost::asio::any_io_executor executor_;
  const network::LiveNetwork& network_;
  std::map<std::string, std::vector<network::Serving>, std::less<>> servers_;
  std::map<std::string, std::uint64_t, std::less<>> served_;  ///< the namespaces where servers_ are, by inode
  std::set<std::pair<std::string, Service>> planted_;
};

}  // namespace plumbline::engine
