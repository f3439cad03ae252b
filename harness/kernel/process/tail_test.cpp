#include "harness/kernel/process/tail.hpp"

#include <gtest/gtest.h>

namespace plumbline::kernel {
namespace {

TEST(ProcessTail, KeepsAllThatFits) {
  Tail tail(4);
  EXPECT_EQ(tail.text(), "");
  tail.append("ab");
  tail.append("c\n");
  EXPECT_EQ(tail.text(), "abc\n");
}

TEST(ProcessTail, CutsAtALineAndSaysSo) {
  Tail tail(8);
  tail.append("first\nsecond\nthird\n");
  EXPECT_EQ(tail.text(), "(13 bytes before this are left out)\nthird\n");
}

TEST(ProcessTail, CutsALineThatIsTooLong) {
  Tail tail(4);
  for (int i = 0; i < 1000; ++i) tail.append("abcdefghij");
  EXPECT_EQ(tail.text(), "(9996 bytes before this are left out)\nghij");
  tail.append("\n");
  EXPECT_EQ(tail.text(), "(9997 bytes before this are left out)\nhij\n");
}

}  // namespace
}  // namespace plumbline::kernel
