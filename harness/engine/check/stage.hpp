#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/engine/check/evidence.hpp"
#include "harness/engine/check/frame_watch.hpp"
#include "harness/engine/check/kernel_reports.hpp"
#include "harness/network/topology/live_network.hpp"
#include "harness/network/topology/model.hpp"
#include "harness/proof/diagnosis/case.hpp"

namespace plumbline::engine {

class Listeners;

/// How a stage is set.
struct StageOptions {
  std::chrono::milliseconds timeout{1000};  ///< of one probe
  std::size_t checks = 0;                   ///< under way at once at most; 0: not known, so it may be many
  std::size_t tap_buffer_bytes = 0;    ///< of each tap; 0: by `checks` and the node's number of interfaces
  std::size_t tap_snap_length = 2048;  ///< bytes of a frame kept
  bool trace_rules = true;  ///< the kernels of the host and of containers report which rules probes meet
  bool drops = true;        ///< all kernels report which probes they drop, and why
  std::vector<std::string> traced;     ///< nodes whose kernels report the rules in any case
  std::size_t trace_buffer_bytes = 0;  ///< of each of their sockets; 0: as large as a burst needs
  /// The nodes are a live host's, of which nothing may change. A server is a socket at the address that a
  /// probe goes to, for as long as that is under way, and only where the port is free; a service of the
  /// node's own is asked for no more than it gives to anybody. Rules are traced, where that is asked for, by
  /// one table with an owner alone.
  bool live = false;
  unsigned probes_per_second = 0;  ///< at most; 0: as they come
  std::string docker_socket;       ///< of a live host, where causes may look for dockerd; empty: not known
  /// As the network should be: an address that a node has lost is still the one that it is to be reached at.
  network::Topology intended;
};

/// A network under observation: its servers run, its taps are open, probes can be sent. What checks work
/// with.
class Stage {
 public:
  /// Starts the servers that `topology` (as read back) declares and those that `needs` ask for, and opens a
  /// tap in every node. Throws Error.
  Stage(boost::asio::any_io_executor executor, const network::LiveNetwork& network,
        network::Topology topology, const std::vector<Need>& needs, const StageOptions& options);
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  ~Stage();

  /// As it was read back, last after the latest change.
  const network::Topology& topology() const noexcept;
  /// The nodes are a live host's: see StageOptions.
  bool is_live() const noexcept;
  const std::string& docker_socket() const noexcept;
  /// As it should be.
  const network::Topology& intended() const noexcept;
  /// For questions to a node's kernel: by netlink from inside, or through network::discover_peer.
  const network::LiveNetwork& network() const noexcept;
  /// Reads one node back as it is at this moment, peers left out. Throws Error.
  network::Node look_at(std::string_view node) const;

  /// Starts the listeners that `needs` ask for and that are not there yet. Throws Error.
  void plant(const std::vector<Need>& needs);
  /// What the network should be from now on.
  void intend(network::Topology intended);
  /// The network has changed and was read back as `topology`: nodes that are new get their tap and servers,
  /// and what went away is let go of. A node whose name means another namespace now is both. Throws Error.
  void update(network::Topology topology, const std::vector<Need>& needs);
  /// For changes: the servers that run here.
  Listeners& listeners() noexcept;
  /// Opens taps of their own, to be called before the first probe: they watch until the stage ends. Throws
  /// Error.
  void watch(const std::vector<FrameWatch>& watches);
  /// What one of them has seen until now. Throws Error for one that was not asked for.
  WatchRecord watched(const FrameWatch& watch);

  /// The address at which `from` would name `to` (a node, or an address): of a node the one of `family` on a
  /// network that both share, else the one that it is known by. Throws Error when the node has none.
  Target target(std::string_view from, const std::string& to, IpFamily family) const;

  /// A neighbour that `node`, as its kernel says, asks for in vain and that this probe may have been meant
  /// for; empty when there is none. Each one of the probe's family may be: a mark or a translated destination
  /// leads where no route to its target does. One of the other family must be the next hop (an IPv4 route via
  /// an IPv6 router). What is just being asked for is looked at again a little later. Throws Error.
  boost::asio::awaitable<std::string> unresolved_neighbour(std::string node, const Evidence& evidence);

  /// How the nodes' conntracks know the probe's flow, in the order of its way. To be asked where the answer
  /// is told, for it costs some questions to kernels. See proof::TranslationWitness.
  std::vector<proof::Translation> translations(const proof::Journey& journey);

  /// Sends one probe and gathers its evidence. `until` says when it ends that is not answered.
  boost::asio::awaitable<Evidence> exchange(std::string from, Target to, Service with,
                                            Until until = Until::time_out);
  /// The same to what leads to `there` of the node `at`: who is to answer is there, and not at `to`.
  boost::asio::awaitable<Evidence> exchange_through(std::string from, Target to, Service with, std::string at,
                                                    Service there);
  /// Adds to the evidence of a probe that ended early what has been seen of it since.
  void look_again(Evidence& evidence);
  /// Sends a probe that got lost once more, now that no other is under way, and adds the counters that rose
  /// on its way meanwhile: where nothing else tells why, they may.
  boost::asio::awaitable<void> count_again(proof::Case& question);
  /// Of a name that was not resolved: asks the same over the other of UDP and TCP, where the server was
  /// reached. Else does nothing.
  boost::asio::awaitable<void> ask_otherwise(proof::Case& question);
  /// Of a probe that its target took in silence: waits on for an answer, three times the time-out at most,
  /// and adds it to the journey. Else does nothing.
  boost::asio::awaitable<void> await_late_answer(proof::Case& question);
  /// Asks one DNS question and gathers its evidence. The name's letters are mixed in case by the stage.
  /// `family`: of the addresses asked for, A or AAAA.
  boost::asio::awaitable<DnsEvidence> resolve(std::string from, Target server, std::string name, bool tcp,
                                              IpFamily family = IpFamily::v4);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace plumbline::engine
