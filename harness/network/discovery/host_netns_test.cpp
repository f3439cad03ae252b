// A live host read from a sandbox's own namespace: what leads to a namespace, and what does not make sense.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "harness/base/error.hpp"
#include "harness/network/discovery/host.hpp"
#include "harness/network/discovery/testing/apart.hpp"
#include "harness/network/discovery/testing/fake_engine.hpp"

namespace plumbline::network {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::Apart;
using testing::await;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::FakeEngine;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Named;
using ::testing::Not;

constexpr const char* kId = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

class DiscoverHost : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories("/run/cni"); }
  void TearDown() override { fs::remove_all("/run/cni"); }

  HostView look() {
    HostSources sources;
    sources.sockets = {docker_.socket(), "/run/no-podman.sock"};
    sources.cni_results = {"/run/cni/results"};
    sources.cni_networks = "/run/cni/networks";
    return await(loop_, discover_host(std::move(sources)));
  }

  /// One that runs, as Docker would list and inspect it.
  void has_container(const std::string& name, pid_t pid, const std::string& more = "") {
    docker_.says("/containers/json", fmt::format(R"([{{"Id": "{}"}}])", kId));
    docker_.says(fmt::format("/containers/{}/json", kId),
                 fmt::format(R"({{"Name": "/{}", "State": {{"Running": true, "Pid": {}}},
                                 "Config": {{"Image": "nginx"}}{}}})",
                             name, pid, more));
    docker_.says("/networks", "[]");
  }

  /// A link beside the loopback, without which a process' namespace is no node.
  static void plug(const kernel::Netns& netns) {
    netns.run([] { ASSERT_EQ(std::system("ip link add v0 type veth peer name v1"), 0); });
  }

  static std::vector<std::string> names(const HostView& view) {
    std::vector<std::string> found;
    for (const FoundNode& node : view.nodes) found.push_back(node.name);
    return found;
  }

  boost::asio::io_context loop_{1};
  FakeEngine docker_{loop_};
};

TEST_F(DiscoverHost, WithoutContainersSaysWhereItLooked) {
  docker_.says("/containers/json", "[]");
  const HostView view = look();
  EXPECT_THAT(view.nodes, IsEmpty());
  EXPECT_FALSE(view.blind);
  EXPECT_THAT(view.looked_at, Contains(HasSubstr(": 0 running containers")));
  EXPECT_THAT(view.looked_at, Contains("Podman at /run/no-podman.sock: no such socket"));
  EXPECT_THAT(view.looked_at, Contains(HasSubstr("/run/netns: 0 namespaces")));
  EXPECT_THAT(view.notes, IsEmpty());
  ASSERT_NE(view.topology.host(), nullptr);
  EXPECT_EQ(view.topology.host()->name, "host");
}

TEST_F(DiscoverHost, OneNamespaceIsOneNodeWithItsBestName) {
  const Apart process;
  process.netns().bind("/run/netns/0abc");
  fs::create_directories("/run/cni/results");
  std::ofstream("/run/cni/results/net-web-eth0")
      << R"({"kind": "cniCacheV1", "containerId": "web", "networkName": "net",
             "result": {"interfaces": [{"name": "eth0", "sandbox": "/run/netns/0abc"}],
                        "ips": [{"address": "10.1.0.2/24"}]}})";
  has_container("web", process.pid());
  const HostView view = look();
  kernel::Netns::unbind("/run/netns/0abc");
  ASSERT_THAT(names(view), ElementsAre("web"));
  const FoundNode& web = view.nodes.front();
  EXPECT_EQ(web.locator, (Locator{Locator::Kind::docker, "web"}));
  EXPECT_THAT(web.origins, ElementsAre("docker container web (image nginx)", "/run/netns/0abc",
                                       "CNI network net, container web", HasSubstr("process ")));
  EXPECT_THAT(web.memberships, ElementsAre(Field(&Membership::network, "net")));
}

TEST_F(DiscoverHost, NamesAndProcessesAreNodes) {
  docker_.says("/containers/json", "[]");
  const Named db("db");
  const Apart process;
  plug(process.netns());
  const HostView view = look();
  ASSERT_EQ(view.nodes.size(), 2U);
  const FoundNode* named = view.find("db");
  ASSERT_NE(named, nullptr);
  EXPECT_EQ(named->locator, (Locator{Locator::Kind::netns, "db"}));
  const FoundNode& other = view.nodes[view.nodes[0].name == "db" ? 1 : 0];
  EXPECT_EQ(other.locator, (Locator{Locator::Kind::pid, std::to_string(process.pid())}));
}

TEST_F(DiscoverHost, AProcessThatShutItselfOffIsToldAndNoNode) {
  docker_.says("/containers/json", "[]");
  const Apart process;
  const HostView view = look();
  EXPECT_THAT(view.nodes, IsEmpty());
  EXPECT_EQ(view.topology.nodes.size(), 1U);
  EXPECT_THAT(view.looked_at, Contains(AllOf(HasSubstr(fmt::format("process {} (", process.pid())),
                                             HasSubstr("nothing but the loopback"))));
}

TEST_F(DiscoverHost, AContainerWithoutANetworkIsANodeAllTheSame) {
  const Apart process;
  has_container("closed", process.pid());
  EXPECT_THAT(names(look()), ElementsAre("closed"));
}

TEST_F(DiscoverHost, TheFirstProcessOfOurSandboxIsNoNode) {
  docker_.says("/containers/json", "[]");
  plug(kernel::Netns::current());  // so that it is not passed over as one that shut itself off
  HostView view;
  std::thread([&] {
    const kernel::Netns elsewhere = kernel::Netns::create();
    elsewhere.run([&] { view = look(); });
  }).join();
  std::system("ip link del v0");
  EXPECT_THAT(names(view), IsEmpty());
}

TEST_F(DiscoverHost, WhoHasTheNetworkGivesItsName) {
  const Apart process;
  const std::string pid = std::to_string(process.pid());
  // As Docker lists them: the newest, who joined, first.
  docker_.says("/containers/json", R"([{"Id": "aaa"}, {"Id": "bbb"}])");
  docker_.says("/containers/aaa/json", R"({"Name": "/sidecar", "State": {"Running": true, "Pid": )" + pid +
                                           R"(}, "HostConfig": {"NetworkMode": "container:bbb"}})");
  docker_.says("/containers/bbb/json", R"({"Name": "/web", "State": {"Running": true, "Pid": )" + pid +
                                           R"(}, "HostConfig": {"NetworkMode": "blue"}})");
  docker_.says("/networks", "[]");
  const HostView view = look();
  ASSERT_THAT(names(view), ElementsAre("web"));
  const FoundNode& web = view.nodes.front();
  EXPECT_EQ(web.locator, (Locator{Locator::Kind::docker, "web"}));
  EXPECT_THAT(web.origins, Contains("docker container sidecar"));
  EXPECT_THAT(web.hostnames, ElementsAre("web")) << "a name that the engine's DNS knows";
  EXPECT_EQ(view.sharing.at("docker container sidecar"), "web");
}

TEST_F(DiscoverHost, ARefusalNamesTheSocket) {
  docker_.says("/containers/json", R"({"message": "access denied by policy"})", 403);
  EXPECT_THAT(look().notes, Contains(Field(&HostNote::text, AllOf(HasSubstr("Docker at " + docker_.socket()),
                                                                  HasSubstr("access denied by policy")))));
}

TEST_F(DiscoverHost, CablesAreFoundByTheKernelsNumbers) {
  docker_.says("/containers/json", "[]");
  const Named db("db");
  ASSERT_EQ(
      std::system("ip link add br7 type bridge && ip addr add 192.168.77.1/24 dev br7 && ip link set br7 up"
                  " && ip link add v7 type veth peer name eth0 netns db && ip link set v7 master br7 up"),
      0);
  const HostView view = look();
  const Interface* eth0 = view.topology.find("db")->find_interface("eth0");
  const Interface* port = view.topology.host()->find_interface("v7");
  std::system("ip link del v7; ip link del br7");
  ASSERT_NE(eth0, nullptr);
  ASSERT_NE(port, nullptr);
  EXPECT_EQ(eth0->peer, (Endpoint{"host", "v7"}));
  EXPECT_EQ(port->master, "br7");
}

TEST_F(DiscoverHost, NothingIsWritten) {
  docker_.says("/containers/json", "[]");
  const Apart process;
  plug(process.netns());
  const auto names_now = [] {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator("/run/netns")) all.push_back(entry.path());
    return all;
  };
  const auto before = names_now();
  EXPECT_EQ(look().nodes.size(), 1U);
  EXPECT_EQ(names_now(), before);
}

TEST_F(DiscoverHost, AContainerThatEndsMeanwhileIsPassedOver) {
  docker_.says("/containers/json", fmt::format(R"([{{"Id": "{}"}}, {{"Id": "fff"}}])", kId));
  docker_.says("/containers/fff/json", R"({"Name": "/late", "State": {"Pid": 0}})");
  docker_.says("/networks", "[]");
  const HostView view = look();
  EXPECT_THAT(view.nodes, IsEmpty());
  EXPECT_THAT(view.notes, IsEmpty());
}

TEST_F(DiscoverHost, TheHostsOwnNetworkIsNoNode) {
  has_container("proxy", ::getpid());
  const HostView view = look();
  EXPECT_THAT(view.nodes, IsEmpty());
  ASSERT_EQ(view.sharing.size(), 1U);
  EXPECT_EQ(view.sharing.begin()->second, "host");
}

TEST_F(DiscoverHost, NamesThatNoSpecTakesAreMadeFit) {
  const Apart process;
  has_container("10.0.0.1", process.pid());
  const Named host("host");
  const Named odd("a b\n");
  EXPECT_THAT(names(look()), ElementsAre("a_b_", "host-netns", "n-10.0.0.1"));
}

TEST_F(DiscoverHost, OddAnswersAreNotes) {
  const Named db("db");
  for (const char* json : {"null", "7", R"({"a": 1})", "\"text\""}) {
    docker_.says("/containers/json", json);
    const HostView view = look();
    EXPECT_THAT(names(view), ElementsAre("db")) << json;
    EXPECT_THAT(view.notes, Contains(Field(&HostNote::text, HasSubstr("no list of containers")))) << json;
  }
  for (const char* bytes : {"SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[",
                            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"}) {
    docker_.answers("/containers/json", bytes);
    const HostView view = look();
    EXPECT_THAT(names(view), ElementsAre("db")) << bytes;
    EXPECT_THAT(view.notes, Contains(Field(&HostNote::text, HasSubstr("Docker")))) << bytes;
  }
  docker_.says("/containers/json", R"([7, {}, {"Id": "../../x"}, {"Id": 4}])");
  EXPECT_THAT(names(look()), ElementsAre("db"));
  EXPECT_THAT(docker_.asked(), Not(Contains(HasSubstr(".."))));
}

TEST_F(DiscoverHost, AnEngineThatDiesHalfWayIsANote) {
  docker_.says("/containers/json", fmt::format(R"([{{"Id": "{}"}}])", kId));
  docker_.answers(fmt::format("/containers/{}/json", kId), "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{");
  const HostView view = look();
  EXPECT_THAT(view.notes, Contains(Field(&HostNote::text, HasSubstr(kId))));
  EXPECT_THAT(view.looked_at, Contains(HasSubstr("0 running containers")));
}

TEST_F(DiscoverHost, ACacheThatOutlivedItsContainerIsANote) {
  docker_.says("/containers/json", "[]");
  fs::create_directories("/run/cni/results");
  std::ofstream("/run/cni/results/gone")
      << R"({"kind": "cniCacheV1", "result": {"interfaces": [{"sandbox": "/run/netns/gone"}]}})";
  std::ofstream("/run/cni/results/rubbish") << "\x01{";
  fs::create_directories("/run/cni/networks/net");
  std::ofstream("/run/cni/networks/net/10.1.0.2") << "web\neth0";
  std::ofstream("/run/cni/networks/net/lock");
  const HostView view = look();
  EXPECT_THAT(view.nodes, IsEmpty());
  EXPECT_THAT(view.notes, ElementsAre(Field(&HostNote::text, HasSubstr("outlived")),
                                      Field(&HostNote::text, HasSubstr("no result of CNI"))));
  EXPECT_THAT(view.looked_at, Contains("/run/cni/networks/net: 1 address reserved"));
}

TEST_F(DiscoverHost, PortsAndNetworksAreAsTheEngineSays) {
  const Apart process;
  has_container("web", process.pid(), R"(, "HostConfig": {"NetworkMode": "blue"}, "NetworkSettings": {
    "Networks": {"blue": {"IPAddress": "172.30.0.10", "GlobalIPv6Address": ""}},
    "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::", "HostPort": "8080"}],
              "53/udp": [{"HostIp": "127.0.0.1", "HostPort": "5353"}], "9/tcp": null, "x/tcp": [{"HostPort": "1"}]}})");
  docker_.says("/networks", R"([{"Name": "blue", "Driver": "bridge", "Internal": true,
    "Options": {"com.docker.network.bridge.enable_icc": "false"}, "IPAM": {"Config": [{"Subnet": "172.30.0.0/24"}]}}])");
  const HostView view = look();
  ASSERT_EQ(view.nodes.size(), 1U);
  const IpAddress loopback = *IpAddress::parse("127.0.0.1");
  EXPECT_THAT(view.nodes[0].ports,
              ::testing::UnorderedElementsAre(PublishedPort{true, std::nullopt, 8080, 80},
                                              PublishedPort{false, loopback, 5353, 53}));
  ASSERT_EQ(view.networks.size(), 1U);
  EXPECT_TRUE(view.networks[0].internal);
  EXPECT_FALSE(view.networks[0].icc);
  EXPECT_TRUE(view.networks[0].names);
}

}  // namespace
}  // namespace plumbline::network
