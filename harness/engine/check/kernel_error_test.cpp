#include "harness/engine/check/kernel_error.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace plumbline::engine {
namespace {

spec::Value scalar(const char* text) {
  spec::Value value;
  value.kind = spec::Value::Kind::scalar;
  value.text = text;
  return value;
}

TEST(KernelError, HasWordsThatAreReadBack) {
  for (const int number : {ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL, EPERM}) {
    EXPECT_EQ(read_kernel_error(scalar(kernel_error_text(number).c_str())), number);
  }
  EXPECT_EQ(read_kernel_error(scalar("Network is unreachable")), ENETUNREACH);
  EXPECT_EQ(read_kernel_error(scalar("No route to host")), EHOSTUNREACH);
  EXPECT_EQ(kernel_error_text(ENETDOWN), "Network is down");
}

TEST(KernelError, AnotherWordIsRefused) {
  EXPECT_THROW(read_kernel_error(scalar("network unreachabel")), spec::SpecError);
  EXPECT_THROW(read_kernel_error(spec::Value{}), spec::SpecError);
}

}  // namespace
}  // namespace plumbline::engine
