// main() of every *_netns_test: the tests run as pid 1 of a sandbox of their own.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "harness/base/error.hpp"
#include "harness/kernel/netns/sandbox.hpp"

namespace {

constexpr int kSkipped = 77;  ///< what ctest takes as "skipped" (SKIP_RETURN_CODE)

int refused(const plumbline::Error& error) {
  const bool skip = error.kind() == plumbline::ErrorKind::environment;
  fmt::print(stderr, "{}: {}\n", skip ? "skipped, no sandbox here" : "error", error.what());
  if (!error.remedy().empty()) fmt::print(stderr, "remedy: {}\n", error.remedy());
  const char* ci = std::getenv("CI");
  const bool must_run = ci != nullptr && std::string_view(ci) == "true";
  return skip && !must_run ? kSkipped : EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
  using plumbline::kernel::in_sandbox;
  bool list_only = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    list_only = list_only || argument == "--gtest_list_tests" || argument == "--help";
  }
  if (!list_only && !in_sandbox()) {
    try {
      return plumbline::kernel::reexec_in_sandbox(argc, argv);
    } catch (const plumbline::Error& error) {
      return refused(error);
    }
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
