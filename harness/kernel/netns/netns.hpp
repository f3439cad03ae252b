#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "harness/base/fd.hpp"

namespace plumbline::kernel {

/// A network namespace, held by a descriptor: it lives as long as the descriptor, a process in it, or a
/// socket made in it does, and the kernel ends it by itself afterwards, SIGKILL included.
class Netns {
 public:
  /// A new namespace with a loopback that is down. The calling thread stays in its own.
  /// Throws Error (kind environment when the kernel refuses for lack of privilege).
  static Netns create();
  /// The calling thread's own.
  static Netns current();
  /// By path: /run/netns/NAME, /proc/PID/ns/net. Throws Error.
  static Netns open(const std::string& path);

  int fd() const noexcept { return fd_.get(); }
  /// Inode number of the nsfs file: equal exactly for the same namespace.
  std::uint64_t inode() const;

  /// While it lives, the calling thread is inside. Must not be held across a co_await: the thread is shared
  /// by all coroutines. Coming back cannot fail: a thread lost in a foreign namespace ends the process.
  class Entered {
   public:
    explicit Entered(const Netns& target);
    Entered(const Entered&) = delete;
    Entered& operator=(const Entered&) = delete;
    ~Entered();

   private:
    Fd home_;
  };
  [[nodiscard]] Entered enter() const { return Entered(*this); }

  /// Runs `action` inside and returns what it returns.
  template <class Action>
  auto run(Action&& action) const -> std::invoke_result_t<Action> {
    const Entered inside(*this);
    return std::forward<Action>(action)();
  }

  /// Gives it a name under `path` (a bind mount, as `ip netns add` makes it); `unbind` takes it away.
  void bind(const std::string& path) const;
  static void unbind(const std::string& path);

 private:
  explicit Netns(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace plumbline::kernel
