#pragma once

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <string>

#include "harness/kernel/netns/netns.hpp"

/// For tests: namespaces such as a live host has.
namespace plumbline::network::testing {

/// A name in the sandbox's own /run/netns.
class Named {
 public:
  explicit Named(const std::string& name) : netns_(kernel::Netns::create()), path_("/run/netns/" + name) {
    netns_.bind(path_);
  }
  Named(const Named&) = delete;
  Named& operator=(const Named&) = delete;
  ~Named() { kernel::Netns::unbind(path_); }
  const kernel::Netns& netns() const { return netns_; }
  const std::string& path() const { return path_; }

 private:
  kernel::Netns netns_;
  std::string path_;
};

/// A process in a network namespace of its own, until this ends.
class Apart {
 public:
  Apart() {
    std::array<int, 2> ready{};
    if (::pipe(ready.data()) != 0) throw std::runtime_error("pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
      const bool apart = ::unshare(CLONE_NEWNET) == 0;
      if (::write(ready[1], "r", apart ? 1 : 0) != 1) ::_exit(1);
      for (;;) ::pause();
    }
    ::close(ready[1]);
    char byte = 0;
    if (::read(ready[0], &byte, 1) != 1) throw std::runtime_error("the process did not start");
    ::close(ready[0]);
  }
  Apart(const Apart&) = delete;
  Apart& operator=(const Apart&) = delete;
  ~Apart() { end(); }

  void end() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  pid_t pid() const { return pid_; }
  kernel::Netns netns() const { return kernel::Netns::open("/proc/" + std::to_string(pid_) + "/ns/net"); }

 private:
  pid_t pid_ = 0;
};

}  // namespace plumbline::network::testing
