#include "harness/testing/specs.hpp"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "harness/engine/run/data.hpp"
#include "harness/engine/run/runner.hpp"

namespace plumbline::testing {
namespace {

/// The scenarios of one file. Throws Error of kind usage.
std::vector<spec::Spec> load(const std::string& file, const spec::LoadOptions& options) {
  std::vector<spec::Spec> specs = spec::load_specs(file, options);
  for (const spec::Spec& spec : specs) {
    if (!spec.is_scenario()) {
      throw Error(fmt::format("{}: it names no world or no setup, so it cannot be run", file),
                  ErrorKind::usage)
          .with_remedy("a scenario names both, as in `world: diy` and `setup: {native: {…}}`");
    }
    static_cast<void>(engine::promises(spec, {}));  // reads the checks' arguments
  }
  return specs;
}

}  // namespace

const std::string& setup_name(const spec::Spec& spec) {
  static const std::string none = "none";
  return spec.setup ? spec.setup->name : none;
}

LoadedSpecs load_specs(const std::vector<std::string>& arguments) {
  const spec::LoadOptions options = engine::shipped_load_options();
  LoadedSpecs loaded;
  std::map<std::string, std::string> files;  // by scenario: two of one name would be one suite
  for (const std::string& file : engine::spec_files(arguments)) {
    try {
      for (spec::Spec& spec : load(file, options)) {
        const auto [other, first] = files.emplace(spec.name, file);
        if (!first && other->second != file) {
          throw Error(
              fmt::format("{}: a scenario named '{}' is in {} already", file, spec.name, other->second),
              ErrorKind::usage)
              .with_remedy("rename one of them");
        }
        loaded.specs.push_back(std::move(spec));
      }
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::usage) throw;
      loaded.errors.push_back(error);
    }
  }
  return loaded;
}

}  // namespace plumbline::testing
