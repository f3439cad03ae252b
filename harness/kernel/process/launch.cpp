#include "harness/kernel/process/launch.hpp"

// Boost 1.81's launcher uses these three without naming them.
#include <boost/asio/detail/throw_error.hpp>
#include <boost/optional.hpp>
#include <boost/type_traits/decay.hpp>
// Then the launcher itself.
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/process/v2/posix/default_launcher.hpp>
#include <boost/process/v2/process.hpp>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/kernel/process/program.hpp"

namespace plumbline::kernel {
namespace {

namespace process = boost::process::v2;

// Boost hands the parent nothing but errno. Above this it is that of a step before execve.
constexpr int kBeforeExec = 1 << 16;

/// What is done in the child between fork and execve: system calls only. Boost calls it by these names.
struct ChildSide {
  int netns;                     // -1: stays
  int mounts;                    // -1: stays
  int directory;                 // -1: stays
  const char* directory_inside;  // looked for in `mounts`; null: none
  StandardStreams streams;
  pid_t parent;

  bool arrange() const {
    if (::setsid() < 0) return false;
    // Parent's death is a thread's death: the event loop's, which runs as long as the program.
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return false;
    if (::getppid() != parent) ::_exit(128 + SIGKILL);
    // Its orphans stay its own while it lives: so a time-out finds them all, whatever session they made.
    if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return false;
    if (netns >= 0 && ::setns(netns, CLONE_NEWNET) != 0) return false;
    if (mounts >= 0 && ::setns(mounts, CLONE_NEWNS) != 0) return false;
    // What was opened outside would lead outside.
    if (directory_inside != nullptr && ::chdir(directory_inside) != 0) return false;
    if (directory >= 0 && ::fchdir(directory) != 0) return false;
    const int input = streams.input >= 0 ? streams.input : ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (input < 0 || ::dup2(input, 0) < 0 || ::dup2(streams.output, 1) < 0 || ::dup2(streams.errors, 2) < 0) {
      return false;
    }
    // Boost closes all but a list of descriptors, and some of those between: they go at execve.
    if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return false;
    return standard_signals();
  }

  static bool standard_signals() {
    // What is ignored stays so across execve: SIGPIPE here. Of the numbers that the C library keeps for
    // itself, and of SIGKILL and SIGSTOP, it is refused.
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; ++number) ::sigaction(number, &standard, nullptr);
    sigset_t none;
    sigemptyset(&none);
    return ::sigprocmask(SIG_SETMASK, &none, nullptr) == 0;
  }

  boost::system::error_code on_exec_setup(process::posix::default_launcher&, const std::filesystem::path&,
                                          const char* const*) const {
    if (arrange()) return {};
    errno |= kBeforeExec;
    return {errno, boost::system::system_category()};
  }

  // Boost would leave by exit(3), which writes out the parent's unwritten output once more. Which of two
  // signatures it looks for and which it calls differ.
  template <class... Anything>
  void on_exec_error(const Anything&...) const {
    ::_exit(127);
  }
};

Fd open_directory(const std::string& path) {
  if (path.empty()) return {};
  Fd directory(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) {
    throw Error::from_errno(errno, "starting a program in the folder " + path).with_kind(ErrorKind::usage);
  }
  return directory;
}

/// The child, where one was made, is gone: reaped.
[[noreturn]] void fail(const std::string& path, pid_t child, int error_number) {
  if (child > 0) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  if (child > 0 && error_number < kBeforeExec) throw start_refused(path, error_number);
  throw Error::from_errno(error_number & ~kBeforeExec, "preparing a process for " + path);
}

}  // namespace

pid_t launch(const Command& command, const StandardStreams& streams) {
  const std::string path = program_path(command);
  const std::vector<std::string> arguments(command.argv.begin() + 1, command.argv.end());
  const std::vector<std::string> environment = environment_of(command);
  std::vector<const char*> variables;
  for (const std::string& each : environment) variables.push_back(each.c_str());
  variables.push_back(nullptr);
  const bool inside = command.mounts >= 0 && !command.directory.empty();
  const Fd directory = inside ? Fd() : open_directory(command.directory);
  const ChildSide child_side{
      command.netns == nullptr ? -1 : command.netns->fd(), command.mounts, directory ? directory.get() : -1,
      inside ? command.directory.c_str() : nullptr,        streams,        ::getpid()};
  process::posix::default_launcher launcher;
  launcher.env = variables.data();
  // A context of its own: the child's copy of the real one would register every tap anew.
  boost::asio::io_context unused;
  const boost::asio::any_io_executor executor = unused.get_executor();
  boost::system::error_code error;
  try {
    auto started = launcher(executor, error, std::filesystem::path(path), arguments, child_side);
    if (!error) return started.detach().id();
  } catch (const boost::system::system_error& problem) {
    error = problem.code();
  }
  fail(path, launcher.pid, error.value());
}

}  // namespace plumbline::kernel
