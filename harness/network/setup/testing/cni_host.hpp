#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "harness/base/error.hpp"
#include "harness/network/setup/cni.hpp"
#include "harness/network/topology/live_network.hpp"

/// For tests: a host whose containers hand-made plugins connect.
namespace plumbline::network::testing_support {

namespace fs = std::filesystem;

/// Begins every hand-made plugin: answers VERSION, keeps what it is told, and knows how to say what it did.
inline constexpr const char* kHead = R"(#!/bin/sh -eu
[ "$CNI_COMMAND" != VERSION ] || { echo '{"cniVersion":"1.0.0","supportedVersions":["0.4.0","1.0.0"]}'; exit 0; }
input=$(cat)
echo "$CNI_COMMAND $CNI_CONTAINERID $CNI_NETNS $CNI_IFNAME $CNI_ARGS" >>FOLDER/calls
echo "$input" >>FOLDER/inputs
result() { echo '{"cniVersion":"1.0.0","interfaces":[{"name":"port1"},{"name":"eth0","sandbox":"x"}],"ips":[{"address":"10.5.0.2/24"}]}'; }
add() {
  ip link add port1 type veth peer name eth0 netns "${CNI_NETNS##*/}"
  ip addr add 10.5.0.1/24 dev port1
  ip link set port1 up
  ip -n "${CNI_NETNS##*/}" addr add 10.5.0.2/24 dev eth0
  ip -n "${CNI_NETNS##*/}" link set eth0 up
}
)";

inline Topology plain_world() {
  Topology topology;
  Node& host = topology.nodes.emplace_back();
  host.name = "host";
  host.role = Role::host;
  host.resolvers = {*IpAddress::parse("192.168.16.53")};
  return topology;
}

/// A host, and a folder for plugins; both are gone in the end.
class CniSetupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = "/tmp/plumbline-cni-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    network_.build(world_);
    host_.emplace(network_, world_, "cni");
    plan_.path = {folder_, "/usr/lib/cni"};
    plan_.containers.emplace_back().name = "one";
  }
  void TearDown() override {
    host_.reset();
    fs::remove_all(folder_);
  }

  void plugin(const std::string& name, const std::string& text) {
    std::string whole = kHead + text;
    for (std::size_t at = whole.find("FOLDER"); at != std::string::npos; at = whole.find("FOLDER")) {
      whole.replace(at, 6, folder_);
    }
    std::ofstream(folder_ + "/" + name) << whole;
    ::chmod((folder_ + "/" + name).c_str(), 0755);
  }
  void network(const std::string& plugins, const std::string& version = "1.0.0") {
    plan_.networks = {{"net.conflist",
                       cni::parse_configuration(fmt::format(
                           R"({{"cniVersion": "{}", "name": "net", "plugins": [{}]}})", version, plugins))}};
  }
  /// What plugins wrote to their folder, which is the machine's: it went elsewhere.
  std::string kept(const std::string& name) const {
    std::ifstream file("/run/plumbline-upper/apart_tmp/upper" + folder_.substr(4) + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::optional<std::string> set_up() {
    const CniSetup setup(plan_);
    declared_ = world_;
    for (Node& node : setup.expected(world_).nodes) declared_.nodes.push_back(std::move(node));
    std::optional<std::string> skipped;
    run([&]() -> boost::asio::awaitable<void> { skipped = co_await setup.set_up(*host_, declared_); });
    return skipped;
  }
  void take_down() {
    const CniSetup setup(plan_);
    run([&]() -> boost::asio::awaitable<void> { co_await setup.take_down(*host_); });
  }
  template <class Action>
  Error error_of(const Action& action) {
    try {
      action();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::setup) << error.what();
      return error;
    }
    return Error("(none)");
  }

  LiveNetwork network_;
  Topology world_ = plain_world();
  Topology declared_;
  std::optional<ScriptHost> host_;
  CniPlan plan_;
  std::string folder_;

 private:
  template <class Work>
  void run(const Work& work) {
    boost::asio::io_context loop{1};
    std::exception_ptr problem;
    boost::asio::co_spawn(loop, work(), [&](const std::exception_ptr& error) { problem = error; });
    loop.run();
    if (problem) std::rethrow_exception(problem);
  }
};

}  // namespace plumbline::network::testing_support
