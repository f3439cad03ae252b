#include "harness/testing/kept.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <stdexcept>

#include "harness/base/error.hpp"

namespace plumbline::testing {
namespace {

class Kept : public ::testing::Test {
 protected:
  Kept() {
    std::string pattern = (std::filesystem::temp_directory_path() / "plumbline-kept-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder_ = pattern;
  }
  ~Kept() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
  const Told told_{engine::Verdict::inconclusive, 12.5, "INCONCLUSIVE  a\n\n  b\n", "out/a.pcapng"};
};

TEST_F(Kept, ComesBackOnceAsItWas) {
  keep(folder_, "1 2", "diy.native/a -> b", told_);
  const auto told = take(folder_, "1 2", "diy.native/a -> b");
  ASSERT_TRUE(told);
  EXPECT_EQ(told->verdict, engine::Verdict::inconclusive);
  EXPECT_EQ(told->duration_ms, 12.5);
  EXPECT_EQ(told->message, told_.message);
  EXPECT_EQ(told->trace, "out/a.pcapng");
  EXPECT_FALSE(take(folder_, "1 2", "diy.native/a -> b")) << "a test that is repeated is run again";
}

TEST_F(Kept, IsForTheSameParentAndTestOnly) {
  keep(folder_, "1 2", "a", told_);
  EXPECT_FALSE(take(folder_, "1 3", "a"));
  EXPECT_FALSE(take(folder_, "", "a"));
  EXPECT_FALSE(take(folder_, "1 2", "b"));
  EXPECT_FALSE(take("/nowhere", "1 2", "a"));
  EXPECT_TRUE(take(folder_, "1 2", "a"));
}

TEST_F(Kept, HoldsNothingOfAnEarlierRun) {
  keep(folder_, "1 2", "a", told_);
  make_folder_for_results(folder_);
  EXPECT_FALSE(take(folder_, "1 2", "a"));
  make_folder_for_results(folder_ + "/new/one");
  EXPECT_THROW(make_folder_for_results("/proc/nowhere"), Error);
  EXPECT_THROW(keep("/proc/nowhere", "1 2", "a", told_), Error);
}

TEST_F(Kept, TheKeeperIsTheParentWithItsStart) {
  EXPECT_EQ(keeper(), keeper());
  EXPECT_NE(keeper().find(' '), std::string::npos) << keeper();
}

}  // namespace
}  // namespace plumbline::testing
