#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
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
      : executor_(std::move(executor)),
        network_(network),
        returned_(std::make_shared<boost::asio::steady_timer>(
            executor_, boost::asio::steady_timer::time_point::max())) {}

  /// What `topology` declares, in nodes that have none yet. Throws Error.
  void start_declared(const network::Topology& topology);
  /// What a check needs and what is not there yet. Throws Error.
  void plant(const Need& need, const network::Topology& topology);
  /// Ends what serves a port of a node over these transports, planted or declared. Nothing is planted there
  /// again.
  void stop(const std::string& node, std::uint16_t port, network::Transports over);
  /// Serves, in the place of what was there. Throws Error.
  void serve(const std::string& node, const network::ServerPlan& plan);
  /// Of a live host: a server of ours for what goes to `target`, at that address alone (unspecified: at all
  /// of the node), while what is returned lives; several share one. A server of ours that is in the way, at
  /// another address, is waited for. Null: no node of ours holds the address, or a service of the node's own
  /// has the port. Throws Error.
  class Loan;
  using Lent = std::shared_ptr<const Loan>;
  boost::asio::awaitable<Lent> lend(Target target, Service service);
  /// Of nodes that went away, also where others have their names now.
  void let_go();

  /// The node whose server got the nonce; empty when none did.
  std::string delivered_to(traffic::Nonce nonce) const;
  /// The source that it saw; absent when none did.
  std::optional<IpAddress> delivered_from(traffic::Nonce nonce) const;

 private:
  /// Whose server got it, and from whom; empty when none did.
  struct Taken {
    std::string node;
    std::optional<IpAddress> client;
  };
  Taken taken(traffic::Nonce nonce) const;
  /// Null with `in_use`: the port is taken, by whomever.
  Lent try_to_lend(const Target& target, const Service& service, bool& in_use);
  bool has_lent(const std::string& node, const Service& service) const;
  void start(const std::string& node, const network::ServerPlan& plan);

  boost::asio::any_io_executor executor_;
  const network::LiveNetwork& network_;
  std::map<std::string, std::vector<network::Serving>, std::less<>> servers_;
  std::map<std::string, std::uint64_t, std::less<>> served_;  ///< the namespaces where servers_ are, by inode
  std::set<std::pair<std::string, Service>> planted_;
  std::map<std::tuple<std::string, IpAddress, Service>, std::weak_ptr<const Loan>> lent_;
  std::shared_ptr<boost::asio::steady_timer> returned_;  ///< its waits end whenever a loan does
};

}  // namespace plumbline::engine
