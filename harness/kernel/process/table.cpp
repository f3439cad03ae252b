#include "harness/kernel/process/table.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>

#include "harness/base/error.hpp"
#include "harness/base/text.hpp"

namespace plumbline::kernel {
namespace {

std::vector<pid_t> numbers_in(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(folder.c_str()), ::closedir);
  std::vector<pid_t> numbers;
  if (!entries) return numbers;
  while (const dirent* entry = ::readdir(entries.get())) {
    const auto is_digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
    const std::string_view name = entry->d_name;
    if (std::all_of(name.begin(), name.end(), is_digit)) numbers.push_back(std::atoi(entry->d_name));
  }
  return numbers;
}

/// What stands behind `field` ("NSpid:") in such a file of lines.
std::string field_of(const std::string& path, std::string_view field) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.compare(0, field.size(), field) == 0) return line.substr(field.size());
  }
  return {};
}

/// Its numbers from the namespace of /proc inwards.
std::vector<pid_t> nested_pids(pid_t entry) {
  std::istringstream text(field_of(fmt::format("/proc/{}/status", entry), "NSpid:"));
  std::vector<pid_t> pids;
  for (pid_t pid = 0; text >> pid;) pids.push_back(pid);
  return pids;
}

/// proc(5), /proc/PID/stat: its second field is a name in parentheses that may hold anything.
std::optional<Process> read_process(pid_t entry) {
  constexpr int kStarted = 22;
  std::ifstream file(fmt::format("/proc/{}/stat", entry));
  std::string line;
  std::getline(file, line, '\0');
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream rest(line.substr(name_end + 1));
  Process process;
  process.entry = process.pid = entry;
  rest >> process.state >> process.parent;
  std::string skipped;
  for (int field = 5; field < kStarted; ++field) rest >> skipped;
  if (!(rest >> process.started)) return std::nullopt;
  // Of a process whose first thread has ended before the others only that one is a zombie.
  if (process.ended() && numbers_in(fmt::format("/proc/{}/task", entry)).size() > 1) process.state = 'S';
  return process;
}

}  // namespace

ProcessTable ProcessTable::read() {
  ProcessTable table;
  const pid_t own = std::atoi(field_of("/proc/self/stat", "").c_str());
  const auto self = own > 0 ? read_process(own) : std::nullopt;
  if (!self) throw Error("reading /proc, to find the processes of a network: it is not there");
  table.self = *self;
  table.self.pid = ::getpid();
  const bool ours = own == table.self.pid;
  const std::size_t depth = ours ? 0 : std::max<std::size_t>(nested_pids(own).size(), 1) - 1;
  for (const pid_t entry : numbers_in("/proc")) {
    auto process = read_process(entry);
    if (!process) continue;
    if (!ours) {
      const std::vector<pid_t> pids = nested_pids(entry);
      if (pids.size() <= depth) continue;  // not inside our pid namespace
      process->pid = pids[depth];
    }
    table.processes.push_back(*process);
  }
  return table;
}

std::vector<Process> ProcessTable::descendants_of(pid_t entry) const {
  std::vector<Process> found;
  std::set<pid_t> family{entry};
  for (bool grown = true; grown;) {
    grown = false;
    for (const Process& each : processes) {
      if (!family.contains(each.parent) || !family.insert(each.entry).second) continue;
      found.push_back(each);
      grown = true;
    }
  }
  return found;
}

Fd open_process(const Process& process) {
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
  if (!pidfd) {
    if (errno != ESRCH && errno != EINVAL) throw Error::from_errno(errno, "opening a process");
    return {};
  }
  // By now the number may be another's: what the descriptor holds is asked for, and is then looked at again.
  const std::string held = field_of(fmt::format("/proc/self/fdinfo/{}", pidfd.get()), "Pid:");
  if (std::atoi(held.c_str()) != process.entry) return {};
  const auto now = read_process(process.entry);
  if (!now || now->started != process.started || now->ended()) return {};
  return pidfd;
}

std::string describe(const Process& process) {
  std::string name;
  std::ifstream file(fmt::format("/proc/{}/comm", process.entry));
  std::getline(file, name);
  return fmt::format("{} (pid {})", name.empty() ? "?" : printable(name), process.pid);
}

std::vector<std::uint64_t> networks_of(const Process& process) {
  std::vector<std::uint64_t> inodes;
  const std::string folder = fmt::format("/proc/{}/task", process.entry);
  for (const pid_t thread : numbers_in(folder)) {
    struct stat status {};
    if (::stat(fmt::format("{}/{}/ns/net", folder, thread).c_str(), &status) == 0) {
      inodes.push_back(status.st_ino);
    }
  }
  return inodes;
}

}  // namespace plumbline::kernel
