#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/proof/journey/journey.hpp"
#include "harness/proof/witness/kernel_path.hpp"
#include "harness/traffic/probe/probe.hpp"

namespace plumbline::proof {

/// A probe that did not do what was promised, and all that was seen and heard of it.
struct Case {
  enum class Promise : std::uint8_t {
    reach,    ///< it was to arrive and to be answered
    deny,     ///< it was to be stopped by `guard`
    egress,   ///< it was to leave `host` by `via` as `as`, and to be answered
    resolve,  ///< `name` was to be answered with `expected`
    silent,   ///< it was not to be seen at `via` of `host`
  };
  Promise promise = Promise::reach;
  std::string from;     ///< the node that sent it
  IpAddress to;         ///< as it was addressed
  std::string to_node;  ///< who answers for that; empty: no node that we know
  traffic::Protocol protocol = traffic::Protocol::ping;
  std::uint16_t port = 0;
  std::size_t payload_bytes = 0;  ///< that it was to carry in one packet; 0: not stated
  std::string host;               ///< the node under test; empty: none
  traffic::ProbeOutcome outcome;
  Journey journey;
  KernelPath kernel;
  std::string delivered_to;  ///< the node whose server got it; empty: none did

  std::string guard;                       ///< deny
  std::string how;                         ///< deny: "any", "reject", "drop"
  std::string via;                         ///< egress, silent: an interface of `host`
  std::optional<IpAddress> as;             ///< egress: the source beyond `via`
  std::string name;                        ///< resolve
  std::vector<IpAddress> expected;         ///< resolve; empty: any
  std::optional<traffic::DnsOutcome> dns;  ///< resolve
  bool dns_over_tcp = false;               ///< resolve
  bool aaaa = false;                       ///< resolve: IPv6 addresses were asked for
  /// resolve: what `from`'s resolv.conf is to name; absent: the spec names the server.
  std::optional<IpAddress> resolver;
  /// resolve: how the same question fared over the other transport, asked afterwards; absent: it was not.
  std::optional<traffic::DnsOutcome> dns_otherwise;
  std::optional<std::size_t> watch;  ///< by which the stage knows the probe

  IpFamily family() const { return to.family(); }
  /// Something was to get through.
  bool wanted_through() const { return promise != Promise::deny && promise != Promise::silent; }
};

}  // namespace plumbline::proof
