#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "harness/engine/report/format/format.hpp"

/// What the tests of the formats share.
namespace plumbline::engine::testing {

/// All events of `run`, as a runner gives them to the format `name`.
inline std::string rendered(std::string_view name, const RunResult& run, const ConsoleOptions& options = {}) {
  std::ostringstream out;
  const auto reporter = format(name).make(out, options);
  for (const ScenarioResult& scenario : run.scenarios) {
    reporter->scenario_started(scenario, scenario.checks.size());
    // Checks end in any order: the report does not depend on it.
    for (auto check = scenario.checks.rbegin(); check != scenario.checks.rend(); ++check)
      reporter->check_finished(scenario, *check);
    reporter->scenario_finished(scenario);
  }
  reporter->run_finished(run);
  return out.str();
}

/// A folder of its own under the system's temporary one, gone when the test ends.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "plumbline-report-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string write(const std::string& name, const std::string& text) const {
    const std::string path = (path_ / name).string();
    std::ofstream(path) << text;
    return path;
  }
  /// Exit status of a shell's command line; what it says is in said().
  int run(const std::string& command) const {
    const int status =
        std::system(("{ " + command + "; } >" + (path_ / "said").string() + " 2>&1 </dev/null").c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  std::string said() const {
    std::ostringstream text;
    text << std::ifstream(path_ / "said").rdbuf();
    return text.str();
  }

 private:
  std::filesystem::path path_;
};

/// Compares with fixtures/reports/NAME; PLUMBLINE_UPDATE_GOLDEN=1 writes it instead, to be read before it is
/// kept.
inline void expect_golden(const std::string& text, const std::string& name) {
  const std::string path = std::string(PLUMBLINE_SOURCE_DIR) + "/fixtures/reports/" + name;
  if (const char* update = std::getenv("PLUMBLINE_UPDATE_GOLDEN");
      update != nullptr && std::string(update) == "1") {
    std::ofstream(path) << text;
    GTEST_SKIP() << "wrote " << path;
  }
  std::ifstream file(path);
  ASSERT_TRUE(file) << path << " cannot be read";
  std::ostringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(text, golden.str()) << "PLUMBLINE_UPDATE_GOLDEN=1 writes " << path << " anew";
}

/// Skips the test where `program` is missing, but where the environment says that it must be there:
/// `variable` is `value`.
inline void require_program(const Folder& folder, const std::string& program, const std::string& package,
                            const char* variable = "CI", const std::string& value = "true") {
  if (folder.run("command -v " + program) == 0) return;
  const char* said = std::getenv(variable);
  if (said != nullptr && said == value) FAIL() << package << " is not installed";
  GTEST_SKIP() << program << " is missing: package " << package;
}

}  // namespace plumbline::engine::testing
