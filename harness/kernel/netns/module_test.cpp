#include "harness/kernel/netns/module.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace plumbline::kernel {
namespace {

class KernelModule : public ::testing::Test {
 protected:
  KernelModule() {
    std::string name = (std::filesystem::temp_directory_path() / "plumbline-modules-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder_ = name;
    where_ = {folder_ + "/modules", folder_ + "/modules.builtin"};
  }
  ~KernelModule() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
  ModuleLists where_;
};

TEST_F(KernelModule, LoadedOrBuiltInIsThere) {
  std::ofstream(where_.loaded) << "nf_tables 356352 0 - Live 0x0000000000000000\n";
  std::ofstream(where_.built_in) << "kernel/net/netfilter/nf_conntrack_netlink.ko\n";
  EXPECT_TRUE(has_module("nf_tables", where_));
  EXPECT_TRUE(has_module("nf_conntrack_netlink", where_));
  EXPECT_FALSE(has_module("nf_conntrack", where_)) << "neither the start nor the end of a name is it";
  EXPECT_FALSE(has_module("netlink", where_));
}

TEST_F(KernelModule, AKernelWithoutModulesHasAllThatItEverWill) {
  EXPECT_TRUE(has_module("nf_tables", where_));
}

}  // namespace
}  // namespace plumbline::kernel
