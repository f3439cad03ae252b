#include "harness/kernel/drops/names.hpp"

#include <gtest/gtest.h>

namespace plumbline::kernel::drops {
namespace {

TEST(DropNames, ReasonsAreTheKernelsOwnWords) {
  EXPECT_EQ(reason_text(12, "SKB_DROP_REASON_NETFILTER_DROP"), "NETFILTER_DROP");
  EXPECT_EQ(reason_text(0, "SKB_NOT_DROPPED_YET"), "SKB_NOT_DROPPED_YET");
}

TEST(DropNames, ReasonsWithoutANameAreNumbers) {
  EXPECT_EQ(reason_text(0x20007, "131079"), "subsystem 2 reason 7");
  EXPECT_EQ(reason_text(250, "250"), "reason 250");
  EXPECT_EQ(reason_text(250, ""), "reason 250");
}

TEST(DropNames, FunctionsLoseTheirModuleAndOffset) {
  EXPECT_EQ(function_text("nft_do_chain"), "nft_do_chain");
  EXPECT_EQ(function_text("nft_do_chain [nf_tables]"), "nft_do_chain");
  EXPECT_EQ(function_text("0xffffffff81e42660"), "");
  EXPECT_EQ(function_text(""), "");
}

}  // namespace
}  // namespace plumbline::kernel::drops
