#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <functional>
#include <mutex>
#include <set>

#include "harness/base/deadline.hpp"
#include "harness/base/error.hpp"
#include "harness/base/scope_exit.hpp"
#include "harness/kernel/process/owned.hpp"
#include "harness/kernel/process/process.hpp"
#include "harness/kernel/process/table.hpp"

namespace plumbline::kernel {
namespace {

constexpr std::chrono::milliseconds kEndWithin{5000};

std::mutex owned_mutex;
std::set<pid_t> owned;

/// Those of a table that are to end; ourselves and what has ended may be among them.
using Choose = std::function<std::vector<Process>(const ProcessTable&)>;

struct Dying {
  Fd pidfd;
  std::string name;
};

std::vector<Dying> kill_all(const std::vector<Process>& chosen, pid_t self) {
  std::vector<Dying> dying;
  for (const Process& process : chosen) {
    if (process.entry == self || process.ended()) continue;
    std::string name = describe(process);
    Fd pidfd = open_process(process);
    if (!pidfd) continue;
    if (::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0) != 0 && errno != ESRCH) {
      throw Error::from_errno(errno, "ending " + name);
    }
    dying.push_back({std::move(pidfd), std::move(name)});
  }
  return dying;
}

/// What has died meanwhile is reaped on the way: the first process of a pid namespace does not end before all
/// in there are reaped, and whoever joined that namespace from outside (docker exec) may be left to us.
void await_end(std::vector<Dying>& dying, const Deadline& deadline) {
  for (; !dying.empty(); reap_orphans()) {
    std::vector<pollfd> waiting;
    for (const Dying& each : dying) waiting.push_back({each.pidfd.get(), POLLIN, 0});
    const int ready = ::poll(waiting.data(), waiting.size(), deadline.remaining_ms());
    if (ready < 0 && errno != EINTR) throw Error::from_errno(errno, "waiting for processes to end");
    if (ready == 0) throw Error(fmt::format("{} does not end, though killed", dying.front().name));
    std::vector<Dying> rest;
    for (std::size_t i = 0; i < dying.size(); ++i) {
      if (ready < 0 || waiting[i].revents == 0) rest.push_back(std::move(dying[i]));
    }
    dying = std::move(rest);
  }
}

/// Again and again, for what is killed may have started others meanwhile.
void end_chosen(const Choose& choose) {
  const Deadline deadline = Deadline::after(kEndWithin);
  for (;;) {
    const ProcessTable table = ProcessTable::read();
    std::vector<Dying> dying = kill_all(choose(table), table.self.entry);
    if (dying.empty()) return;
    const std::string name = dying.front().name;
    await_end(dying, deadline);
    if (deadline.passed()) throw Error(fmt::format("{} and its like start faster than they end", name));
  }
}

std::set<std::uint64_t> inodes_of(std::span<const Netns* const> namespaces) {
  std::set<std::uint64_t> inodes;
  for (const Netns* netns : namespaces) inodes.insert(netns->inode());
  return inodes;
}

bool in_another_session(const Process& process) {
  return ::getsid(process.pid) != ::getsid(0);
}

}  // namespace

void own(pid_t pid) {
  const std::scoped_lock lock(owned_mutex);
  owned.insert(pid);
}

void disown(pid_t pid) {
  const std::scoped_lock lock(owned_mutex);
  owned.erase(pid);
}

bool is_owned(pid_t pid) {
  const std::scoped_lock lock(owned_mutex);
  return owned.contains(pid);
}

void end_tree(pid_t pid) {
  ::kill(pid, SIGSTOP);
  const ScopeExit end_root([pid] {
    ::kill(-pid, SIGKILL);  // its group, which it leads
    ::kill(pid, SIGKILL);
  });
  end_chosen([pid](const ProcessTable& table) {
    const auto root = std::find_if(table.processes.begin(), table.processes.end(),
                                   [pid](const Process& process) { return process.pid == pid; });
    return root == table.processes.end() ? std::vector<Process>() : table.descendants_of(root->entry);
  });
}

void reap_orphans() {
  const ProcessTable table = ProcessTable::read();
  for (const Process& process : table.processes) {
    if (process.parent != table.self.entry || !process.ended()) continue;
    if (is_owned(process.pid) || !in_another_session(process)) continue;
    ::waitpid(process.pid, nullptr, WNOHANG);
  }
}

bool is_lived_in(const Netns& netns) {
  const std::uint64_t inode = netns.inode();
  const ProcessTable table = ProcessTable::read();
  return std::ranges::any_of(table.processes, [&](const Process& process) {
    if (process.entry == table.self.entry || process.ended()) return false;
    const std::vector<std::uint64_t> networks = networks_of(process);
    return std::ranges::find(networks, inode) != networks.end();
  });
}

void end_processes_in(std::span<const Netns* const> namespaces) {
  const std::set<std::uint64_t> inodes = inodes_of(namespaces);
  end_chosen([&inodes](const ProcessTable& table) {
    std::vector<Process> chosen;
    for (const Process& process : table.processes) {
      const std::vector<std::uint64_t> networks = networks_of(process);
      if (std::any_of(networks.begin(), networks.end(), [&](auto each) { return inodes.contains(each); })) {
        chosen.push_back(process);
      }
    }
    return chosen;
  });
  reap_orphans();
}

void end_left_behind() {
  end_chosen([](const ProcessTable& table) {
    std::vector<Process> chosen = table.descendants_of(table.self.entry);
    std::erase_if(chosen, [](const Process& process) { return !in_another_session(process); });
    return chosen;
  });
  reap_orphans();
}

}  // namespace plumbline::kernel
