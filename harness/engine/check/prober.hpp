#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <random>
#include <string>

#include "harness/engine/check/evidence.hpp"
#include "harness/engine/check/kernel_reports.hpp"
#include "harness/engine/check/listeners.hpp"
#include "harness/engine/check/relay.hpp"
#include "harness/engine/check/stage.hpp"
#include "harness/engine/check/taps.hpp"
#include "harness/traffic/probe/probe.hpp"

namespace plumbline::engine {

/// Sends a stage's probes, and gathers what was seen and heard of each.
class Prober {
 public:
  /// All that is given must outlive this, and whatever is under way.
  Prober(const network::LiveNetwork& network, Listeners& listeners, Taps& taps, KernelReports& reports,
         const StageOptions& options)
      : network_(network), listeners_(listeners), taps_(taps), reports_(reports), options_(options) {}

  /// `echoes`: of the target the probe's own bytes are expected back. `relays`, which may be null, looks
  /// while a connection stands.
  boost::asio::awaitable<Evidence> exchange(std::string from, Target to, Service with, Until until,
                                            bool echoes, RelaySearch* relays);
  /// A UDP probe to a DNS server: a question whose name is the nonce. Any response to it is the server's
  /// answer.
  boost::asio::awaitable<Evidence> question(std::string from, Target to, Service with, Until until);
  /// Asks a name's address.
  boost::asio::awaitable<DnsEvidence> resolve(std::string from, Target server, std::string name, bool tcp,
                                              IpFamily family);

 private:
  boost::asio::awaitable<proof::Journey> ask(const traffic::DnsRequest& request, const std::string& from,
                                             traffic::DnsOutcome& outcome, proof::KernelPath& kernel,
                                             const std::function<void(proof::WatchId)>& sent);
  std::string half_open_at(const Service& with, const Evidence& evidence) const;
  std::string mix_case(std::string name);

  const network::LiveNetwork& network_;
  Listeners& listeners_;
  Taps& taps_;
  KernelReports& reports_;
  const StageOptions& options_;
  std::mt19937 random_{std::random_device{}()};
};

}  // namespace plumbline::engine
