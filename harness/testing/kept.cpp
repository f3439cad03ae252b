#include "harness/testing/kept.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <sstream>
#include <system_error>

#include "harness/base/error.hpp"

namespace plumbline::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::array kVerdicts{engine::Verdict::pass, engine::Verdict::fail, engine::Verdict::inconclusive,
                               engine::Verdict::skip, engine::Verdict::error};

/// Names hold what names of files cannot, and may be too long. Two of one hash would be told apart by the
/// name that stands in the file: the second is then run by itself.
fs::path path_of(const std::string& folder, const std::string& name) {
  return fs::path(folder) / fmt::format("{:016x}.result", std::hash<std::string>{}(name));
}

}  // namespace

std::string keeper() {
  const pid_t parent = ::getppid();
  std::ifstream file(fmt::format("/proc/{}/stat", parent));
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const auto name_end = text.rfind(')');  // the program's name may hold anything (proc(5))
  if (name_end == std::string::npos) return {};
  std::istringstream fields(text.substr(name_end + 1));
  std::string field;
  constexpr int kStartTime = 20;  // the 22nd of all
  for (int i = 0; i < kStartTime; ++i) fields >> field;
  return fields ? fmt::format("{} {}", parent, field) : std::string();
}

void make_folder_for_results(const std::string& folder) {
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (problem) throw Error::from_errno(problem.value(), "making the folder " + folder);
  for (const auto& entry : fs::directory_iterator(folder, problem)) {
    if (entry.path().extension() == ".result") fs::remove(entry.path(), problem);
  }
  if (problem) throw Error::from_errno(problem.value(), "emptying the folder " + folder);
  if (::access(folder.c_str(), W_OK) != 0) throw Error::from_errno(errno, "writing to the folder " + folder);
}

void keep(const std::string& folder, const std::string& keeper, const std::string& name, const Told& told) {
  const fs::path path = path_of(folder, name);
  std::ofstream file(path, std::ios::binary);
  file << keeper << '\n'
       << name << '\n'
       << engine::to_text(told.verdict) << '\n'
       << fmt::format("{}\n", told.duration_ms) << told.trace << '\n'
       << told.message;
  file.close();
  if (!file) throw Error(fmt::format("{}: the result could not be written", path.string()));
}

std::optional<Told> take(const std::string& folder, const std::string& keeper, const std::string& name) {
  const fs::path path = path_of(folder, name);
  std::ifstream file(path, std::ios::binary);
  std::string owner, whose, verdict, duration;
  Told told;
  std::getline(file, owner);
  std::getline(file, whose);
  std::getline(file, verdict);
  std::getline(file, duration);
  std::getline(file, told.trace);
  if (!file || keeper.empty() || owner != keeper || whose != name) return std::nullopt;
  told.message.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  const auto* known =
      std::ranges::find_if(kVerdicts, [&](engine::Verdict each) { return verdict == engine::to_text(each); });
  if (known == kVerdicts.end()) return std::nullopt;
  told.verdict = *known;
  told.duration_ms = std::strtod(duration.c_str(), nullptr);
  // Whoever removes it, has it.
  if (std::remove(path.c_str()) != 0) return std::nullopt;
  return told;
}

}  // namespace plumbline::testing
