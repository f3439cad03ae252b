#include "harness/network/cni/chain.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace plumbline::network::cni {
namespace {

namespace fs = std::filesystem;

/// A folder with plugins that do nothing.
class MissingPlugin : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = "/tmp/plumbline-cni-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    for (const char* name : {"bridge", "firewall", "portmap"}) make(name);
    site_.path = {folder_};
    site_.environment["PATH"] = folder_;
  }
  void TearDown() override { fs::remove_all(folder_); }

  void make(const std::string& name) const {
    std::ofstream(folder_ + "/" + name) << "#!/bin/sh\n";
    fs::permissions(folder_ + "/" + name, fs::perms::owner_all);
  }
  std::optional<std::string> missing(boost::json::object plugin) const {
    Configuration network;
    network.plugins = {std::move(plugin)};
    return missing_plugin(network, site_);
  }

  std::string folder_;
  Site site_;
};

TEST_F(MissingPlugin, NamesTheIptablesThatOneNeeds) {
  EXPECT_EQ(missing({{"type", "portmap"}}),
            "the CNI plugin portmap needs iptables: install the package iptables");
  EXPECT_TRUE(missing({{"type", "firewall"}}));
  EXPECT_TRUE(missing({{"type", "bridge"}, {"ipMasq", true}}));
  make("iptables");
  EXPECT_FALSE(missing({{"type", "portmap"}}));
}

TEST_F(MissingPlugin, AsksForNoIptablesThatNobodyUses) {
  EXPECT_FALSE(missing({{"type", "bridge"}}));
  EXPECT_FALSE(missing({{"type", "bridge"}, {"ipMasq", false}}));
  EXPECT_FALSE(missing({{"type", "firewall"}, {"backend", "firewalld"}}));
}

}  // namespace
}  // namespace plumbline::network::cni
