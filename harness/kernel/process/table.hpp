#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "harness/base/fd.hpp"

namespace plumbline::kernel {

/// Private to this folder: a process as /proc shows it. Where a new /proc was refused to the sandbox, the
/// mounted one counts by an outer pid namespace: `entry` and `parent` are its numbers, `pid` is ours.
struct Process {
  pid_t entry = 0;
  pid_t pid = 0;
  pid_t parent = 0;
  char state = '?';           ///< proc(5): Z is a zombie
  std::uint64_t started = 0;  ///< clock ticks after boot: with `entry`, whose process it is

  bool ended() const noexcept { return state == 'Z' || state == 'X'; }
};

/// The processes of our pid namespace and of those inside it, and ourselves among them.
struct ProcessTable {
  std::vector<Process> processes;
  Process self;

  /// Throws Error where /proc cannot be read.
  static ProcessTable read();
  /// All descendants of the process `entry`, itself not included.
  std::vector<Process> descendants_of(pid_t entry) const;
};

/// A pidfd of exactly that process; empty when it is gone, whoever has its number now.
Fd open_process(const Process& process);

/// Its name, and its number as we count: "sleep (pid 17)".
std::string describe(const Process& process);

/// Inodes of the network namespaces that its threads live in.
std::vector<std::uint64_t> networks_of(const Process& process);

}  // namespace plumbline::kernel
