#include "harness/engine/spec/spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <system_error>

#include "harness/engine/spec/cni.hpp"
#include "harness/engine/spec/engine_setup.hpp"
#include "harness/engine/spec/native.hpp"
#include "harness/engine/spec/nodes.hpp"
#include "harness/engine/spec/script.hpp"
#include "harness/engine/spec/words.hpp"

namespace plumbline::spec {
namespace {

constexpr std::array<std::string_view, 8> kKeys{"version", "name",  "about",  "world",
                                                "setup",   "nodes", "checks", "equivalent"};
constexpr std::array<std::string_view, 5> kSetupKinds{"native", "script", "cni", "docker", "podman"};

/// The worlds that `world: NAME` can name.
std::vector<std::string> worlds_in(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code problem;
  std::filesystem::directory_iterator entry(directory, problem);
  for (; !problem && entry != std::filesystem::directory_iterator(); entry.increment(problem)) {
    if (entry->path().extension() == ".yaml") names.push_back(entry->path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool is_path(const std::string& world) {
  return world.find('/') != std::string::npos || world.ends_with(".yaml") || world.ends_with(".yml");
}

std::string find_world(const Value& value, const std::string& spec_file, const LoadOptions& options) {
  const std::string& text = value.as_text("world");
  if (is_path(text)) {
    const std::string path =
        (std::filesystem::path(spec_file).parent_path() / text).lexically_normal().string();
    std::error_code problem;
    if (!std::filesystem::exists(path, problem)) {
      value.fail(fmt::format("there is no world file {} (a path is relative to the spec's folder)",
                             in_quotes(path)));
    }
    return path;
  }
  value.as_name("world", kLongestName);
  const std::vector<std::string> names = worlds_in(options.worlds_directory);
  if (std::find(names.begin(), names.end(), text) == names.end()) {
    const std::vector<std::string_view> words(names.begin(), names.end());
    fail_unknown(value, "world", words, "worlds");
  }
  return (std::filesystem::path(options.worlds_directory) / (text + ".yaml")).string();
}

/// The one key of a mapping that stands for a kind: `- reach: {…}`, `setup: {native: {…}}`.
const Value::Entry& only_entry(const Value& value, std::string_view what, std::string_view example) {
  if (value.kind != Value::Kind::mapping || value.entries.empty()) {
    value.fail(fmt::format("{} must be one key with its arguments, as in `{}`", what, example));
  }
  if (value.entries.size() > 1) {
    throw SpecError(value.entries[1].mark,
                    fmt::format("{} has one key, and {} is a second: check the indentation, as in `{}`", what,
                                in_quotes(value.entries[1].key), example));
  }
  return value.entries.front();
}

[[noreturn]] void fail_kind(const Value::Entry& entry, std::string_view thing,
                            std::span<const std::string_view> kinds, std::string_view label) {
  throw SpecError(entry.mark, fmt::format("unknown {} {}{}", thing, in_quotes(entry.key),
                                          advice(entry.key, kinds, label)));
}

/// What a native setup adds to the world. Throws SpecError.
network::Topology expanded(const Setup& setup, const network::Topology& world) {
  try {
    return network::expand(setup.native, world);
  } catch (const SpecError&) {
    throw;
  } catch (const Error& error) {
    throw SpecError(setup.mark, error.what());
  }
}

/// What a script says that it leaves behind. Throws SpecError.
network::Topology expected_of(const Setup& setup, const network::Topology& world) {
  try {
    return network::expected_of(*setup.script, world);
  } catch (const Error& error) {
    throw SpecError(setup.mark, error.what());
  }
}

/// What a runtime will leave behind. Throws SpecError.
network::Topology expected_of_runtime(const Setup& setup, const network::Topology& world) {
  try {
    return setup.runtime->expected(world);
  } catch (const Error& error) {
    throw SpecError(setup.mark, error.what());
  }
}

/// A setup and what it adds to the world.
using Arranged = std::pair<Setup, network::Topology>;

std::vector<Arranged> read_setups(const Value& value, const Spec& spec, const LoadOptions& options) {
  if (value.kind != Value::Kind::mapping || value.entries.empty()) {
    value.fail("'setup' must be a mapping of one kind of setup or several, as in `setup: {native: {…}}`");
  }
  // A script beside it makes the same network, so it is held to what this one makes.
  std::optional<Arranged> native;
  for (const Value::Entry& entry : value.entries) {
    if (entry.key != "native") continue;
    Setup setup;
    setup.mark = entry.mark;
    setup.native = read_native(entry.value, spec.world);
    network::Topology addition = expanded(setup, spec.world);
    native.emplace(std::move(setup), std::move(addition));
  }
  std::vector<Arranged> setups;
  for (const Value::Entry& entry : value.entries) {
    if (entry.key == "native") {
      setups.push_back(*native);
    } else if (entry.key == "script") {
      const network::Topology* beside = native ? &native->second : nullptr;
      for (Setup& setup : read_scripts(entry, spec.file, options, spec.world, beside)) {
        const bool own = beside == nullptr || entry.value.find("containers") != nullptr;
        network::Topology expected = own ? expected_of(setup, spec.world) : *beside;
        setups.emplace_back(std::move(setup), std::move(expected));
      }
    } else if (entry.key == "cni") {
      Setup setup = read_cni(entry, spec.file, options, spec.world);
      network::Topology expected = expected_of_runtime(setup, spec.world);
      setups.emplace_back(std::move(setup), std::move(expected));
    } else if (entry.key == "docker" || entry.key == "podman") {
      for (Setup& setup : read_engines(entry, spec.world)) {
        network::Topology expected = expected_of_runtime(setup, spec.world);
        setups.emplace_back(std::move(setup), std::move(expected));
      }
    } else {
      fail_kind(entry, "setup", kSetupKinds, "setups");
    }
  }
  return setups;
}

void require_kind(const Value::Entry& entry, std::string_view thing,
                  const std::vector<std::string_view>& kinds, std::string_view label) {
  if (std::find(kinds.begin(), kinds.end(), entry.key) == kinds.end()) fail_kind(entry, thing, kinds, label);
}

std::vector<CheckItem> read_checks(const Value& checks, const LoadOptions& options) {
  if (checks.kind != Value::Kind::sequence || checks.items.empty()) {
    checks.fail("'checks' must be a list of at least one check, as in `- reach: {from: host, to: internet}`");
  }
  std::vector<CheckItem> items;
  for (const Value& item : checks.items) {
    const Value::Entry& entry = only_entry(item, "a check", "- reach: {from: host, to: internet}");
    if (entry.key == "then") {
      for (CheckItem& change : read_changes(entry.value, options)) items.push_back(std::move(change));
    } else if (entry.key == "run") {
      items.push_back({entry.key, entry.mark, entry.value, true});
    } else {
      require_kind(entry, "check", options.check_kinds, "checks");
      items.push_back({entry.key, entry.mark, entry.value});
    }
  }
  return items;
}

std::vector<Equivalent> read_equivalent(const Value& value) {
  constexpr std::array<std::string_view, 2> keys{"mutant", "reason"};
  std::vector<Equivalent> all;
  for (const Value& item : value.as_list()) {
    item.as_mapping("an equivalent mutant");
    item.allow_keys("an equivalent mutant", keys);
    Equivalent& each = all.emplace_back();
    each.mark = item.mark;
    for (const auto& [key, into] : {std::pair("mutant", &each.mutant), std::pair("reason", &each.reason)}) {
      const Value& text = item.require(key, "an equivalent mutant");
      *into = text.as_text(key);
      if (into->empty())
        text.fail(fmt::format("'{}' is empty: say {}", key, key == keys[0] ? "which" : "why"));
    }
  }
  return all;
}

}  // namespace

std::vector<CheckItem> read_changes(const Value& value, const LoadOptions& options) {
  constexpr std::string_view example = "then: {delete-link: {dev: veth1}}";
  if (value.as_list().empty())
    value.fail(fmt::format("'then' changes nothing; say what, as in `{}`", example));
  std::vector<CheckItem> items;
  for (const Value& each : value.as_list()) {
    const Value::Entry& entry = only_entry(each, "a change", example);
    require_kind(entry, "change", options.change_kinds, "changes");
    items.push_back({entry.key, entry.mark, entry.value, true});
  }
  return items;
}

std::vector<Spec> read_specs(const Value& document, const std::string& path, const LoadOptions& options) {
  document.as_mapping("a spec");
  document.allow_keys("a spec", kKeys);
  document.require("version", "a spec").as_number("version", 1, 1);
  Spec spec;
  spec.file = path;
  spec.setups_directory = options.setups_directory;
  spec.name = document.require("name", "a spec").as_name("name", kLongestName);
  if (const Value* about = document.find("about")) spec.about = about->as_text("about");
  const Value* nodes = document.find("nodes");
  for (const char* arranged : {"world", "setup"}) {
    const Value* other = nodes == nullptr ? nullptr : document.find(arranged);
    if (other != nullptr) {
      other->fail(
          fmt::format("'nodes' are a live host's, which has no '{}': leave out one of the two", arranged));
    }
  }
  if (nodes != nullptr) spec.nodes = read_named_nodes(*nodes);
  if (const Value* world = document.find("world")) {
    spec.world_file = find_world(*world, spec.file, options);
    spec.world = load_world(spec.world_file);
  }
  const Value* setup = document.find("setup");
  if (setup != nullptr && spec.world_file.empty()) {
    setup->fail("a setup needs a 'world' to stand in, as in `world: diy`");
  }
  std::vector<Arranged> setups;
  if (setup != nullptr) setups = read_setups(*setup, spec, options);
  spec.checks = read_checks(document.require("checks", "a spec"), options);
  if (const Value* equivalent = document.find("equivalent")) spec.equivalent = read_equivalent(*equivalent);
  if (setups.empty()) return {std::move(spec)};
  std::vector<Spec> specs;
  for (auto& [each, addition] : setups) {
    Spec& with = specs.emplace_back(spec);
    with.setup = std::move(each);
    with.addition = std::move(addition);
  }
  return specs;
}

std::vector<Spec> load_specs(const std::string& path, const LoadOptions& options) {
  return read_specs(load_yaml(path), path, options);
}

Spec load_spec(const std::string& path, const LoadOptions& options) {
  std::vector<Spec> specs = load_specs(path, options);
  if (specs.size() > 1) throw SpecError(specs[1].setup->mark, "only one setup can be used here");
  return std::move(specs.front());
}

}  // namespace plumbline::spec
