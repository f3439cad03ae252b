#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "harness/engine/run/runner.hpp"
#include "harness/engine/spec/spec.hpp"

/// For tests: scenarios/diy.yaml with its first setup, native, and its world, broken on purpose and run.
namespace plumbline::engine::testing {

inline std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class Scenario {
 public:
  Scenario()
      : spec_(read_file(std::string(PLUMBLINE_SOURCE_DIR) + "/scenarios/diy.yaml")),
        world_(read_file(std::string(PLUMBLINE_SOURCE_DIR) + "/fixtures/worlds/diy.yaml")) {
    std::string pattern = (std::filesystem::temp_directory_path() / "plumbline-scenario-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    directory_ = pattern;
  }
  Scenario(const Scenario&) = delete;
  Scenario& operator=(const Scenario&) = delete;
  ~Scenario() { std::filesystem::remove_all(directory_); }

  /// Replaces `from`, which must be there: a break that breaks nothing would be a test that cannot fail.
  Scenario& edit(const std::string& from, const std::string& to) { return replace(spec_, from, to); }
  Scenario& edit_world(const std::string& from, const std::string& to) { return replace(world_, from, to); }
  /// Replaces everything after `checks:`.
  Scenario& checks(const std::string& lines) {
    spec_.resize(spec_.find("checks:"));
    spec_ += "checks:\n" + lines + "\n";
    return *this;
  }

  const std::string& directory() const { return directory_; }

  spec::Spec load() const {
    std::ofstream(directory_ + "/diy.yaml") << world_;
    const std::string path = directory_ + "/scenario.yaml";
    std::ofstream(path) << spec_;
    spec::LoadOptions options = load_options(std::string(PLUMBLINE_SOURCE_DIR) + "/fixtures");
    options.worlds_directory = directory_;
    return spec::load_specs(path, options).front();
  }

  /// The results by id. The scenario itself must have run.
  std::map<std::string, CheckResult> run(RunOptions options = {}) const {
    const RunResult result = engine::run({load()}, options, {});
    std::map<std::string, CheckResult> by_id;
    if (result.scenarios.empty()) {
      ADD_FAILURE() << "nothing was run";
      return by_id;
    }
    if (result.scenarios.front().error) ADD_FAILURE() << result.scenarios.front().error->message;
    for (const CheckResult& check : result.scenarios.front().checks) by_id[check.id] = check;
    return by_id;
  }

 private:
  Scenario& replace(std::string& text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    if (at == std::string::npos) throw std::runtime_error("nothing to edit: " + from);
    text.replace(at, from.size(), to);
    return *this;
  }

  std::string spec_, world_, directory_;
};

/// "fail: deny …: observed", for those that did not pass.
inline std::set<std::string> with_verdict(const std::map<std::string, CheckResult>& results,
                                          Verdict verdict) {
  std::set<std::string> ids;
  for (const auto& [id, check] : results) {
    if (check.verdict == verdict) ids.insert(id);
  }
  return ids;
}

}  // namespace plumbline::engine::testing
