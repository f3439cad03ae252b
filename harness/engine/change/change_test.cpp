// What changes refuse in a spec, what they say they are, and what they foresee.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "harness/engine/change/kinds.hpp"
#include "harness/engine/spec/spec.hpp"

namespace plumbline::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

network::Interface cabled(const std::string& name, const network::Endpoint& peer) {
  network::Interface interface;
  interface.name = name;
  interface.peer = peer;
  return interface;
}

/// host:veth1 -- one:eth0
network::Topology small() {
  network::Topology topology;
  topology.nodes.resize(2);
  network::Node& host = topology.nodes[0];
  host.name = "host";
  host.role = network::Role::host;
  host.interfaces.push_back(cabled("veth1", {"one", "eth0"}));
  network::Node& one = topology.nodes[1];
  one.name = "one";
  one.role = network::Role::container;
  one.interfaces.push_back(cabled("eth0", {"host", "veth1"}));
  return topology;
}

/// "delete-link: {in: host, dev: veth1}"
std::unique_ptr<Change> parse(const std::string& yaml, const network::Topology& intended = small()) {
  const spec::Value document = spec::parse_yaml(yaml, "t.yaml");
  const spec::Value::Entry& entry = document.as_mapping("a change").front();
  const auto kind = std::ranges::find(change_kinds(), entry.key, &ChangeKind::name);
  if (kind == change_kinds().end()) throw std::invalid_argument("no kind " + entry.key);
  spec::Spec spec;
  spec.file = "t.yaml";
  return kind->parse({entry.key, entry.mark, entry.value, true}, intended, spec);
}

std::string refused(const std::string& yaml) {
  try {
    parse(yaml);
  } catch (const spec::SpecError& error) {
    return error.what();
  }
  return "not refused";
}

std::string about(const std::string& yaml) {
  return parse(yaml)->about;
}

std::vector<std::string> interfaces(const network::Node& node) {
  std::vector<std::string> names;
  for (const network::Interface& interface : node.interfaces) names.push_back(interface.name);
  return names;
}

TEST(Changes, AreTheseKindsInOrder) {
  std::vector<std::string_view> names;
  for (const ChangeKind& kind : change_kinds()) names.push_back(kind.name);
  EXPECT_THAT(names, ElementsAre("add-address", "add-route", "delete-address", "delete-link", "delete-route",
                                 "nft", "resolvers", "run", "service", "set-link", "sysctl"));
}

TEST(DeleteLink, ReadsItsArguments) {
  EXPECT_EQ(about("delete-link: {dev: veth1}"), "delete-link host:veth1");
  EXPECT_EQ(about("delete-link: {in: one, dev: eth0}"), "delete-link one:eth0");
  EXPECT_EQ(refused("delete-link: {in: noe, dev: eth0}"),
            "t.yaml:1:19: unknown node 'noe'; did you mean 'one'?");
  EXPECT_EQ(refused("delete-link: {in: one}"), "t.yaml:1:14: a change needs the key 'dev'");
  EXPECT_EQ(refused("delete-link: {in: one, dev: an-interface-too-long}"),
            "t.yaml:1:29: 'dev' must be at most 15 characters long, and 'an-interface-too-long' has 21");
}

TEST(DeleteLink, ForeseesThatBothEndsGo) {
  network::Topology intended = small();
  parse("delete-link: {in: one, dev: eth0}")->foresee(intended);
  EXPECT_THAT(interfaces(*intended.find("one")), IsEmpty());
  EXPECT_THAT(interfaces(*intended.find("host")), IsEmpty());
}

TEST(DeleteLink, ForeseesNothingOfAnInterfaceThatIsNotKnown) {
  network::Topology intended = small();
  parse("delete-link: {dev: docker0}")->foresee(intended);
  EXPECT_THAT(interfaces(*intended.find("host")), ElementsAre("veth1"));
  EXPECT_THAT(interfaces(*intended.find("one")), ElementsAre("eth0"));
}

TEST(SetLink, ReadsItsArguments) {
  EXPECT_EQ(about("set-link: {dev: veth1, up: false}"), "set-link host:veth1 down");
  EXPECT_EQ(about("set-link: {dev: veth1, up: true, mtu: 1400, master: bridge0}"),
            "set-link host:veth1 up mtu 1400 master bridge0");
  EXPECT_EQ(refused("set-link: {dev: veth1}"),
            "t.yaml:1:11: set-link sets nothing: say `up`, `mtu` or `master`");
  EXPECT_EQ(refused("set-link: {dev: veth1, up: 1}"), "t.yaml:1:28: 'up' must be true or false, not '1'");
  EXPECT_EQ(refused("set-link: {dev: veth1, mtu: 67}"),
            "t.yaml:1:29: 'mtu' must be a whole number from 68 to 65535, not '67'");
}

TEST(AddAddress, ReadsItsArguments) {
  EXPECT_EQ(about("add-address: {in: one, dev: eth0, address: 192.168.99.11/24}"),
            "add-address one:eth0 192.168.99.11/24");
  EXPECT_EQ(refused("add-address: {in: one, dev: eth0, address: 192.168.99.11}"),
            "t.yaml:1:44: 'address' must have a prefix length, as in 192.168.99.11/24");
  EXPECT_EQ(refused("add-address: {in: one, dev: eth0, address: 192.168.99.311/24}"),
            "t.yaml:1:44: 'address' must be an address with its prefix length such as 192.168.16.10/24, not "
            "'192.168.99.311/24'");
}

TEST(DeleteAddress, ReadsItsArguments) {
  EXPECT_EQ(about("delete-address: {dev: veth1, address: \"fd00:99::1/64\"}"),
            "delete-address host:veth1 fd00:99::1/64");
  EXPECT_EQ(refused("delete-address: {dev: veth1}"), "t.yaml:1:17: delete-address needs the key 'address'");
}

TEST(Addresses, AreForeseen) {
  network::Topology intended = small();
  const network::Node& one = *intended.find("one");
  const std::string arguments = "{in: one, dev: eth0, address: 192.168.99.11/24}";
  parse("add-address: " + arguments)->foresee(intended);
  ASSERT_EQ(one.find_interface("eth0")->addresses.size(), 1U);
  EXPECT_EQ(one.find_interface("eth0")->addresses.front().to_string(), "192.168.99.11/24");
  parse("add-address: {in: one, dev: eth0, address: 192.168.99.12/24}")->foresee(intended);
  parse("delete-address: " + arguments)->foresee(intended);
  ASSERT_EQ(one.find_interface("eth0")->addresses.size(), 1U);
  EXPECT_EQ(one.find_interface("eth0")->addresses.front().to_string(), "192.168.99.12/24");
}

TEST(Addresses, AreForeseenOnAnInterfaceThatAScriptWillHaveMade) {
  network::Topology intended = small();
  parse("add-address: {dev: docker0, address: 172.17.0.1/16}")->foresee(intended);
  const network::Interface* made = intended.find("host")->find_interface("docker0");
  ASSERT_NE(made, nullptr);
  EXPECT_EQ(made->addresses.front().to_string(), "172.17.0.1/16");
}

TEST(AddRoute, ReadsItsArguments) {
  EXPECT_EQ(about("add-route: {in: one, to: default, via: 192.168.99.1}"),
            "add-route one 0.0.0.0/0 via 192.168.99.1");
  EXPECT_EQ(about("add-route: {in: one, to: default, via: \"fd00:99::1\", dev: eth0, table: 100}"),
            "add-route one ::/0 via fd00:99::1 dev eth0 table 100");
  EXPECT_EQ(about("add-route: {to: 10.0.0.0/8, dev: veth1}"), "add-route host 10.0.0.0/8 dev veth1");
  EXPECT_EQ(refused("add-route: {to: default}"),
            "t.yaml:1:12: add-route needs 'via' or 'dev': the route leads nowhere");
  EXPECT_EQ(refused("add-route: {to: 10.0.0.0/8, table: 100}"),
            "t.yaml:1:12: add-route needs 'via' or 'dev': the route leads nowhere");
  EXPECT_EQ(refused("add-route: {to: 10.1.2.3/8, dev: veth1}"),
            "t.yaml:1:17: 'to' must be a network such as 10.0.0.0/8, not '10.1.2.3/8'; the network of "
            "10.1.2.3/8 is 10.0.0.0/8");
}

TEST(DeleteRoute, ReadsItsArguments) {
  EXPECT_EQ(about("delete-route: {in: one, to: default}"), "delete-route one 0.0.0.0/0");
  EXPECT_EQ(refused("delete-route: {in: one}"), "t.yaml:1:15: a route needs the key 'to'");
  EXPECT_EQ(refused("delete-route: {to: default, table: 0}"),
            "t.yaml:1:36: 'table' must be a whole number from 1 to 4294967295, not '0'");
}

TEST(Service, ReadsItsArguments) {
  EXPECT_EQ(about("service: {in: one, port: 53, does: stop}"), "service one 53 stop");
  EXPECT_EQ(about("service: {port: 53, over: tcp, does: ignore}"), "service host tcp/53 ignore");
  EXPECT_EQ(about("service: {port: 80, does: reset}"), "service host tcp/80 reset");
  EXPECT_EQ(about("service: {port: 7, over: udp, does: echo, source: 192.168.99.2, source-port: 8}"),
            "service host udp/7 echo source 192.168.99.2 source-port 8");
  EXPECT_EQ(about("service: {port: 53, does: dns, rcode: REFUSED, delay: 2s, truncated: true, names: {}}"),
            "service host 53 dns rcode REFUSED delay 2s truncated names");
  EXPECT_EQ(refused("service: {port: 80}"), "t.yaml:1:10: service needs the key 'does'");
  EXPECT_EQ(refused("service: {port: 80, does: resets}"),
            "t.yaml:1:27: 'does' must be stop, echo, http, dns, ignore, reset or full, not 'resets'; did you "
            "mean 'reset'?");
}

TEST(Service, RefusesWhatSaysNothingOfWhatItDoes) {
  EXPECT_EQ(refused("service: {port: 80, does: http, over: udp}"), "t.yaml:1:39: 'http' is of TCP");
  EXPECT_EQ(refused("service: {port: 80, does: stop, listen: 127.0.0.1}"),
            "t.yaml:1:41: 'listen' is of what listens");
  EXPECT_EQ(refused("service: {port: 80, does: reset, delay: 2s}"),
            "t.yaml:1:41: 'delay' is of echo, http and dns");
  EXPECT_EQ(refused("service: {port: 53, does: dns, delay: 2}"),
            "t.yaml:1:39: 'delay' must be a time from 1ms to 3600s, such as 30s, not '2'");
  EXPECT_EQ(refused("service: {port: 53, does: dns, over: tcp, source-port: 54}"),
            "t.yaml:1:56: 'source-port' is of echo and dns over UDP");
  EXPECT_EQ(refused("service: {port: 53, does: dns, question: ''}"),
            "t.yaml:1:42: 'question' must be a host name");
  EXPECT_EQ(refused("service: {port: 7, does: echo, names: {}}"), "t.yaml:1:39: 'names' is of dns");
}

TEST(Resolvers, AreReadAndForeseen) {
  network::Topology intended = small();
  EXPECT_EQ(about("resolvers: {in: one, are: 127.0.0.53}"), "resolvers one 127.0.0.53");
  EXPECT_EQ(about("resolvers: {are: []}"), "resolvers host none");
  EXPECT_EQ(refused("resolvers: {in: one}"), "t.yaml:1:12: resolvers needs the key 'are'");
  EXPECT_EQ(refused("resolvers: {are: [here]}"),
            "t.yaml:1:19: 'are' must be an IP address such as 192.168.16.1 or 2001:db8::1, not 'here'");
  parse("resolvers: {in: one, are: [192.0.2.1, \"2001:db8::1\"]}")->foresee(intended);
  EXPECT_EQ(intended.find("one")->resolvers.size(), 2U);
}

TEST(Sysctl, ReadsItsArguments) {
  EXPECT_EQ(about("sysctl: {in: one, set: {net.ipv4.ip_forward: 1, net.ipv4.tcp_rmem: 4096 8192 16384}}"),
            "sysctl one net.ipv4.ip_forward=1 net.ipv4.tcp_rmem=4096 8192 16384");
  EXPECT_EQ(refused("sysctl: {set: {net.ipv4.ip_forward: true}}"),
            "t.yaml:1:37: 'net.ipv4.ip_forward' must be 0 or 1, not 'true'");
  EXPECT_EQ(refused("sysctl: {set: {net.ipv4.ip_forward: false}}"),
            "t.yaml:1:37: 'net.ipv4.ip_forward' must be 0 or 1, not 'false'");
  EXPECT_EQ(refused("sysctl: {set: {kernel.pid_max: 1}}"),
            "t.yaml:1:16: only a node's own sysctls can be set, whose names begin with net.");
  EXPECT_EQ(refused("sysctl: {set: {}}"), "t.yaml:1:9: sysctl sets nothing: name one under 'set'");
}

TEST(Nft, ReadsItsArguments) {
  EXPECT_EQ(about("nft: {rules: \"delete table inet mine\"}"), "nft host");
  EXPECT_EQ(refused("nft: {in: one, rules: \"\"}"), "t.yaml:1:23: 'rules' is empty: nft loads nothing");
  EXPECT_EQ(refused("nft: {in: one, rules: \" \\n\"}"), "t.yaml:1:23: 'rules' is empty: nft loads nothing");
  EXPECT_EQ(refused("nft: {in: one, rule: x}"),
            "t.yaml:1:16: unknown key 'rule' in nft; did you mean 'rules'? (allowed: in, rules)");
}

TEST(Run, ReadsItsArguments) {
  EXPECT_EQ(about("run: {shell: \"ip link\\nip route\", arguments: [a, b]}"), "run ip link a b");
  EXPECT_EQ(refused("run: {arguments: a}"),
            "t.yaml:1:6: run needs 'run', the path of a script, or 'shell', the text of one");
  EXPECT_EQ(refused("run: {shell: \"true\", fails: \"\"}"),
            "t.yaml:1:29: 'fails' must say what is to be said");
  EXPECT_EQ(refused("run: {shell: \"true\", env: {A: [x, y]}}"), "t.yaml:1:6: 'A' must have one value here");
}

}  // namespace
}  // namespace plumbline::engine
