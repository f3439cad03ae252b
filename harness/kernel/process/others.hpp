#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace plumbline::kernel {

/// A process of our pid namespace, ourselves excepted, that has not ended.
struct OtherProcess {
  pid_t pid = 0;
  std::uint64_t started = 0;  ///< clock ticks after boot: with `pid`, whose process it is
  std::string name;           ///< "sleep (pid 17)"

  /// The same process, whatever it calls itself by now.
  bool operator==(const OtherProcess& other) const noexcept {
    return pid == other.pid && started == other.started;
  }
};

/// All there are. Throws Error where /proc cannot be read.
std::vector<OtherProcess> other_processes();

/// Those that are none of `known`, once `within` has passed: what is about to end is waited for. Returns
/// early when none is left. Throws Error.
std::vector<OtherProcess> processes_beside(const std::vector<OtherProcess>& known,
                                           std::chrono::milliseconds within);

}  // namespace plumbline::kernel
