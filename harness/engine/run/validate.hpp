#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/engine/run/runner.hpp"
#include "harness/network/discovery/locate.hpp"

namespace plumbline::engine {

/// How a live host is validated, beside RunOptions: of these `trace_rules` adds a table to each node, and
/// `arranged` is of no use.
struct LiveOptions {
  network::EngineSockets sockets = network::default_sockets();
  unsigned probes_per_second = 50;
  /// Called before rules are traced, with the nodes in which a table is about to be added.
  std::function<void(const std::vector<std::string>&)> before_tracing;
};

/// What `validate` does without a change to the host: throws spec::SpecError for a spec that makes some.
void require_unchanging(const spec::Spec& spec);

/// Checks the promises of `spec` on this live host, in this process and its namespaces: finds the nodes,
/// reads them back, probes and captures, judges. Nothing of the host is changed, and no file is written but
/// traces. Throws Error of kind usage for nodes that are not there, spec::SpecError for checks that cannot be
/// meant on this host, of kind environment where this user may not look. SIGINT, SIGTERM and SIGHUP end it
/// early, with `interrupted` set.
RunResult validate(spec::Spec spec, const RunOptions& options, const LiveOptions& live,
                   const std::vector<Reporter*>& reporters);

}  // namespace plumbline::engine
