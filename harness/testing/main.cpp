#include "harness/testing/main.hpp"

#include <csignal>
#include <cstdlib>

#include "harness/kernel/netns/testing/run_tests.hpp"

namespace plumbline::testing {

int run_tests(int argc, char** argv) {
  // Probes write to connections that the other end may have closed.
  if (std::signal(SIGPIPE, SIG_IGN) == SIG_ERR) return EXIT_FAILURE;
  return kernel::run_tests_in_sandbox(argc, argv);
}

}  // namespace plumbline::testing
