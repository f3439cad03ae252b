#pragma once

#include <string>
#include <vector>

#include "harness/engine/mutation/mutate.hpp"
#include "harness/engine/report/reporter.hpp"

namespace plumbline::cli {

/// `plumbline selftest --mutate SPEC`.
struct MutateArguments {
  std::vector<std::string> specs;    ///< files, or folders of *.yaml
  std::vector<std::string> reports;  ///< FORMAT[=FILE]
  std::string setup;                 ///< empty: all of them
  std::string color = "auto";
  engine::Verbosity verbosity = engine::Verbosity::normal;
  /// Its `run`, `pool` and `pattern`; the rest is filled in here.
  engine::mutation::MutationOptions options;
};

/// Returns the exit status. Throws Error.
int mutate(const MutateArguments& arguments);

}  // namespace plumbline::cli
