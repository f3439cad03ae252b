#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/engine/check/result.hpp"
#include "harness/engine/spec/spec.hpp"
#include "harness/engine/spec/value.hpp"
#include "harness/network/topology/model.hpp"
#include "harness/traffic/probe/probe.hpp"

/// The words that check kinds share: `from`, `to` and `with`, read from a spec with the same errors
/// everywhere.
namespace plumbline::engine {

/// What a check sends: "ping", "tcp/80", "udp/53", "ping size 1400".
struct Service {
  traffic::Protocol protocol = traffic::Protocol::ping;
  std::uint16_t port = 0;
  std::size_t payload_bytes = 0;  ///< of ping and udp, in one packet; 0: a few, as it comes
  std::string to_string() const;
  friend auto operator<=>(const Service&, const Service&) = default;
};

/// What `to_string` gives of a service without a size. Absent: it is none.
std::optional<Service> parse_service(std::string_view text);

/// A node or address as the spec names it.
struct Party {
  std::string text;
  spec::Mark mark;
};

/// One probe that a check asks for by `from`, `to`, `with` and `family`.
struct Pairing {
  Party from;
  Party to;
  Service with;
  IpFamily family = IpFamily::v4;
  bool named = true;  ///< the target is a node, not an address that has its family in itself

  /// What ends the id of a check: " ipv6" where only that tells it from its IPv4 twin.
  std::string suffix() const;
  /// What is sent, for sentences: "ping over IPv6"; "ping" where the target's address says it.
  std::string what() const;
};

/// A listener that a check needs at the far end, so that it can be proven either way.
struct Need {
  std::string from;  ///< whose loopback it is where `to` is a loopback address
  std::string to;    ///< node name or address
  Service service;
};

/// Names under `key` (one or a list), each a node of `topology`. The error names the nearest.
std::vector<Party> read_nodes(const spec::Value& arguments, std::string_view key,
                              const network::Topology& topology);
/// One optional node name; `fallback` where the key is absent.
std::string read_node(const spec::Value& arguments, std::string_view key, const network::Topology& topology,
                      const std::string& fallback);
/// One node name; the host where the key is absent. Throws SpecError where there is none.
std::string read_guard(const spec::Value& arguments, std::string_view key, const network::Topology& topology);
/// NODE:INTERFACE, a node of `topology`. Whether it has that interface is not asked: a setup's script may
/// make it.
network::Endpoint read_endpoint(const spec::Value& value, std::string_view key,
                                const network::Topology& topology);
/// Names under `key`, each a node of `topology` or an IP address.
std::vector<Party> read_targets(const spec::Value& arguments, std::string_view key,
                                const network::Topology& topology);
/// Services under `with`; ping where it is absent.
std::vector<Service> read_services(const spec::Value& arguments);

/// What `family` says; empty where it is absent.
std::vector<IpFamily> read_stated_families(const spec::Value& arguments);
/// Of a check between two named nodes: what `family` says, else every family in which both have an address.
/// Of one to an address: its own. Throws SpecError where that leaves none, or where nothing tells.
std::vector<IpFamily> read_families(const spec::Value& arguments, const network::Topology& topology,
                                    const Party& from, const Party& to);
/// Every combination of `from`, `to` and `with`, once for each family.
std::vector<Pairing> read_pairings(const spec::Value& arguments, const network::Topology& topology);
/// Type, from, to, with, family and where of a check's promise.
void describe(CheckResult& promise, const spec::CheckItem& item, const Pairing& pairing);

/// "ipv4", "ipv6".
std::string family_text(IpFamily family);
/// "IPv4", "IPv6".
std::string family_name(IpFamily family);

}  // namespace plumbline::engine
