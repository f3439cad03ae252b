#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "harness/kernel/netns/netns.hpp"

/// For tests: the tools of this machine, inside a namespace. Children inherit the namespace of the thread.
namespace plumbline::kernel::testing_support {

inline bool has_tool(const std::string& name) {
  for (const char* folder : {"/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/"}) {
    if (::access((folder + name).c_str(), X_OK) == 0) return true;
  }
  return false;
}

/// What `command` (of /bin/sh) writes; the test fails where it does.
inline std::string run_in(const Netns& netns, const std::string& command) {
  return netns.run([&] {
    // The lock file of iptables is not ours to make.
    const std::string with_path =
        "PATH=$PATH:/usr/sbin:/sbin XTABLES_LOCKFILE=/dev/null; export PATH XTABLES_LOCKFILE; ";
    std::FILE* const pipe = ::popen((with_path + command).c_str(), "r");
    std::string text;
    std::array<char, 4096> chunk{};
    while (pipe != nullptr) {
      const std::size_t got = std::fread(chunk.data(), 1, chunk.size(), pipe);
      if (got == 0) break;
      text.append(chunk.data(), got);
    }
    const int status = pipe == nullptr ? -1 : ::pclose(pipe);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << command << ": status " << status;
    return text;
  });
}

}  // namespace plumbline::kernel::testing_support
