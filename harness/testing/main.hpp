#pragma once

namespace plumbline::testing {

/// What a main() returns whose GoogleTest cases have networks: starts the program again inside disposable
/// namespaces, and runs all tests there. Where the machine refuses them, that and its remedy go to standard
/// error, and the status is 77, which ctest's property SKIP_RETURN_CODE understands; with CI=true in the
/// environment it is 1. Tests are listed without namespaces.
int run_tests(int argc, char** argv);

}  // namespace plumbline::testing

/// A main() that does just that. The library plumbline::testing_main holds the same, ready to be linked.
#define PLUMBLINE_GTEST_MAIN()                        \
  int main(int argc, char** argv) {                   \
    return plumbline::testing::run_tests(argc, argv); \
  }                                                   \
  static_assert(true, "a semicolon follows the macro")
