#include "harness/engine/spec/program.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "harness/engine/spec/words.hpp"

namespace plumbline::spec {
namespace {

namespace fs = std::filesystem;

std::string find_program(const Value& value, const std::string& spec_file,
                         const std::string& setups_directory) {
  const std::string& text = value.as_text("run");
  if (text.empty() || text.find('\0') != std::string::npos) value.fail("'run' must name a script");
  std::vector<std::string> tried;
  for (const fs::path& folder : {fs::path(spec_file).parent_path(), fs::path(setups_directory)}) {
    const std::string path = (folder / text).lexically_normal().string();
    std::error_code problem;
    if (fs::is_regular_file(path, problem)) {
      if (::access(path.c_str(), X_OK) != 0) {
        value.fail(fmt::format("{} is not executable; remedy: chmod +x {}", in_quotes(path), path));
      }
      return fs::absolute(path, problem).string();
    }
    if (fs::is_directory(path, problem))
      value.fail(fmt::format("{} is a folder, not a script", in_quotes(path)));
    tried.push_back(path);
    if (fs::path(text).is_absolute()) break;
  }
  value.fail(fmt::format("there is no script {} (tried {})", in_quotes(text), fmt::join(tried, " and ")));
}

std::map<std::string, std::vector<std::string>> read_env(const Value& value) {
  std::map<std::string, std::vector<std::string>> env;
  for (const Value::Entry& entry : value.as_mapping("env")) {
    const bool good = !entry.key.empty() && std::ranges::all_of(entry.key, [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '_';
    }) && std::isdigit(static_cast<unsigned char>(entry.key.front())) == 0;
    if (!good) {
      throw SpecError(entry.mark, fmt::format("{} cannot name a variable: letters, digits and _ only",
                                              in_quotes(entry.key)));
    }
    if (entry.key.starts_with("PLUMBLINE_")) {
      throw SpecError(entry.mark, "names that begin with PLUMBLINE_ are given by plumbline itself");
    }
    std::vector<std::string>& values = env[entry.key];
    for (const Value& item : entry.value.as_list()) {
      values.push_back(item.as_text(entry.key));
      if (std::ranges::count(values, values.back()) > 1) {
        item.fail(fmt::format("{} stands twice in '{}'", in_quotes(values.back()), entry.key));
      }
    }
    if (values.empty()) entry.value.fail(fmt::format("'{}' is empty: give it a value", entry.key));
  }
  return env;
}

}  // namespace

Program read_program(const Value& value, std::string_view what, const std::string& spec_file,
                     const std::string& setups_directory) {
  Program program;
  program.directory = fs::absolute(spec_file).parent_path().string();
  const Value* run = value.find("run");
  const Value* shell = value.find("shell");
  if ((run == nullptr) == (shell == nullptr)) {
    value.fail(fmt::format("{} needs 'run', the path of a script, or 'shell', the text of one{}", what,
                           run == nullptr ? "" : ": not both"));
  }
  if (run != nullptr) {
    program.path = find_program(*run, spec_file, setups_directory);
    program.name = run->text;
  }
  if (shell != nullptr) {
    program.shell = shell->as_text("shell");
    if (program.shell.empty()) shell->fail("'shell' is empty");
    program.name = program.shell.substr(0, program.shell.find('\n'));
  }
  if (const Value* arguments = value.find("arguments")) {
    for (const Value& item : arguments->as_list()) program.arguments.push_back(item.as_text("arguments"));
  }
  if (const Value* env = value.find("env")) program.env = read_env(*env);
  if (const Value* timeout = value.find("timeout")) program.timeout = read_time(*timeout, "timeout");
  return program;
}

std::chrono::milliseconds read_time(const Value& value, std::string_view what) {
  const std::string& text = value.as_text(what);
  double number = 0;
  const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  const double milliseconds = unit == "ms" ? number : number * 1000;
  const bool known = unit == "s" || unit == "ms";
  if (problem != std::errc{} || !known || !(milliseconds >= 1 && milliseconds <= 3'600'000)) {
    value.fail(
        fmt::format("'{}' must be a time from 1ms to 3600s, such as 30s, not {}", what, in_quotes(text)));
  }
  return std::chrono::milliseconds(static_cast<long long>(milliseconds));
}

network::Script script_of(const Program& program, const Mark& mark) {
  network::Script script;
  script.path = program.path;
  script.shell = program.shell;
  script.arguments = program.arguments;
  script.timeout = program.timeout;
  script.where = mark.to_string();
  script.directory = program.path.empty() ? program.directory : std::string();
  return script;
}

}  // namespace plumbline::spec
