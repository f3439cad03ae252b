// Setups `docker` and `podman`: what is read, and what is refused before anything is built.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/engine/spec/spec.hpp"
#include "harness/engine/spec/testing/files.hpp"

namespace plumbline::spec {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class SpecEngine : public testing_support::FolderTest {
 protected:
  static LoadOptions options() {
    return {
        PLUMBLINE_SOURCE_DIR "/fixtures/worlds", {"reach"}, {"run"}, PLUMBLINE_SOURCE_DIR "/fixtures/setups"};
  }
  std::vector<Spec> load(const std::string& setup) const {
    return load_specs(write("t.yaml", "version: 1\nname: t\nworld: diy\nsetup:\n" + setup +
                                          "checks:\n  - reach: {from: host, to: internet}\n"),
                      options());
  }
  /// `setup` begins at line 5.
  std::string refused(const std::string& setup) const {
    return error_of([&] { static_cast<void>(load(setup)); });
  }
  /// Of a container in network blue; its keys begin at line 8, column 12.
  std::string refused_container(const std::string& keys) const {
    return refused("  docker:\n    networks: {blue: {subnet: 172.30.0.0/24}}\n    containers:\n      web: {" +
                   keys + "}\n");
  }
};

TEST_F(SpecEngine, EachIptablesIsASetupOfItsOwn) {
  const std::vector<Spec> specs = load(
      "  docker:\n    iptables: [nft, legacy]\n    containers: {web: {address: 172.17.0.2}}\n"
      "  podman:\n    containers: {web: {}}\n");
  ASSERT_EQ(specs.size(), 3U);
  EXPECT_EQ(specs[0].setup->name, "docker-iptables-nft");
  EXPECT_EQ(specs[1].setup->name, "docker-iptables-legacy");
  EXPECT_EQ(specs[2].setup->name, "podman");
  EXPECT_EQ(specs[2].setup->kind, "podman");
  EXPECT_NE(specs[2].setup->runtime, nullptr);
  const network::Topology intended = specs[0].intended();
  ASSERT_NE(intended.find("web"), nullptr);
  EXPECT_EQ(intended.find("web")->interfaces.at(0).addresses.at(0).address.to_string(), "172.17.0.2");
}

TEST_F(SpecEngine, RefusesNetworksAndAddressesThatCannotBe) {
  EXPECT_THAT(refused_container("network: bleu"),
              StartsWith("t.yaml:8:22: unknown network 'bleu'; did you mean 'blue'?"));
  EXPECT_EQ(refused_container("network: blue, address: 172.31.0.5"),
            "t.yaml:8:37: 172.31.0.5 is outside network blue (172.30.0.0/24)");
  EXPECT_THAT(refused_container("network: blue, address: 172.30.0.255"), HasSubstr("broadcast"));
  EXPECT_THAT(refused_container("networks: {blue: 172.30.0.5}, address: 172.30.0.5"),
              HasSubstr("says it all"));
  EXPECT_THAT(
      refused("  docker:\n    networks: {blue: {subnet: 192.168.16.0/24}}\n    containers: {web: {}}\n"),
      HasSubstr("192.168.16.0/24 overlaps"));
  EXPECT_THAT(refused("  docker:\n    networks: {bridge: {}}\n    containers: {web: {}}\n"),
              HasSubstr("of their own"));
}

TEST_F(SpecEngine, RefusesWhatTheEngineHasTakenItself) {
  EXPECT_EQ(refused_container("network: blue, address: 172.30.0.1"),
            "t.yaml:8:37: 172.30.0.1 is the gateway of network blue: the bridge has it");
  EXPECT_EQ(
      refused("  docker:\n    networks: {blue: {subnet: 172.17.0.0/24}}\n    containers: {web: {}}\n"),
      "t.yaml:6:31: 172.17.0.0/24 overlaps 172.17.0.0/16, which is in use already: it is docker's default "
      "network");
  EXPECT_THAT(refused("  podman:\n    networks: {blue: {subnet: 10.88.7.0/24}}\n    containers: {web: {}}\n"),
              HasSubstr("it is podman's default network"));
  EXPECT_EQ(refused("  docker:\n    daemon: {bip: 172.20.0.1/16}\n    networks: {blue: {subnet: "
                    "172.17.0.0/24}}\n    containers: {web: {address: 172.20.0.2}}\n"),
            "no error");
  EXPECT_EQ(refused("  docker:\n    containers: {web: {address: 172.18.0.2}}\n"),
            "t.yaml:6:33: 172.18.0.2 is outside docker's default network (172.17.0.0/16)");
  EXPECT_THAT(refused("  podman:\n    containers: {web: {address: 10.88.0.1}}\n"),
              StartsWith("t.yaml:6:33: 10.88.0.1 is the gateway of podman's default network"));
}

TEST_F(SpecEngine, RefusesPortsThatCannotBePublished) {
  EXPECT_THAT(refused_container("publish: 8080"), HasSubstr("publishes no port"));
  EXPECT_THAT(refused_container("publish: \"8080:0\""), HasSubstr("no port from 1 to 65535"));
  EXPECT_THAT(refused_container("publish: \"8080:80/sctp\""), HasSubstr("neither tcp nor udp"));
  EXPECT_THAT(refused_container("publish: \"::1:8080:80\""), HasSubstr("in brackets"));
  EXPECT_THAT(refused_container("publish: [\"8080:80\", \"8080:81\"]"), HasSubstr("published twice"));
  EXPECT_THAT(
      refused_container("publish: [\"8080:80\", \"127.0.0.1:8080:81\"]"),
      StartsWith("t.yaml:8:34: port 8080/tcp of the host is published twice: every address is as well"));
  EXPECT_THAT(refused_container("publish: [\"0.0.0.0:8080:80\", \"127.0.0.1:8080:81\"]"), HasSubstr("twice"));
  EXPECT_EQ(refused_container("publish: [\"127.0.0.2:8080:80\", \"127.0.0.1:8080:81\", \"8080:81/udp\"]"),
            "no error");
  EXPECT_EQ(refused_container("publish: [\"[::1]:8080:80\", \"127.0.0.1:8080:80/tcp\", \"53:53/udp\"]"),
            "no error");
}

TEST_F(SpecEngine, TakesOfTheDaemonWhatIsAboutNetworks) {
  const auto with = [&](const std::string& keys) {
    return refused("  docker:\n    daemon: {" + keys + "}\n    containers: {web: {}}\n");
  };
  EXPECT_EQ(with("icc: false, live-restore: true, userland-proxy: false, mtu: 1400, bip: 10.9.0.1/24, "
                 "fixed-cidr: 10.9.0.128/25, default-address-pools: [{base: 10.64.0.0/10, size: 24}], dns: "
                 "[192.168.16.53], features: {buildkit: true}, log-level: debug"),
            "no error");
  // Each of these would open what it names as root, on the machine's own file system or network.
  for (const char* key : {"deprecated-key-path",
                          "data-root",
                          "exec-root",
                          "pidfile",
                          "hosts",
                          "containerd",
                          "cdi-spec-dirs",
                          "metrics-addr",
                          "exec-opts",
                          "runtimes",
                          "tlscacert",
                          "authorization-plugins",
                          "userland-proxy-path",
                          "seccomp-profile",
                          "log-driver",
                          "group",
                          "oom-score-adjust",
                          "cgroup-parent",
                          "Data-Root",
                          "HOSTS"}) {
    const std::string message = with(std::string(key) + ": /tmp/x");
    EXPECT_THAT(message, StartsWith("t.yaml:6:14: '" + std::string(key) + "' is ")) << message;
  }
  EXPECT_THAT(with("iccc: false"),
              StartsWith("t.yaml:6:14: unknown key 'iccc' in daemon; did you mean 'icc'?"));
  EXPECT_THAT(with("icc: nope"), StartsWith("t.yaml:6:19: 'icc' must be true or false"));
  EXPECT_THAT(with("bip: 172.17.0.1"), HasSubstr("has no room"));
  EXPECT_THAT(with("bip: 172.17.0.0/16"), StartsWith("t.yaml:6:19: 172.17.0.0 is the network address"));
  EXPECT_THAT(with("bip: 192.168.16.77/24"),
              StartsWith("t.yaml:6:19: 192.168.16.0/24 overlaps 192.168.16.0/24, which is in use already"));
  EXPECT_THAT(with("bip: 10.9.0.1/24, fixed-cidr: 10.8.0.0/25"), HasSubstr("no part of 10.9.0.0/24"));
}

TEST_F(SpecEngine, RefusesNamesAndKeysThatEnginesWouldNotTake) {
  EXPECT_THAT(refused("  docker:\n    containers: {x: {}}\n"),
              StartsWith("t.yaml:6:18: a container engine takes no"));
  EXPECT_THAT(refused("  docker:\n    containers: {internet: {}}\n"), HasSubstr("the world has a node"));
  EXPECT_THAT(refused("  docker:\n    daemon: {data-root: /x}\n    containers: {web: {}}\n"),
              StartsWith("t.yaml:6:14: 'data-root' is given to the daemon by plumbline itself"));
  EXPECT_THAT(refused("  podman:\n    daemon: {icc: false}\n    containers: {web: {}}\n"),
              HasSubstr("unknown key 'daemon'"));
  EXPECT_THAT(refused("  docker: {}\n"), HasSubstr("needs the key 'containers'"));
}

}  // namespace
}  // namespace plumbline::spec
