#include "harness/testing/fixture.hpp"

#include <fmt/format.h>

#include "harness/base/error.hpp"

namespace plumbline::testing {
namespace {

/// A constructor cannot, since the macro returns. The test is not run then.
void skip(const char* reason) {
  GTEST_SKIP() << reason;
}

/// GoogleTest shows what() of whatever a constructor throws, and no more.
std::unique_ptr<Network> build(spec::Spec arrangement, const NetworkOptions& options) {
  try {
    return std::make_unique<Network>(std::move(arrangement), options);
  } catch (const Unavailable& missing) {
    skip(missing.what());
    return nullptr;
  } catch (const Error& error) {
    if (error.remedy().empty()) throw;
    throw Error(fmt::format("{}\n  remedy: {}", error.what(), error.remedy()), error.kind(),
                error.error_number());
  }
}

}  // namespace

NetworkTest::NetworkTest(spec::Spec arrangement, const NetworkOptions& options)
    : own_(build(std::move(arrangement), options)), network_(own_.get()) {}

}  // namespace plumbline::testing
