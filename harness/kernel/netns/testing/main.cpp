// main() of every *_netns_test: the tests run as pid 1 of a sandbox of their own.
#include "harness/kernel/netns/testing/run_tests.hpp"

int main(int argc, char** argv) {
  return plumbline::kernel::run_tests_in_sandbox(argc, argv);
}
