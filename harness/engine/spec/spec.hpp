#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/engine/spec/value.hpp"
#include "harness/network/discovery/locate.hpp"
#include "harness/network/setup/native.hpp"
#include "harness/network/setup/runtime.hpp"
#include "harness/network/setup/script.hpp"
#include "harness/network/topology/model.hpp"

namespace plumbline::spec {

/// One item of `checks:`, its keys not yet read: the kind itself does that.
struct CheckItem {
  std::string kind;  ///< "reach"; of a change "delete-link"
  Mark mark;
  Value arguments;
  bool change = false;  ///< stands under `then:`
  bool fault = false;   ///< a change that no promise knows of: checks go by the network as it was before
};

struct Setup {
  std::string kind = "native";
  std::string name = "native";  ///< tells the setups of one scenario apart: "native", "script-iptables-nft"
  Mark mark;
  network::NativeSetup native;
  std::optional<network::ScriptSetup> script;            ///< of kind script
  std::shared_ptr<const network::RuntimeSetup> runtime;  ///< of a kind that is neither
};

/// Mutants that no check can notice, and why (plumbline selftest --mutate).
struct Equivalent {
  std::string mutant;  ///< glob over a mutant's id or its line
  std::string reason;
  Mark mark;
};

/// A node of a live host, as `nodes:` names it.
struct NamedNode {
  std::string name;
  network::Locator locator;
  Mark mark;
};

/// A spec as written, everything but the checks' own arguments validated.
struct Spec {
  std::string file;
  std::string setups_directory;  ///< where scripts are looked for after the spec's own folder
  std::string name;
  std::string about;
  std::string world_file;  ///< empty: none named
  network::Topology world;
  std::optional<Setup> setup;
  /// What the setup adds: of a native one all that is built (network::expand), of a script what it must leave
  /// behind.
  network::Topology addition;
  std::vector<CheckItem> checks;
  std::vector<Equivalent> equivalent;
  /// Of a spec for a live host, beside that host itself. Absent: it names none, and may have world and setup.
  std::optional<std::vector<NamedNode>> nodes;

  /// A spec that names world and setup can be run.
  bool is_scenario() const { return !world_file.empty() && setup.has_value(); }
  /// World and setup together, as intended: what nodes and addresses checks may name.
  network::Topology intended() const;
};

struct LoadOptions {
  std::string worlds_directory;                ///< where `world: diy` finds diy.yaml
  std::vector<std::string_view> check_kinds;   ///< the names allowed under `checks:`
  std::vector<std::string_view> change_kinds;  ///< and under `then:` there
  std::string setups_directory;                ///< and `run:` its scripts, after the spec's own folder
};

/// A file of checks, once with each setup that it names; without a setup, one Spec that has none.
/// Throws SpecError: file:line:column, what was expected, the nearest right word. Nothing is built.
std::vector<Spec> load_specs(const std::string& path, const LoadOptions& options);
/// The one Spec of a file with no more than one setup. Throws SpecError.
Spec load_spec(const std::string& path, const LoadOptions& options);

/// The same of a document that was read, or put together, already; `file` is what relative paths in it start
/// from. Throws SpecError.
std::vector<Spec> read_specs(const Value& document, const std::string& file, const LoadOptions& options);

/// The changes of a list such as stands under `then:`. Throws SpecError.
std::vector<CheckItem> read_changes(const Value& value, const LoadOptions& options);

/// fixtures/worlds/*.yaml. Throws SpecError.
network::Topology load_world(const std::string& path);

/// `world` and `addition` merged by node name: what the builder would have made of both.
network::Topology merge(const network::Topology& world, const network::Topology& addition);

/// The kinds' own fragments: {kind, schema text}.
using KindSchemas = std::vector<std::pair<std::string, std::string>>;
/// JSON Schema (draft 2020-12) of the spec.
std::string json_schema(const KindSchemas& checks, const KindSchemas& changes);

}  // namespace plumbline::spec
