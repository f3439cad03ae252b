#pragma once

#include "harness/base/error.hpp"

/// GoogleTest cases that need namespaces of their own.
namespace plumbline::kernel {

/// What ctest takes as "skipped" (SKIP_RETURN_CODE).
inline constexpr int kSkipped = 77;

/// What a main() returns: starts the program again as pid 1 of a sandbox, and runs all tests there. Tests are
/// listed, and help is given, without one. Where the machine refuses a sandbox, that and its remedy go to
/// standard error, and the status is kSkipped; with CI=true in the environment it is EXIT_FAILURE, since a CI
/// job that skips its tests proves nothing.
int run_tests_in_sandbox(int argc, char** argv);

/// The last part of that: tells `error`, and returns the status.
int sandbox_refused(const Error& error);

}  // namespace plumbline::kernel
