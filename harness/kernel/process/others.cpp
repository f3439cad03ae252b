#include "harness/kernel/process/others.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>

#include "harness/base/deadline.hpp"
#include "harness/base/error.hpp"
#include "harness/kernel/process/owned.hpp"
#include "harness/kernel/process/table.hpp"

namespace plumbline::kernel {
namespace {

struct Held {
  OtherProcess process;
  Fd pidfd;
};

std::vector<Held> held_beside(const std::vector<OtherProcess>& known) {
  const ProcessTable table = ProcessTable::read();
  std::vector<Held> held;
  for (const Process& each : table.processes) {
    if (each.entry == table.self.entry || each.ended()) continue;
    OtherProcess other{each.pid, each.started, describe(each)};
    if (std::ranges::find(known, other) != known.end()) continue;
    Fd pidfd = open_process(each);
    if (pidfd) held.push_back({std::move(other), std::move(pidfd)});
  }
  return held;
}

std::vector<OtherProcess> processes_of(std::vector<Held> held) {
  std::vector<OtherProcess> processes;
  for (Held& each : held) processes.push_back(std::move(each.process));
  return processes;
}

}  // namespace

std::vector<OtherProcess> other_processes() {
  return processes_of(held_beside({}));
}

std::vector<OtherProcess> processes_beside(const std::vector<OtherProcess>& known,
                                           std::chrono::milliseconds within) {
  const Deadline deadline = Deadline::after(within);
  for (;;) {
    reap_orphans();
    std::vector<Held> held = held_beside(known);
    if (held.empty() || deadline.passed()) return processes_of(std::move(held));
    // Any of them may end, and may have started others meanwhile.
    std::vector<pollfd> waiting;
    for (const Held& each : held) waiting.push_back({each.pidfd.get(), POLLIN, 0});
    const int ready = ::poll(waiting.data(), waiting.size(), deadline.remaining_ms());
    if (ready < 0 && errno != EINTR) throw Error::from_errno(errno, "waiting for processes to end");
  }
}

}  // namespace plumbline::kernel
