#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <system_error>

#include "harness/base/error.hpp"
#include "harness/base/text.hpp"
#include "harness/network/discovery/source.hpp"

// Processes that live in a network namespace of their own, whoever made it.
namespace plumbline::network::detail {
namespace {

namespace fs = std::filesystem;

struct Process {
  pid_t pid = 0;
  std::uint64_t started = 0;  ///< clock ticks after boot
};

bool is_number(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, [](unsigned char c) { return std::isdigit(c) != 0; });
}

/// proc(5): field 22 of its stat, behind a name in parentheses that may hold anything. 0: it is gone.
std::uint64_t start_of(pid_t pid) {
  constexpr int kBetween = 19;
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  std::getline(file, line, '\0');
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream rest(line.substr(name_end + 1));
  std::string skipped;
  for (int field = 0; field < kBetween; ++field) rest >> skipped;
  std::uint64_t started = 0;
  rest >> started;
  return started;
}

std::string program_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/comm", pid));
  std::string name;
  std::getline(file, name);
  return name.empty() ? "process" : name;
}

/// A thread of the kernel, which has no program: it lives in no network of its own. A zombie neither.
bool is_no_program(pid_t pid) {
  std::array<char, 1> byte{};
  return ::readlink(fmt::format("/proc/{}/exe", pid).c_str(), byte.data(), byte.size()) < 0 &&
         errno == ENOENT;
}

/// The oldest process of each namespace; `hidden` counts those that may not be looked at.
std::map<std::uint64_t, Process> oldest(std::size_t& hidden) {
  std::map<std::uint64_t, Process> found;
  std::error_code problem;
  fs::directory_iterator entry("/proc", problem);
  for (; !problem && entry != fs::directory_iterator(); entry.increment(problem)) {
    const std::string name = entry->path().filename().string();
    if (!is_number(name)) continue;
    const pid_t pid = std::atoi(name.c_str());
    struct stat status {};
    if (::stat(fmt::format("/proc/{}/ns/net", pid).c_str(), &status) != 0) {
      if (errno == EACCES || errno == EPERM) ++hidden;
      continue;
    }
    if (is_no_program(pid)) continue;
    const Process process{pid, start_of(pid)};
    const auto [known, fresh] = found.emplace(status.st_ino, process);
    if (!fresh && process.started != 0 && process.started < known->second.started) known->second = process;
  }
  return found;
}

/// The process that a sandbox of ours began with, as what runs inside sees it: it holds the namespaces of all
/// nodes together, and is none.
bool is_our_sandbox(pid_t pid) {
  struct stat first {};
  struct stat own {};
  return pid == 1 && ::stat("/proc/1/exe", &first) == 0 && ::stat("/proc/self/exe", &own) == 0 &&
         first.st_dev == own.st_dev && first.st_ino == own.st_ino;
}

}  // namespace

void look_at_processes(Findings& findings) {
  std::size_t hidden = 0;
  const std::uint64_t own = kernel::Netns::current().inode();
  std::size_t count = 0;
  for (const auto& [inode, process] : oldest(hidden)) {
    if (inode == own || is_our_sandbox(process.pid)) continue;
    if (count == kMostNamespaces) {
      findings.notes.push_back({fmt::format("processes: only the first {} namespaces", count), {}});
      break;
    }
    try {
      Sighting seen{Source::process, locate_process(process.pid), {}, false};
      if (seen.where.netns.inode() != inode) continue;  // it has moved meanwhile
      const std::string program = program_of(process.pid);
      seen.node.name = program;
      seen.node.locator = {Locator::Kind::pid, std::to_string(process.pid)};
      seen.node.pid = process.pid;
      seen.node.origins = {fmt::format("process {} ({})", process.pid, printable(program))};
      findings.sightings.push_back(std::move(seen));
      ++count;
    } catch (const Error& error) {
      // One that has ended meanwhile is no loss.
      if (error.kind() != ErrorKind::usage) findings.notes.push_back({error.what(), error.remedy()});
    }
  }
  findings.looked_at.push_back(
      fmt::format("/proc: {} with processes, beside the host's own", counted(count, "network namespace")));
  if (hidden != 0) {
    findings.notes.push_back(
        {fmt::format("{} of other users may not be looked at", counted(hidden, "process")),
         "run it as root"});
  }
}

}  // namespace plumbline::network::detail
