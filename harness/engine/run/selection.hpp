#pragma once

#include <cstddef>
#include <vector>

#include "harness/engine/check/check.hpp"
#include "harness/engine/run/runner.hpp"

/// Private to this folder.
namespace plumbline::engine {

/// What of a spec is run under given options.
struct Selection {
  Plan plan;  ///< the checks that run, and the changes between them
  /// By check: whether it was asked for. Others run only for their traffic.
  std::vector<bool> wanted;

  std::size_t count() const;  ///< of those asked for
};

/// Throws spec::SpecError.
Selection select_checks(const spec::Spec& spec, const RunOptions& options);

}  // namespace plumbline::engine
