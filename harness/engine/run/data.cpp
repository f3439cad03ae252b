#include "harness/engine/run/data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <system_error>

#include "harness/base/error.hpp"
#include "harness/engine/run/runner.hpp"

namespace plumbline::engine {
namespace {

namespace fs = std::filesystem;

bool holds_data(const fs::path& root) {
  std::error_code ignored;
  return fs::is_directory(root / "scenarios", ignored) &&
         fs::is_directory(root / "fixtures" / "worlds", ignored);
}

/// Below the working folder paths are shorter and the same on every machine.
std::string shown(const fs::path& path) {
  std::error_code failed;
  const fs::path relative = path.lexically_relative(fs::current_path(failed));
  const bool below = !failed && !relative.empty() && *relative.begin() != "..";
  return (below ? relative : path).string();
}

std::vector<std::string> yaml_files(const fs::path& folder) {
  std::vector<std::string> files;
  std::error_code failed;
  const auto options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator entry(folder, options, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    std::error_code ignored;
    if (entry->path().extension() == ".yaml" && entry->is_regular_file(ignored))
      files.push_back(entry->path().string());
  }
  if (failed)
    throw Error(fmt::format("{}: read folder: {}", folder.string(), failed.message()), ErrorKind::usage);
  std::sort(files.begin(), files.end());
  return files;
}

/// None where the folder is not there: a project's own data need not have all of them.
std::vector<std::string> shipped(const fs::path& folder) {
  const fs::path there = fs::path(data_root()) / folder;
  std::error_code ignored;
  if (!fs::is_directory(there, ignored)) return {};
  std::vector<std::string> files = yaml_files(there);
  for (std::string& file : files) file = shown(file);
  return files;
}

/// "; did you mean scenarios/diy.yaml?": lists show the scenarios by their names.
std::string scenario_meant(const std::string& name) {
  try {
    for (const std::string& file : shipped_scenarios()) {
      if (fs::path(file).stem() == name) return fmt::format("; did you mean {}?", file);
    }
  } catch (const Error&) {  // none are found
  }
  return {};
}

void add_argument(const std::string& argument, std::vector<std::string>& files) {
  if (argument == "-") {
    files.emplace_back("/dev/stdin");
    return;
  }
  std::error_code ignored;
  const fs::file_status status = fs::status(argument, ignored);
  if (fs::is_directory(status)) {
    const std::vector<std::string> inside = yaml_files(argument);
    if (inside.empty()) throw Error(argument + ": no *.yaml in this folder", ErrorKind::usage);
    files.insert(files.end(), inside.begin(), inside.end());
    return;
  }
  if (!fs::exists(status)) {
    const std::string meant = scenario_meant(argument);
    if (!meant.empty())
      throw Error(fmt::format("{}: there is no such file{}", argument, meant), ErrorKind::usage);
  }
  files.push_back(argument);  // where it is missing, the loader says so as for any spec
}

}  // namespace

std::string data_root(const std::string& installed) {
  if (const char* named = std::getenv("PLUMBLINE_DATA"); named != nullptr && *named != '\0') {
    if (holds_data(named)) return named;
    throw Error(
        fmt::format("{}: PLUMBLINE_DATA names it, but it holds no scenarios/ and fixtures/worlds/", named),
        ErrorKind::usage);
  }
  if (!installed.empty() && holds_data(installed)) return installed;
  std::error_code failed;
  const fs::path program = fs::read_symlink("/proc/self/exe", failed);
  const fs::path beside = (program.parent_path() / PLUMBLINE_DATA_FROM_BIN).lexically_normal();
  if (!failed && holds_data(beside)) return beside.string();
  if (holds_data(PLUMBLINE_SOURCE_DIR)) return PLUMBLINE_SOURCE_DIR;
  throw Error(fmt::format("the scenarios and worlds that ship are not found: neither {} nor {} holds them",
                          beside.string(), PLUMBLINE_SOURCE_DIR),
              ErrorKind::usage)
      .with_remedy("name the folder that holds scenarios/ and fixtures/worlds/ in PLUMBLINE_DATA");
}

std::vector<std::string> shipped_scenarios() {
  return shipped("scenarios");
}

std::vector<std::string> shipped_worlds() {
  return shipped(fs::path("fixtures") / "worlds");
}

std::vector<std::string> shipped_faults() {
  return shipped(fs::path("fixtures") / "faults");
}

std::vector<std::string> shipped_healthy() {
  return shipped(fs::path("fixtures") / "healthy");
}

std::string shipped_scenario(const std::string& name) {
  const fs::path root = data_root();
  std::vector<std::string> names;
  for (const fs::path& folder : {root / "scenarios", root / "fixtures" / "healthy"}) {
    const bool healthy = folder.filename() == "healthy";
    std::error_code missing;
    if (healthy && !fs::is_directory(folder, missing)) continue;
    for (const std::string& file : yaml_files(folder)) {
      const std::string stem = fs::path(file).lexically_relative(folder).replace_extension().string();
      names.push_back(healthy ? "healthy/" + stem : stem);
      if (names.back() == name) return shown(file);
    }
  }
  const std::vector<std::string_view> words(names.begin(), names.end());
  const std::string_view near = spec::nearest(name, words);
  throw Error(fmt::format("no scenario '{}' ships{}", name,
                          near.empty() ? "" : fmt::format("; did you mean '{}'?", near)),
              ErrorKind::usage);
}

spec::LoadOptions shipped_load_options(const std::string& installed) {
  return load_options((fs::path(data_root(installed)) / "fixtures").string());
}

std::vector<std::string> spec_files(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    std::vector<std::string> files = shipped_scenarios();
    if (files.empty()) throw Error(data_root() + "/scenarios: no scenario is there", ErrorKind::usage);
    return files;
  }
  std::vector<std::string> named;
  for (const std::string& argument : arguments) add_argument(argument, named);
  std::set<std::string> seen;
  std::vector<std::string> files;
  for (std::string& file : named) {
    std::error_code ignored;
    const fs::path canonical = fs::weakly_canonical(file, ignored);
    if (seen.insert(ignored ? file : canonical.string()).second) files.push_back(std::move(file));
  }
  return files;
}

}  // namespace plumbline::engine
