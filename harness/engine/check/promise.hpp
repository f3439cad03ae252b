#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/engine/spec/value.hpp"
#include "harness/network/topology/model.hpp"
#include "harness/traffic/probe/probe.hpp"

/// The words that check kinds share: `from`, `to` and `with`, read from a spec with the same errors
/// everywhere.
namespace plumbline::engine {

/// What a check sends: "ping", "tcp/80", "udp/53".
struct Service {
  traffic::Protocol protocol = traffic::Protocol::ping;
  std::uint16_t port = 0;
  std::string to_string() const;
  friend auto operator<=>(const Service&, const Service&) = default;
};

/// A node or address as the spec names it.
struct Party {
  std::string text;
  spec::Mark mark;
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
/// Names under `key`, each a node of `topology` or an IP address.
std::vector<Party> read_targets(const spec::Value& arguments, std::string_view key,
                                const network::Topology& topology);
/// Services under `with`; ping where it is absent.
std::vector<Service> read_services(const spec::Value& arguments);

}  // namespace plumbline::engine
