#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "harness/engine/spec/value.hpp"
#include "harness/network/setup/script.hpp"

namespace plumbline::spec {

/// A script or command of the user's, as a spec names it.
struct Program {
  std::string name;       ///< as the spec has it; of a text its first line
  std::string path;       ///< of `run:`, found; empty where `shell` is given
  std::string shell;      ///< text for /bin/sh -eu
  std::string directory;  ///< the spec's, in which a text starts
  std::vector<std::string> arguments;
  std::map<std::string, std::vector<std::string>> env;  ///< by name its values, at least one
  std::chrono::milliseconds timeout{60'000};
};

/// Reads `run:` or `shell:`, `arguments:`, `env:` and `timeout:`. A file is looked for beside the spec
/// `spec_file`, then in `setups_directory`. Throws SpecError at the word that is wrong: no such file, one
/// that cannot be executed.
Program read_program(const Value& value, std::string_view what, const std::string& spec_file,
                     const std::string& setups_directory);

/// "500ms", "60s": from 1ms to 3600s. Throws SpecError.
std::chrono::milliseconds read_time(const Value& value, std::string_view what);

/// The same to run, without its `env`. `mark` is where it is named.
network::Script script_of(const Program& program, const Mark& mark);

}  // namespace plumbline::spec
