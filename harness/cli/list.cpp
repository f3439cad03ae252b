#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <filesystem>
#include <memory>
#include <optional>

#include "checks/kinds.hpp"
#include "harness/cli/command.hpp"
#include "harness/engine/report/json_text.hpp"
#include "harness/engine/report/text.hpp"
#include "harness/engine/run/data.hpp"
#include "harness/engine/run/runner.hpp"
#include "harness/engine/selftest/selftest.hpp"
#include "harness/proof/cause/kinds.hpp"

namespace plumbline::cli {
namespace {

namespace json = boost::json;
using engine::json_text;
using engine::printable;

constexpr std::size_t kColumns = 100;

struct ListArguments {
  std::string what;
  std::string pattern;
  bool as_json = false;
  bool verbose = false;
};

struct Scenario {
  spec::Spec spec;  ///< with the first of its setups
  std::vector<std::string> setups;
  std::vector<std::string> checks;
};

struct World {
  std::string name, file;
  std::vector<std::string> nodes;
};

struct Fault {
  std::string id, file, about;
  std::vector<std::string> setups;
};

struct Listing {
  std::optional<std::vector<Scenario>> scenarios;
  std::optional<std::vector<engine::CheckKind>> kinds;
  std::optional<std::vector<World>> worlds;
  std::optional<std::vector<proof::CauseKind>> causes;
  std::optional<std::vector<Fault>> faults;
};

std::vector<Scenario> scenarios(const std::string& pattern) {
  std::vector<Scenario> found;
  const spec::LoadOptions options = engine::shipped_load_options();
  for (const std::string& file : engine::shipped_scenarios()) {
    std::vector<spec::Spec> specs = spec::load_specs(file, options);
    Scenario scenario;
    for (const spec::Spec& spec : specs) {
      if (spec.setup) scenario.setups.push_back(spec.setup->name);
    }
    scenario.spec = std::move(specs.front());
    if (!matches(pattern, scenario.spec.name + " " + scenario.spec.about)) continue;
    for (const auto& [name, id] : engine::list_checks({scenario.spec}, {})) scenario.checks.push_back(id);
    found.push_back(std::move(scenario));
  }
  return found;
}

std::vector<engine::CheckKind> kinds(const std::string& pattern) {
  std::vector<engine::CheckKind> found;
  for (const engine::CheckKind& kind : checks::check_kinds()) {
    if (matches(pattern, fmt::format("{} {}", kind.name, kind.about))) found.push_back(kind);
  }
  return found;
}

std::vector<proof::CauseKind> causes(const std::string& pattern) {
  std::vector<proof::CauseKind> found;
  for (const proof::CauseKind& kind : proof::cause_kinds()) {
    if (matches(pattern, fmt::format("{} {}", kind.code, kind.summary))) found.push_back(kind);
  }
  return found;
}

std::vector<World> worlds(const std::string& pattern) {
  std::vector<World> found;
  for (const std::string& file : engine::shipped_worlds()) {
    World world{std::filesystem::path(file).stem().string(), file, {}};
    if (!matches(pattern, world.name)) continue;
    for (const network::Node& node : spec::load_world(file).nodes) world.nodes.push_back(node.name);
    found.push_back(std::move(world));
  }
  return found;
}

std::vector<Fault> faults(const std::string& pattern) {
  std::vector<Fault> found;
  for (const engine::selftest::Fault& fault : engine::selftest::load_catalogue({})) {
    if (!matches(pattern, fmt::format("{} {}", fault.id, fault.about))) continue;
    // Those of one file stand together.
    if (found.empty() || found.back().file != fault.file)
      found.push_back({fault.id, fault.file, fault.about, {}});
    found.back().setups.push_back(engine::setup_name(fault.spec));
  }
  return found;
}

json::array texts(const std::vector<std::string>& values) {
  json::array array;
  for (const std::string& value : values) array.push_back(json_text(value));
  return array;
}

std::string as_json(const Listing& listing) {
  json::object object;
  if (listing.scenarios) {
    json::array& array = object["scenarios"].emplace_array();
    for (const auto& [spec, setups, checks] : *listing.scenarios) {
      array.push_back({{"name", json_text(spec.name)},
                       {"file", json_text(spec.file)},
                       {"about", json_text(spec.about)},
                       {"setups", texts(setups)},
                       {"checks", texts(checks)}});
    }
  }
  if (listing.kinds) {
    json::array& array = object["checks"].emplace_array();
    for (const auto& kind : *listing.kinds)
      array.push_back({{"name", json_text(kind.name)}, {"about", json_text(kind.about)}});
  }
  if (listing.worlds) {
    json::array& array = object["worlds"].emplace_array();
    for (const World& world : *listing.worlds) {
      array.push_back(
          {{"name", json_text(world.name)}, {"file", json_text(world.file)}, {"nodes", texts(world.nodes)}});
    }
  }
  if (listing.causes) {
    json::array& array = object["causes"].emplace_array();
    for (const proof::CauseKind& kind : *listing.causes)
      array.push_back({{"code", json_text(kind.code)}, {"summary", json_text(kind.summary)}});
  }
  if (listing.faults) {
    json::array& array = object["faults"].emplace_array();
    for (const Fault& fault : *listing.faults) {
      array.push_back({{"id", json_text(fault.id)},
                       {"file", json_text(fault.file)},
                       {"about", json_text(fault.about)},
                       {"setups", texts(fault.setups)}});
    }
  }
  return engine::pretty(object);
}

std::string entry(std::string_view name, const std::string& about) {
  std::string lines = fmt::format("  {}\n", printable(name));
  for (const std::string& line : engine::wrap(printable(about), kColumns - 6))
    lines += fmt::format("      {}\n", line);
  return lines;
}

std::string as_text(const Listing& listing, bool verbose) {
  std::string lines;
  if (listing.scenarios) {
    lines += "scenarios\n";
    for (const auto& [spec, setups, checks] : *listing.scenarios) {
      lines += entry(
          fmt::format("{}  {}  ({} check{}; setup{} {})", spec.name, spec.file, checks.size(),
                      checks.size() == 1 ? "" : "s", setups.size() == 1 ? "" : "s", fmt::join(setups, ", ")),
          spec.about);
      for (const std::string& id : checks) {
        if (verbose) lines += fmt::format("        {}\n", printable(id));
      }
    }
  }
  if (listing.kinds) {
    lines += "checks\n";
    for (const engine::CheckKind& kind : *listing.kinds) lines += entry(kind.name, std::string(kind.about));
  }
  if (listing.worlds) {
    lines += "worlds\n";
    for (const World& world : *listing.worlds) {
      lines += entry(fmt::format("{}  {}", world.name, world.file),
                     fmt::format("{} nodes: {}", world.nodes.size(), fmt::join(world.nodes, ", ")));
    }
  }
  if (listing.causes) {
    lines += "causes\n";
    for (const proof::CauseKind& kind : *listing.causes) lines += entry(kind.code, std::string(kind.summary));
  }
  if (listing.faults) {
    lines += "faults\n";
    for (const Fault& fault : *listing.faults)
      lines += entry(fmt::format("{}  {}  (setup{} {})", fault.id, fault.file,
                                 fault.setups.size() == 1 ? "" : "s", fmt::join(fault.setups, ", ")),
                     fault.about);
  }
  return lines;
}

int list(const ListArguments& arguments) {
  Listing listing;
  const auto wanted = [&arguments](std::string_view what) {
    return arguments.what.empty() || arguments.what == what;
  };
  if (wanted("scenarios")) listing.scenarios = scenarios(arguments.pattern);
  if (wanted("checks")) listing.kinds = kinds(arguments.pattern);
  if (wanted("worlds")) listing.worlds = worlds(arguments.pattern);
  if (wanted("causes")) listing.causes = causes(arguments.pattern);
  if (wanted("faults")) listing.faults = faults(arguments.pattern);
  print(arguments.as_json ? as_json(listing) : as_text(listing, arguments.verbose));
  return 0;
}

}  // namespace

Action add_list(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "list", "Scenarios, kinds of checks, worlds and faults that ship, and causes that are known");
  const auto arguments = std::make_shared<ListArguments>();
  command
      ->add_option("WHAT", arguments->what,
                   "scenarios, checks, worlds, causes or faults; all of them by default")
      ->check(one_of({"scenarios", "checks", "worlds", "causes", "faults"}));
  command->add_option("-k", arguments->pattern, "Only what holds this text; with a leading ! what does not")
      ->type_name("PATTERN");
  command->add_flag("-v,--verbose", arguments->verbose, "Also the ids of each scenario's checks");
  command->add_flag("--json", arguments->as_json, "As JSON");
  command->footer(
      "Examples:\n"
      "  plumbline list                      all of it\n"
      "  plumbline list scenarios -v         and the ids of their checks, for -k\n"
      "  plumbline list causes -k route\n"
      "\n"
      "Exit status: 0; 2 the command line is wrong, or what ships is not found.\n");
  return [arguments](const Invocation&) { return list(*arguments); };
}

}  // namespace plumbline::cli
