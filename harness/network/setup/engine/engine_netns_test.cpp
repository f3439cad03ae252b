// A real Docker, and a real Podman, in a disposable host: what they make becomes nodes, and nothing of it is
// left.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string>

#include "harness/base/error.hpp"
#include "harness/network/discovery/discover.hpp"
#include "harness/network/setup/engine/engine.hpp"
#include "harness/network/topology/live_network.hpp"

namespace plumbline::network {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// host ens4 192.168.16.10 ─── lan0 192.168.16.1 gateway
Topology world() {
  Topology topology;
  Node& host = topology.nodes.emplace_back();
  host.name = "host";
  host.role = Role::host;
  host.resolvers = {*IpAddress::parse("192.168.16.53")};
  Interface& ens4 = host.interfaces.emplace_back();
  ens4.name = "ens4";
  ens4.peer = Endpoint{"gateway", "lan0"};
  ens4.addresses = {*InterfaceAddress::parse("192.168.16.10/24")};
  Node& gateway = topology.nodes.emplace_back();
  gateway.name = "gateway";
  Interface& lan0 = gateway.interfaces.emplace_back();
  lan0.name = "lan0";
  lan0.peer = Endpoint{"host", "ens4"};
  lan0.addresses = {*InterfaceAddress::parse("192.168.16.1/24")};
  return topology;
}

EngineSetup two_containers(EngineSetup::Engine engine) {
  EngineSetup setup;
  setup.engine = engine;
  setup.where = "t.yaml:5:3";
  setup.networks = {{"blue", {*Prefix::parse("172.30.0.0/24")}, false, {}}};
  setup.containers = {
      {"web", {{"blue", {*IpAddress::parse("172.30.0.10")}}}, {{std::nullopt, 8080, 80, false}}},
      {"plain", {{}}, {}}};
  return setup;
}

std::set<std::string> cgroups() {
  std::set<std::string> folders;
  std::error_code ignored;
  for (fs::recursive_directory_iterator each("/sys/fs/cgroup", ignored), end; each != end;
       each.increment(ignored)) {
    if (each->is_directory(ignored)) folders.insert(each->path());
  }
  return folders;
}

class EngineHost : public ::testing::Test {
 protected:
  void SetUp() override { network_.build(world_); }

  /// Why it was skipped; throws what set_up throws. The loop lives on, and with it what watches the daemon.
  std::optional<std::string> set_up(const EngineSetup& setup) {
    const EngineRuntime runtime(setup);
    declared_ = runtime.expected(world_);
    std::optional<std::string> reason;
    std::exception_ptr problem;
    boost::asio::co_spawn(loop_, runtime.set_up(host_, declared_),
                          [&](const std::exception_ptr& error, std::optional<std::string> value) {
                            problem = error;
                            reason = std::move(value);
                            loop_.stop();
                          });
    loop_.restart();
    loop_.run();
    if (problem) std::rethrow_exception(problem);
    return reason;
  }

  Topology world_ = world();
  Topology declared_;
  boost::asio::io_context loop_{1};
  LiveNetwork network_;
  ScriptHost host_{network_, world_, "engine"};
};

class EngineNetns : public EngineHost, public ::testing::WithParamInterface<EngineSetup::Engine> {
 protected:
  /// What set_up throws; empty: nothing, or the engine is not here.
  std::string refused(const EngineSetup& setup) {
    try {
      skipped_ = set_up(setup);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::setup);
      return error.what();
    }
    return {};
  }
  std::optional<std::string> skipped_;
};

TEST_P(EngineNetns, ContainersBecomeNodesAndNothingIsLeft) {
  const std::set<std::string> before = cgroups();
  if (const auto reason = set_up(two_containers(GetParam()))) GTEST_SKIP() << *reason;
  const std::vector<IpAddress> expected =
      EngineRuntime(two_containers(GetParam())).expected(world_).find("web")->resolvers;
  const Topology found = discover(network_, declared_);
  ASSERT_NE(found.find("web"), nullptr);
  EXPECT_EQ(known_addresses(*found.find("web"), IpFamily::v4).at(0).to_string(), "172.30.0.10/24");
  EXPECT_EQ(known_addresses(*found.find("plain"), IpFamily::v4).size(), 1U);
  EXPECT_EQ(declared_.find("plain")->resolvers, std::vector{*IpAddress::parse("192.168.16.53")});
  EXPECT_EQ(declared_.find("web")->resolvers, expected) << "as foreseen";
  EXPECT_EQ(cgroups(), before);
  host_.end();
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    EXPECT_EQ(name, "1") << "is left";
  }
}

/// The engine's daemon: that one of its processes that is oldest.
std::string daemon_in_proc(EngineSetup::Engine engine) {
  const std::string program = engine == EngineSetup::Engine::docker ? "dockerd" : "podman";
  int oldest = 0;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "comm");
    std::string name;
    if (!std::getline(file, name) || name != program) continue;
    const int pid = std::stoi(entry.path().filename());
    if (oldest == 0 || pid < oldest) oldest = pid;
  }
  return "/proc/" + std::to_string(oldest);
}

bool is_read_only(const std::string& path) {
  struct statvfs found {};
  EXPECT_EQ(::statvfs(path.c_str(), &found), 0) << path;
  return (found.f_flag & ST_RDONLY) != 0;
}

TEST_P(EngineNetns, TheDaemonCanWriteToNoFileOfTheMachine) {
  if (const auto reason = set_up(two_containers(GetParam()))) GTEST_SKIP() << *reason;
  const std::string root = daemon_in_proc(GetParam()) + "/root";
  EXPECT_TRUE(is_read_only(root));
  EXPECT_TRUE(is_read_only(root + "/usr"));
  EXPECT_FALSE(is_read_only(root + "/run"));
  host_.end();
}

TEST_P(EngineNetns, TheDaemonFindsNothingOfOurEnvironment) {
  for (const char* name : {"DOCKER_TLS_VERIFY", "CONTAINER_HOST", "NETAVARK_FW", "STORAGE_DRIVER"}) {
    ::setenv(name, "nowhere", 1);
  }
  const auto reason = set_up(two_containers(GetParam()));
  for (const char* name : {"DOCKER_TLS_VERIFY", "CONTAINER_HOST", "NETAVARK_FW", "STORAGE_DRIVER"}) {
    ::unsetenv(name);
  }
  if (reason) GTEST_SKIP() << *reason;
  std::ifstream file(daemon_in_proc(GetParam()) + "/environ");
  const std::string environment{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_THAT(environment, HasSubstr("LC_ALL=C"));
  EXPECT_THAT(environment, ::testing::Not(HasSubstr("nowhere")));
  // What clients go by is ours, or as good as not set.
  const bool docker = GetParam() == EngineSetup::Engine::docker;
  EXPECT_THAT(host_.environment().at(docker ? "DOCKER_HOST" : "CONTAINER_HOST"), StartsWith("unix:///run/"));
  EXPECT_EQ(host_.environment().at(docker ? "DOCKER_TLS_VERIFY" : "CONTAINER_CONNECTION"), "");
  host_.end();
}

TEST_F(EngineHost, HooksOfTheMachineAreNotRun) {
  const fs::path settings = "/usr/share/containers";
  if (!fs::is_directory(settings)) GTEST_SKIP() << "Podman is not here: apt-get install podman";
  ASSERT_EQ(::mount("machine", settings.c_str(), "tmpfs", 0, nullptr), 0);
  fs::create_directories(settings / "oci/hooks.d");
  std::ofstream(settings / "oci/hooks.d/x.json") << R"({"version": "1.0.0", "when": {"always": true},
    "hook": {"path": "/bin/sh", "args": ["sh", "-c", "echo ran >/run/hook-ran"]}, "stages": ["prestart"]})";
  const auto reason = set_up(two_containers(EngineSetup::Engine::podman));
  if (reason) GTEST_SKIP() << *reason;
  EXPECT_FALSE(fs::exists("/run/hook-ran"));
  host_.end();
}

TEST_P(EngineNetns, WhatTheEngineRefusesIsItsOwnMessageAtThePlaceOfTheSpec) {
  EngineSetup setup = two_containers(GetParam());
  setup.networks.push_back(setup.networks.front());
  setup.networks.back().name = "twin";
  setup.networks.back().where = "t.yaml:7:7";
  const std::string message = refused(setup);
  if (skipped_) GTEST_SKIP() << *skipped_;
  EXPECT_THAT(message, StartsWith("t.yaml:7:7: "));
  EXPECT_THAT(message, HasSubstr("network twin: POST /networks/create"));
  host_.end();
}

TEST_P(EngineNetns, APortOfAnAddressThatTheHostLacksIsTold) {
  EngineSetup setup = two_containers(GetParam());
  setup.containers.front().where = "t.yaml:8:7";
  setup.containers.front().publish = {{std::nullopt, 8080, 80, false, "t.yaml:9:17"},
                                      {*IpAddress::parse("10.9.9.9"), 8081, 80, false, "t.yaml:9:28"}};
  const std::string message = refused(setup);
  if (skipped_) GTEST_SKIP() << *skipped_;
  EXPECT_THAT(message, StartsWith("t.yaml:9:28: ")) << "of what is published";
  EXPECT_THAT(message, HasSubstr("container web: POST /containers/web/start"));
  EXPECT_THAT(message, HasSubstr("cannot assign requested address"));
  host_.end();
}

TEST_P(EngineNetns, AnAddressThatIsNotWhatWasExpectedIsTold) {
  EngineSetup setup = two_containers(GetParam());
  setup.containers.back().attachments.front() = {"", {*IpAddress::parse("10.77.0.2")}, "t.yaml:10:20"};
  const std::string message = refused(setup);
  if (skipped_) GTEST_SKIP() << *skipped_;
  EXPECT_THAT(message, StartsWith("t.yaml:10:20: "));
  EXPECT_THAT(message, HasSubstr("container plain did not get the address 10.77.0.2"));
  host_.end();
}

TEST_F(EngineHost, ADaemonThatDoesNotStartSaysWhy) {
  EngineSetup setup = two_containers(EngineSetup::Engine::docker);
  setup.daemon = {{"no-such-key", true}};
  setup.daemon_where = "t.yaml:6:13";
  try {
    if (const auto reason = set_up(setup)) GTEST_SKIP() << *reason;
    FAIL() << "it started";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), StartsWith("t.yaml:6:13: docker: "));
    EXPECT_THAT(error.what(), HasSubstr("ended with exit status"));
    EXPECT_THAT(error.what(), HasSubstr("no-such-key"));
  }
  host_.end();
}

TEST_F(EngineHost, ADaemonThatDiesHalfWaySaysSo) {
  const fs::path folder = "/run/dying";
  fs::create_directories(folder);
  std::ofstream(folder / "dockerd") << R"(#!/bin/sh
export PATH=${PATH#/run/plumbline-docker-*/bin:/run/dying:}
dockerd "$@" &
until [ -e /run/netns/web ]; do kill -0 $! || exit 1; done
echo last words >&2
kill -9 $!
kill -9 $$
)";
  fs::permissions(folder / "dockerd", fs::perms::owner_all);
  host_.tell("PATH", "/run/dying:" + host_.environment().at("PATH"));
  EngineSetup setup = two_containers(EngineSetup::Engine::docker);
  for (const char* more : {"aa", "bb", "cc", "dd", "ee", "ff"}) {
    setup.containers.push_back({more, {{}}, {}, "t.yaml:9:7"});
  }
  try {
    if (const auto reason = set_up(setup)) GTEST_SKIP() << *reason;
    FAIL() << "it lived";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("docker's daemon was ended by signal 9 (Killed)"));
    EXPECT_THAT(error.what(), HasSubstr("last words"));
  }
  host_.end();
}

INSTANTIATE_TEST_SUITE_P(Engines, EngineNetns,
                         ::testing::Values(EngineSetup::Engine::docker, EngineSetup::Engine::podman),
                         [](const auto& each) { return std::string(engine_name(each.param)); });

}  // namespace
}  // namespace plumbline::network
