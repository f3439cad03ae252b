#include "harness/cli/selection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/base/error.hpp"
#include "harness/cli/command.hpp"
#include "harness/engine/run/data.hpp"
#include "harness/engine/run/trace.hpp"

namespace plumbline::cli {
namespace {

std::vector<spec::Spec> load_scenario(const std::string& file, const spec::LoadOptions& options) {
  std::vector<spec::Spec> specs = spec::load_specs(file, options);
  for (const spec::Spec& spec : specs) {
    if (!spec.is_scenario()) {
      throw Error(fmt::format("{}: it names no {}, so it cannot be run", file,
                              spec.setup                ? "`world:`"
                              : spec.world_file.empty() ? "`world:` and no `setup:`"
                                                        : "`setup:`"),
                  ErrorKind::usage)
          .with_remedy("a scenario says both; see scenarios/diy.yaml");
    }
    static_cast<void>(engine::list_checks({spec}, {}));  // reads the checks' arguments
  }
  return specs;
}

/// Two scenarios of one name and setup could not be told apart, and their traces would overwrite each other.
void require_distinct_names(const std::vector<spec::Spec>& specs) {
  std::map<std::string, const spec::Spec*> folders;
  for (const spec::Spec& spec : specs) {
    const auto [other, first] = folders.emplace(engine::trace_folder(engine::describe(spec)), &spec);
    if (first) continue;
    throw Error(fmt::format("two scenarios are named '{}' and have the setup {}: {} and {}", spec.name,
                            engine::setup_name(spec), other->second->file, spec.file),
                ErrorKind::usage)
        .with_remedy("rename one, or run them one after the other");
  }
}

/// "script" stands for all that scripts make: "script-nft" is one of them.
bool has_setup(const spec::Spec& spec, const std::string& setup) {
  return engine::setup_name(spec) == setup || spec.setup->kind == setup;
}

/// Length of the longest text that stands in both.
std::size_t common_length(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::size_t longest = 0;
  for (const char c : a) {
    for (std::size_t j = b.size(); j > 0; --j) {
      row[j] = b[j - 1] == c ? row[j - 1] + 1 : 0;
      longest = std::max(longest, row[j]);
    }
  }
  return longest;
}

/// The ids that share most with `pattern`, at most three.
std::vector<std::string> nearest_ids(const std::vector<std::string>& ids, std::string_view pattern) {
  constexpr std::size_t kLeast = 3;
  constexpr std::size_t kMost = 3;
  constexpr std::size_t kLongestPattern = 200;  // bounds the work; no id is that long
  const std::string wanted = lower(pattern.substr(0, kLongestPattern));
  std::vector<std::pair<std::size_t, std::string>> ranked;
  for (const std::string& id : ids) {
    const std::size_t common = common_length(wanted, lower(id));
    if (common >= kLeast) ranked.emplace_back(common, id);
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::string> nearest;
  for (std::size_t i = 0; i < std::min(ranked.size(), kMost); ++i) nearest.push_back(ranked[i].second);
  return nearest;
}

}  // namespace

std::vector<spec::Spec> load_scenarios(const std::vector<std::string>& files) {
  const spec::LoadOptions options = engine::shipped_load_options();
  std::vector<spec::Spec> specs;
  std::size_t wrong = 0;
  for (const std::string& file : files) {
    try {
      for (spec::Spec& spec : load_scenario(file, options)) specs.push_back(std::move(spec));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::usage) throw;
      print_error(error);
      ++wrong;
    }
  }
  if (wrong > 0) {
    throw Error(fmt::format("{} of {} spec{} cannot be run; nothing was built", wrong, files.size(),
                            files.size() == 1 ? "" : "s"),
                ErrorKind::usage);
  }
  require_distinct_names(specs);
  return specs;
}

void select_setup(std::vector<spec::Spec>& specs, const std::string& setup) {
  if (setup.empty()) return;
  std::set<std::string> there;
  for (const spec::Spec& spec : specs) there.insert(engine::setup_name(spec));
  std::erase_if(specs, [&setup](const spec::Spec& spec) { return !has_setup(spec, setup); });
  if (!specs.empty()) return;
  throw Error(fmt::format("--setup {}: no scenario has this setup", setup), ErrorKind::usage)
      .with_remedy(fmt::format("the setups here are: {}", fmt::join(there, ", ")));
}

std::size_t count_left_out(const std::vector<spec::Spec>& specs, const engine::RunOptions& options) {
  if (options.pattern.empty()) return 0;
  engine::RunOptions all = options;
  all.pattern.clear();
  return engine::list_checks(specs, all).size() - engine::list_checks(specs, options).size();
}

void require_checks(const std::vector<spec::Spec>& specs, const engine::RunOptions& options) {
  if (!engine::list_checks(specs, options).empty()) return;
  std::vector<std::string> ids;
  for (const auto& [scenario, id] : engine::list_checks(specs, {})) ids.push_back(scenario + "/" + id);
  if (ids.empty()) throw Error("these scenarios hold no checks", ErrorKind::usage);
  const std::string list = "`plumbline list scenarios -v` lists all ids";
  const std::vector<std::string> near = nearest_ids(ids, options.pattern);
  throw Error(fmt::format("-k '{}' selects none of {} check{}", options.pattern, ids.size(),
                          ids.size() == 1 ? "" : "s"),
              ErrorKind::usage)
      .with_remedy(near.empty() ? list
                                : fmt::format("the nearest are:\n{}\n{}", fmt::join(near, "\n"), list));
}

}  // namespace plumbline::cli
