// Users' scripts in a disposable host: what they make becomes nodes, and nothing of them is left.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <filesystem>
#include <fstream>
#include <optional>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/network/discovery/discover.hpp"
#include "harness/network/setup/script_host.hpp"
#include "harness/network/topology/live_network.hpp"

namespace plumbline::network {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

template <class T>
T await(boost::asio::awaitable<T> work) {
  boost::asio::io_context loop{1};
  std::exception_ptr problem;
  std::optional<T> result;
  boost::asio::co_spawn(loop, std::move(work), [&](const std::exception_ptr& error, T value) {
    problem = error;
    result = std::move(value);
  });
  loop.run();
  if (problem) std::rethrow_exception(problem);
  return *std::move(result);
}

InterfaceAddress address(const char* text) {
  return InterfaceAddress::parse(text).value();
}

// host ens4 192.168.16.10 ─── lan0 192.168.16.1 gateway
Topology world() {
  Topology topology;
  Node& host = topology.nodes.emplace_back();
  host.name = "host";
  host.role = Role::host;
  host.resolvers = {IpAddress::parse("192.168.16.53").value()};
  Interface& ens4 = host.interfaces.emplace_back();
  ens4.name = "ens4";
  ens4.peer = Endpoint{"gateway", "lan0"};
  ens4.addresses = {address("192.168.16.10/24")};
  ens4.gateways = {IpAddress::parse("192.168.16.1").value()};
  Node& gateway = topology.nodes.emplace_back();
  gateway.name = "gateway";
  Interface& lan0 = gateway.interfaces.emplace_back();
  lan0.name = "lan0";
  lan0.peer = Endpoint{"host", "ens4"};
  lan0.addresses = {address("192.168.16.1/24")};
  return topology;
}

constexpr const char* kBridgeAndTwo = R"(
ip link add bridge0 type bridge
ip addr add 192.168.99.1/24 dev bridge0
ip link set bridge0 up
for n in 1 2; do
  ip netns add container-$n
  ip link add veth$n type veth peer name eth0 netns container-$n
  ip link set veth$n master bridge0 up
  ip -n container-$n addr add 192.168.99.1$n/24 dev eth0
  ip -n container-$n addr add fd00:99::1$n/64 dev eth0
  ip -n container-$n link set eth0 up
done
)";

/// Programs that live in the sandbox, ourselves excepted.
std::vector<std::string> others() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string number = entry.path().filename();
    if (number.find_first_not_of("0123456789") != std::string::npos || number == "1") continue;
    std::string name;
    std::getline(std::ifstream(entry.path() / "stat"), name);
    names.push_back(name.substr(0, 40));
  }
  return names;
}

std::vector<std::string> entries(const char* folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

ScriptSetup shell(const std::string& text) {
  ScriptSetup setup;
  setup.shell = text;
  setup.where = "a.yaml:3:5";
  return setup;
}

/// A world with its host, and a folder for scripts; both are gone in the end.
class ScriptHostTest : public ::testing::Test {
 protected:
  void SetUp() override {
    network_.build(world_);
    host_.emplace(network_, world_, "script");
    std::string pattern = "/tmp/plumbline-script-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override {
    host_->end();
    EXPECT_THAT(others(), IsEmpty());
    network_.teardown();
    EXPECT_THAT(entries("/run/netns"), IsEmpty());
    fs::remove_all(folder_);
  }

  ScriptSetup file(const std::string& name, const std::string& text, mode_t mode = 0755) const {
    ScriptSetup setup;
    setup.path = folder_ + "/" + name;
    setup.where = "a.yaml:3:5";
    std::ofstream(setup.path) << text;
    ::chmod(setup.path.c_str(), mode);
    return setup;
  }
  std::optional<std::string> set_up(const ScriptSetup& setup) { return await(host_->set_up(setup)); }
  Error failure_of(const ScriptSetup& setup) {
    try {
      const auto skipped = set_up(setup);
      return Error(skipped ? "(skipped)" : "(it went well)");
    } catch (const Error& error) {
      return error;
    }
  }
  ScriptEnd run(const std::string& text) {
    Script script;
    script.shell = text;
    return await(host_->run(script));
  }
  Topology found() { return discover(network_, world_); }

  Topology world_ = world();
  LiveNetwork network_;
  std::optional<ScriptHost> host_;
  std::string folder_;
};

TEST_F(ScriptHostTest, NamedNamespacesBecomeContainers) {
  ScriptSetup setup = shell(kBridgeAndTwo);
  setup.expected = {{"container-1", {}}, {"container-2", {}}};
  EXPECT_EQ(set_up(setup), std::nullopt);
  EXPECT_THAT(network_.adopted(), ElementsAre("container-1", "container-2"));
  const Topology topology = found();
  ASSERT_NE(topology.find("container-2"), nullptr);
  const Node& two = *topology.find("container-2");
  EXPECT_EQ(two.role, Role::container);
  EXPECT_EQ(two.resolvers, world_.host()->resolvers);
  const Interface& eth0 = *two.find_interface("eth0");
  EXPECT_EQ(eth0.peer, (Endpoint{"host", "veth2"}));
  EXPECT_TRUE(eth0.running);
  EXPECT_EQ(topology.find("host")->find_interface("veth2")->master, "bridge0");
  EXPECT_TRUE(topology.find("host")->find_interface("bridge0")->running);
  EXPECT_EQ(topology.find("gateway")->role, Role::world);
  // Duplicate address detection is over, of link-local addresses too.
  EXPECT_EQ(run("ip -n container-1 -6 addr show tentative; ip -n container-2 -6 addr show tentative").output,
            "");
  EXPECT_EQ(run("ip netns exec container-1 ping -n -c 1 -W 1 fd00:99::12").status, 0);
}

TEST_F(ScriptHostTest, WhatIsIntendedIsCarriedOver) {
  ScriptSetup setup = shell("ip netns add one; ip netns add two");
  setup.expected = {{"one", {}}};
  setup.resolvers = {IpAddress::parse("198.51.100.53").value()};
  EXPECT_EQ(set_up(setup), std::nullopt);
  Topology intended = world_;
  const Topology expected = expected_of(setup, world_);
  intended.nodes.insert(intended.nodes.end(), expected.nodes.begin(), expected.nodes.end());
  const Topology topology = discover(network_, intended);
  EXPECT_EQ(topology.find("one")->resolvers, setup.resolvers);
  EXPECT_EQ(topology.find("two")->resolvers, world_.host()->resolvers);
  EXPECT_EQ(topology.find("two")->role, Role::container);
}

TEST_F(ScriptHostTest, RunsInTheHostBesideItsFile) {
  ScriptSetup setup = file("show.sh", R"(#!/bin/sh
pwd
echo "$1|$FIREWALL|$PLUMBLINE_SETUP|$PLUMBLINE_HOST|$PLUMBLINE_UPLINKS|$PLUMBLINE_ENS4_ADDRESSES|$PLUMBLINE_ENS4_GATEWAYS"
ip -o link show ens4 | cut -d: -f2 | cut -d@ -f1
ip netns list | sort
exit 1
)");
  setup.arguments = {"a b"};
  setup.env = {{"FIREWALL", "nft"}};
  const std::string text = failure_of(setup).what();
  EXPECT_THAT(text, HasSubstr("\n    " + folder_ +
                              "\n    a b|nft|script|host|ens4|192.168.16.10/24|192.168.16.1\n     ens4\n"
                              "    gateway"));
  EXPECT_THAT(text, HasSubstr("\n    host"));
}

TEST_F(ScriptHostTest, SysShowsTheHostsDevices) {
  const std::vector<std::string> before = entries("/sys/class/net");
  const ScriptEnd end = run("ls /sys/class/net");
  EXPECT_EQ(end.output, "ens4\nlo\n");
  EXPECT_EQ(entries("/sys/class/net"), (std::vector<std::string>{"ens4", "lo"}));
  host_->end();
  EXPECT_EQ(entries("/sys/class/net"), before);
}

TEST_F(ScriptHostTest, TellsTheFailureWithItsOutput) {
  const ScriptSetup setup =
      file("fails.sh", "#!/bin/sh -eu\nip netns add made\necho doing\nip link set nothing up\n");
  const Error error = failure_of(setup);
  EXPECT_EQ(error.kind(), ErrorKind::setup);
  EXPECT_THAT(error.what(),
              AllOf(StartsWith("a.yaml:3:5: script " + setup.path + " failed after "),
                    HasSubstr(" s with exit status 1. It said:\n    doing\n    Cannot find device")));
  EXPECT_THAT(error.remedy(), Not(IsEmpty()));
  EXPECT_TRUE(network_.nodes().contains("made"));  // so that it is taken down as well
}

TEST_F(ScriptHostTest, EndsOneThatHangsWithAllThatItStarted) {
  ScriptSetup setup = shell("sleep 1000 & setsid sleep 1000 & echo waiting; ip netns add left; wait");
  setup.timeout = milliseconds(300);
  const Error error = failure_of(setup);
  EXPECT_EQ(error.kind(), ErrorKind::setup);
  EXPECT_THAT(error.what(),
              AllOf(HasSubstr("the shell text was not done after 0.3"), HasSubstr("    waiting")));
  EXPECT_THAT(error.remedy(), HasSubstr("'timeout:'"));
  EXPECT_THAT(others(), IsEmpty());
}

TEST_F(ScriptHostTest, SaysWhatIsMissing) {
  ScriptSetup setup = shell("echo nothing done");
  setup.expected = {{"one", {}}, {"two", {}}};
  const Error nothing = failure_of(setup);
  EXPECT_EQ(nothing.kind(), ErrorKind::setup);
  EXPECT_THAT(nothing.what(), AllOf(HasSubstr("left nothing behind: no namespace in /run/netns"),
                                    HasSubstr("    nothing done")));
  setup.shell = "ip netns add two; ip netns add tow";
  const Error one = failure_of(setup);
  EXPECT_THAT(one.what(), HasSubstr("in /run/netns it left tow, two, and not one. It said nothing"));
  EXPECT_THAT(one.remedy(), HasSubstr("ip netns add one"));
}

TEST_F(ScriptHostTest, SaysWhichAddressIsMissing) {
  ScriptSetup setup = shell("ip netns add one; ip -n one addr add 192.168.99.12/24 dev lo");
  setup.expected = {{"one", {IpAddress::parse("192.168.99.11").value()}}};
  const Error error = failure_of(setup);
  EXPECT_EQ(error.kind(), ErrorKind::setup);
  EXPECT_THAT(error.what(), HasSubstr("left one without its address 192.168.99.11"));
  setup.shell = "ip netns del one; ip netns add one; ip -n one addr add 192.168.99.11/24 dev lo";
  EXPECT_FALSE(set_up(setup));
}

TEST_F(ScriptHostTest, NeedLeaveNothingWhereNothingIsExpected) {
  EXPECT_EQ(set_up(shell("true")), std::nullopt);
}

TEST_F(ScriptHostTest, IsSkippedForItsReason) {
  EXPECT_EQ(set_up(shell("echo looking; echo 'nft is not installed'; exit 77")), "nft is not installed");
  EXPECT_EQ(set_up(shell("exit 77")), "its setup says that something is missing here");
}

TEST_F(ScriptHostTest, SaysWhyItCannotBeStarted) {
  ScriptSetup setup = file("plain.sh", "#!/bin/sh\n", 0644);
  const Error plain = failure_of(setup);
  EXPECT_EQ(plain.kind(), ErrorKind::usage);
  EXPECT_EQ(std::string(plain.what()), "a.yaml:3:5: starting " + setup.path + ": it is not executable");
  EXPECT_EQ(plain.remedy(), "chmod +x " + setup.path);
  setup.path = folder_ + "/missing.sh";
  EXPECT_THAT(failure_of(setup).what(), HasSubstr("missing.sh: there is no such file"));
  EXPECT_EQ(failure_of(setup).kind(), ErrorKind::usage);
}

TEST_F(ScriptHostTest, ManyBytesDoNotMakeTheErrorLong) {
  const Error error = failure_of(shell("head -c 10000000 /dev/zero | tr '\\0' '\\n'; echo the end; exit 1"));
  EXPECT_THAT(error.what(), HasSubstr("The last 40 lines of what it said:"));
  EXPECT_THAT(error.what(), ::testing::EndsWith("\n    the end"));
  EXPECT_LT(std::string(error.what()).size(), 1000U);
}

TEST_F(ScriptHostTest, NoByteOfItsOutputSteersTheTerminal) {
  const Error error =
      failure_of(shell("printf '\\033[31mred\\007\\377\\n'; head -c 300000 /dev/urandom; exit 1"));
  for (const char c : std::string(error.what())) {
    EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << static_cast<int>(c);
  }
  EXPECT_THAT(failure_of(shell("printf '\\033[31mred\\007\\377\\n'; exit 1")).what(),
              HasSubstr("    \\x1b[31mred\\x07\\xff"));
}

TEST_F(ScriptHostTest, TellsTheSignalThatEndedIt) {
  EXPECT_THAT(failure_of(shell("kill -TERM $$")).what(),
              HasSubstr("exit status 143 (signal 15, Terminated)"));
}

TEST_F(ScriptHostTest, DaemonsLiveUntilTheEnd) {
  ScriptSetup setup = shell(
      "ip netns add one; setsid sleep 1000 & ip netns exec one setsid sleep 1000 & "
      "unshare -n setsid sleep 1000 & true");
  EXPECT_EQ(set_up(setup), std::nullopt);
  EXPECT_EQ(others().size(), 3U);
  host_->end();
  EXPECT_THAT(others(), IsEmpty());
}

TEST_F(ScriptHostTest, LaterStepsAddAndTakeAway) {
  EXPECT_EQ(set_up(shell(kBridgeAndTwo)), std::nullopt);
  EXPECT_EQ(run("ip netns del container-1; ip netns add container-3").status, 0);
  EXPECT_THAT(network_.adopted(), ElementsAre("container-2", "container-3"));
  host_->settle();
  const Topology topology = found();
  EXPECT_EQ(topology.find("container-1"), nullptr);
  ASSERT_NE(topology.find("container-3"), nullptr);
  EXPECT_EQ(topology.find("container-3")->role, Role::container);
  // Another namespace of the same name is another node.
  const auto before = network_.netns("container-2").inode();
  EXPECT_EQ(run("ip netns del container-2; ip netns add container-2").status, 0);
  EXPECT_NE(network_.netns("container-2").inode(), before);
  // A failing step is the caller's to judge.
  const ScriptEnd end = run("echo no; exit 3");
  EXPECT_EQ(end.status, 3);
  EXPECT_EQ(end.output, "no\n");
}

TEST_F(ScriptHostTest, OtherFilesAndOtherNamesOfANodeAreNoNodes) {
  const ScriptEnd end =
      run("cd /run/netns; : >file; mkfifo fifo; ln -s host link; "
          ": >user; mount --bind /proc/self/ns/mnt user 2>/dev/null || rm user; "
          ": >alias; mount --bind /proc/self/ns/net alias; : >outer; mount --bind /proc/1/ns/net outer");
  EXPECT_EQ(end.status, 0) << end.output;
  EXPECT_THAT(network_.adopted(), IsEmpty());
  EXPECT_EQ(network_.nodes().size(), 2U);
  run("cd /run/netns; rm file fifo link; umount user; rm -f user");
}

TEST_F(ScriptHostTest, TheWorldsNodesAreNotItsToTakeAway) {
  const Error error = failure_of(shell("ip netns del gateway"));
  EXPECT_EQ(error.kind(), ErrorKind::setup);
  EXPECT_THAT(error.what(), HasSubstr("took the name of the node gateway away from /run/netns"));
}

TEST_F(ScriptHostTest, WaitsForNothingThatNeverComes) {
  // A bridge without ports and a cable with one end down have no carrier, so their addresses stay tentative;
  // and of two that hold the same address one is found to be a duplicate.
  EXPECT_EQ(set_up(shell(std::string(kBridgeAndTwo) + R"(
ip link add bridge1 type bridge
ip addr add fd00:1::1/64 dev bridge1
ip link set bridge1 up
ip link add dark type veth peer name unlit
ip addr add fd00:2::1/64 dev dark
ip link set dark up
ip -n container-1 addr add fd00:99::77/64 dev eth0
ip -n container-2 addr add fd00:99::77/64 dev eth0
)")),
            std::nullopt);
}

TEST_F(ScriptHostTest, APortNeedNotKeepItsLinkLocalAddress) {
  EXPECT_EQ(set_up(shell(std::string(kBridgeAndTwo) + R"(
ip link set ens4 master bridge0
ip addr flush dev ens4
ip addr add 192.168.16.10/24 dev bridge0
)")),
            std::nullopt);
}

TEST_F(ScriptHostTest, NamesWhatDoesNotComeUp) {
  const ScriptEnd end = run(R"(
ip link add bridge0 type bridge stp_state 1
ip link set bridge0 up
ip netns add one
nsenter --net=/run/netns/one sh -c 'echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad'
ip link add veth1 type veth peer name eth0 netns one
ip -n one link set eth0 up
ip link set veth1 master bridge0 up
)");
  EXPECT_EQ(end.status, 0) << end.output;
  try {
    host_->settle(milliseconds(500));
    FAIL() << "it came up";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::setup);
    EXPECT_THAT(error.what(), AllOf(StartsWith("node host: waiting for the network to come up: "),
                                    HasSubstr("veth1 does not forward as a port of its bridge")));
    EXPECT_THAT(error.remedy(), HasSubstr("spanning tree"));
  }
}

}  // namespace
}  // namespace plumbline::network
