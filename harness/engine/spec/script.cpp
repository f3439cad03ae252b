#include "harness/engine/spec/script.hpp"

#include <fmt/format.h>

#include <array>
#include <set>

#include "harness/engine/spec/program.hpp"
#include "harness/engine/spec/words.hpp"

namespace plumbline::spec {
namespace {

using Settings = std::map<std::string, std::string>;

/// Every combination of the values of `env`, and what of each stands in the setup's name.
std::vector<std::pair<Settings, std::string>> combinations(
    const std::map<std::string, std::vector<std::string>>& env) {
  std::vector<std::pair<Settings, std::string>> all{{}};
  for (const auto& [name, values] : env) {
    std::vector<std::pair<Settings, std::string>> longer;
    for (const auto& [settings, suffix] : all) {
      for (const std::string& value : values) {
        Settings more = settings;
        more[name] = value;
        longer.emplace_back(std::move(more), values.size() == 1 ? suffix : suffix + "-" + value);
      }
    }
    all = std::move(longer);
  }
  return all;
}

/// Setups' names become names of folders and tests.
void check_values(const Value& value, const std::map<std::string, std::vector<std::string>>& env) {
  constexpr std::size_t kMost = 64;
  std::size_t count = 1;
  const Value* stated = value.find("env");
  for (const auto& [name, values] : env) {
    if (values.size() == 1) continue;
    for (const Value& item : stated->find(name)->as_list()) item.as_name(name, kLongestName);
    count *= values.size();
    if (count > kMost) stated->fail(fmt::format("'env' makes more than {} setups: list fewer values", kMost));
  }
}

class ContainerReader {
 public:
  ContainerReader(const network::Topology& world) : world_(world) {}

  std::vector<network::ScriptSetup::Container> read(const Value& value) const {
    std::vector<network::ScriptSetup::Container> containers;
    for (const Value::Entry& entry : value.as_mapping("containers")) containers.push_back(read_one(entry));
    return containers;
  }

 private:
  network::ScriptSetup::Container read_one(const Value::Entry& entry) const {
    Value key;
    key.kind = Value::Kind::scalar;
    key.mark = entry.mark;
    key.text = entry.key;
    network::ScriptSetup::Container container;
    container.name = key.as_name("container", kLongestName);
    if (IpAddress::parse(container.name)) {
      key.fail(fmt::format("a container cannot be named like an address: {}", in_quotes(container.name)));
    }
    if (world_.find(container.name) != nullptr) {
      key.fail(fmt::format("the world has a node named {} already", container.name));
    }
    if (entry.value.kind == Value::Kind::null) return container;
    for (const Value& item : entry.value.as_list()) container.addresses.push_back(item.as_address(entry.key));
    return container;
  }

  const network::Topology& world_;
};

/// What a native setup makes, as far as a script could be held to it.
std::vector<network::ScriptSetup::Container> containers_of(const network::Topology& native) {
  std::vector<network::ScriptSetup::Container> containers;
  for (const network::Node& node : native.nodes) {
    if (node.role != network::Role::container) continue;
    network::ScriptSetup::Container& container = containers.emplace_back();
    container.name = node.name;
    for (const network::Interface& interface : node.interfaces) {
      for (const InterfaceAddress& held : interface.addresses) container.addresses.push_back(held.address);
    }
  }
  return containers;
}

}  // namespace

std::vector<Setup> read_scripts(const Value::Entry& entry, const std::string& spec_file,
                                const LoadOptions& options, const network::Topology& world,
                                const network::Topology* native) {
  constexpr std::array<std::string_view, 7> keys{"run",     "shell",      "arguments", "env",
                                                 "timeout", "containers", "resolvers"};
  entry.value.as_mapping("script setup");
  entry.value.allow_keys("script setup", keys);
  const Program program = read_program(entry.value, "script setup", spec_file, options.setups_directory);
  check_values(entry.value, program.env);
  Setup setup;
  setup.kind = entry.key;
  setup.mark = entry.mark;
  network::ScriptSetup& script = setup.script.emplace();
  static_cast<network::Script&>(script) = script_of(program, entry.mark);
  if (const Value* containers = entry.value.find("containers")) {
    script.expected = ContainerReader(world).read(*containers);
  } else if (native != nullptr) {
    script.expected = containers_of(*native);
  }
  if (const Value* resolvers = entry.value.find("resolvers")) {
    for (const Value& item : resolvers->as_list()) script.resolvers.push_back(item.as_address("resolvers"));
  }
  std::vector<Setup> setups;
  std::set<std::string> names;
  for (auto& [settings, suffix] : combinations(program.env)) {
    Setup& each = setups.emplace_back(setup);
    each.name = entry.key + suffix;
    each.script->env = settings;
    if (each.name.size() > kLongestName || !names.insert(each.name).second) {
      entry.value.find("env")->fail(
          fmt::format("'env' makes a setup named {}, which is {}", in_quotes(each.name),
                      each.name.size() > kLongestName ? fmt::format("longer than {} characters", kLongestName)
                                                      : std::string("another's name already")));
    }
  }
  return setups;
}

}  // namespace plumbline::spec
