#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "harness/base/fd.hpp"
#include "harness/kernel/netns/netns.hpp"

namespace plumbline::kernel {

/// A program to run to its end.
struct Command {
  /// Program and arguments. A program without a slash is looked for in PATH.
  std::vector<std::string> argv;
  std::string directory;                           ///< to start in; empty: ours
  std::map<std::string, std::string> environment;  ///< added to our own
  const Netns* netns = nullptr;                    ///< to run in, must outlive the start; null: our own
  int mounts = -1;  ///< a mount namespace to run in (netns/confined_mounts.hpp); -1: our own
  std::chrono::milliseconds timeout{60'000};
  std::string input;          ///< what it reads from standard input; empty: /dev/null
  bool errors_apart = false;  ///< its standard error is kept apart from its standard output
};

/// How it ended.
struct Ended {
  int status = 0;          ///< its exit status; 128+N for signal N
  bool timed_out = false;  ///< it was killed when its time was up, and all that it had started with it
  /// Standard output and error, in the order written: the last kLongestOutput bytes and, before these, a line
  /// of ours that says how many are left out.
  std::string output;
  std::string
      errors;  ///< of a command with `errors_apart`: its standard error, which `output` is then without
  std::chrono::microseconds duration{0};  ///< from before its start until it was seen to have ended
  /// Open where something that it left running still holds the other end of its output: as long as this is
  /// kept, that is not ended by SIGPIPE when it writes.
  Fd output_end;
  Fd errors_end;  ///< the same of `errors`
};

inline constexpr std::size_t kLongestOutput = std::size_t{64} * 1024;

/// Runs `command` in a session of its own: standard input is /dev/null or holds what it is given, no other
/// descriptor of ours is inherited, signals are as after a login, and it dies with this process. Done when
/// the program itself has ended, whatever of it runs on in the background. When the time is up the program is
/// killed with all its descendants, daemons of other sessions and namespaces included. So it is where the
/// coroutine is destroyed before its end. What has ended among the orphans of earlier programs is reaped as
/// well.
///
/// To be called from one thread, the one that runs the event loop. Throws Error of kind usage, with the
/// remedy, for a program that cannot be started: not found, not executable, without its interpreter.
boost::asio::awaitable<Ended> run(Command command);

/// Whether a process, ourselves excepted, has a thread in that network namespace.
bool is_lived_in(const Netns& netns);

/// Ends (SIGKILL) every process, ourselves excepted, of which a thread lives in one of those network
/// namespaces, as they are when it is called and as they come meanwhile. Returns when none is left. Those
/// that are children of ours are reaped; those forked into our own session are left to who forked them.
/// Throws Error naming what does not end within a few seconds.
void end_processes_in(std::span<const Netns* const> namespaces);

/// Ends in the same way whatever programs that were started by `run` have left running, wherever it lives:
/// every descendant of ours in another session than ours.
void end_left_behind();

}  // namespace plumbline::kernel
