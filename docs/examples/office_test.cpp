#include <plumbline/testing.hpp>

using namespace plumbline::testing;

namespace {

/// Each test gets a network of its own, arranged by the scenario in the file.
class Office : public NetworkTest {
 protected:
  Office() : NetworkTest(scenario("office.yaml")) {}
};

TEST_F(Office, ContainersReachTheInternetUnderTheHostsAddress) {
  EXPECT_THAT(from("container-one").to("internet").ping(), Reaches());
  EXPECT_THAT(from("container-one").to("internet").tcp(80), Egresses("ens4", "192.168.16.10"));
}

TEST_F(Office, InternalNetworksAreOutOfBounds) {
  EXPECT_THAT(from({"container-one", "container-two"}).to({"10.1.2.3", "lan-peer"}).with({"ping", "tcp/80"}),
              IsDenied("reject"));
}

TEST_F(Office, NamesResolve) {
  EXPECT_THAT(from("container-one").query("www.example.test"), Resolves("203.0.113.80"));
  EXPECT_THAT(from("container-one").query("www.example.test").at("public-resolver").over_tcp(), Resolves());
}

/// Whatever a spec can promise, a test can, in the same words.
TEST_F(Office, TheHostReachesItsContainers) {
  EXPECT_THAT(network().check("reach: {from: host, to: [container-one, container-two], with: tcp/8080}"),
              Pass());
}

/// The same from code: a server, a host with one container, and a firewall of one's own.
class Firewall : public NetworkTest {
 protected:
  static plumbline::spec::Spec network_with(const std::string& rules) {
    return NetworkBuilder()
        .node("server")
        .cable({"host", "ens4", {"192.168.16.10/24"}}, {"server", "eth0", {"192.168.16.66/24"}})
        .bridge("bridge0", {"192.168.99.1/24"})
        .container("container-one", {"192.168.99.11"})
        .forward("ens4")
        .masquerade("ens4")
        .nft(rules)
        .arrangement();
  }

  Firewall()
      : NetworkTest(network_with("table inet mine {\n"
                                 "  chain out {\n"
                                 "    type filter hook forward priority -10; policy accept;\n"
                                 "    tcp dport 25 reject\n"
                                 "  }\n"
                                 "}\n")) {}
};

TEST_F(Firewall, StopsMailAndNothingElse) {
  EXPECT_THAT(from("container-one").to("server").tcp(25), IsDenied("reject"));
  EXPECT_THAT(from("container-one").to("server").tcp(80), Reaches());
}

}  // namespace
