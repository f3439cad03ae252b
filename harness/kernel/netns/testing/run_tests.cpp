#include "harness/kernel/netns/testing/run_tests.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "harness/kernel/netns/sandbox.hpp"

namespace plumbline::kernel {

int sandbox_refused(const Error& error) {
  const bool skip = error.kind() == ErrorKind::environment;
  fmt::print(stderr, "{}: {}\n", skip ? "skipped, no sandbox here" : "error", error.what());
  if (!error.remedy().empty()) fmt::print(stderr, "remedy: {}\n", error.remedy());
  const char* ci = std::getenv("CI");
  const bool must_run = ci != nullptr && std::string_view(ci) == "true";
  return skip && !must_run ? kSkipped : EXIT_FAILURE;
}

int run_tests_in_sandbox(int argc, char** argv) {
  bool list_only = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    list_only = list_only || argument == "--gtest_list_tests" || argument == "--help";
  }
  if (!list_only && !in_sandbox()) {
    try {
      return reexec_in_sandbox(argc, argv);
    } catch (const Error& error) {
      return sandbox_refused(error);
    }
  }
  ::testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}

}  // namespace plumbline::kernel
