#include "checks/link.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumbline::checks {
namespace {

using engine::Verdict;
using network::Endpoint;
using ::testing::HasSubstr;

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

network::Node host() {
  network::Node node;
  node.name = "host";
  network::Interface lo;
  lo.name = "lo";
  lo.kind = network::LinkKind::loopback;
  network::Interface veth;
  veth.name = "veth1";
  veth.kind_name = "veth";
  veth.master = "bridge0";
  veth.mtu = 1500;
  veth.mac = MacAddress::parse("02:00:00:00:00:01");
  veth.running = true;
  for (const char* address : {"192.168.99.1/24", "fd00:99::1/64", "fe80::1/64"}) {
    veth.addresses.push_back(InterfaceAddress::parse(address).value());
  }
  node.interfaces = {lo, veth};
  return node;
}
const Endpoint kPeer{"container-one", "eth0"};

LinkPromise everything() {
  LinkPromise promise;
  promise.dev = "veth1";
  promise.state = "up";
  promise.kind = "veth";
  promise.peer = kPeer;
  promise.master = "bridge0";
  promise.mtu = 1500;
  promise.mac = MacAddress::parse("02:00:00:00:00:01");
  promise.addresses = {{ip("192.168.99.1"), 24}, {ip("fd00:99::1"), std::nullopt}};
  return promise;
}

TEST(LinkJudgement, PassesWhereAllIsAsPromised) {
  const auto judged = judge_link(everything(), host(), kPeer);
  EXPECT_EQ(judged.verdict, Verdict::pass) << judged.observed;
  EXPECT_EQ(judged.observed,
            "host:veth1: up; kind veth; peer container-one:eth0; master bridge0; mtu 1500; mac "
            "02:00:00:00:00:01; 192.168.99.1/24, fd00:99::1/64");
}

TEST(LinkJudgement, FailsTheOneThingThatDiffersAndNamesIt) {
  const auto expect_failure = [](const network::Node& node, const std::optional<Endpoint>& peer,
                                 const char* said) {
    const auto judged = judge_link(everything(), node, peer);
    EXPECT_EQ(judged.verdict, Verdict::fail) << said;
    EXPECT_EQ(judged.observed, std::string("host:veth1: ") + said);
  };
  network::Node node = host();
  node.interfaces[1].up = false;
  expect_failure(node, kPeer, "down instead of up");
  node = host();
  node.interfaces[1].running = false;
  expect_failure(node, kPeer, "no-carrier instead of up");
  expect_failure(host(), std::nullopt, "peer none that is known instead of container-one:eth0");
  expect_failure(host(), Endpoint{"container-two", "eth0"},
                 "peer container-two:eth0 instead of container-one:eth0");
  node = host();
  node.interfaces[1].master.clear();
  expect_failure(node, kPeer, "master none instead of bridge0");
  node = host();
  node.interfaces[1].mtu = 1400;
  expect_failure(node, kPeer, "mtu 1400 instead of 1500");
  node = host();
  node.interfaces[1].kind_name = "macvlan";
  expect_failure(node, kPeer, "kind macvlan instead of veth");
}

TEST(LinkJudgement, AddressesAreExactlyThose) {
  LinkPromise promise;
  promise.dev = "veth1";
  promise.addresses = {{ip("192.168.99.1"), std::nullopt}};
  EXPECT_EQ(judge_link(promise, host(), std::nullopt).verdict, Verdict::fail) << "one more";
  promise.addresses = {{ip("192.168.99.1"), 16}, {ip("fd00:99::1"), std::nullopt}};
  EXPECT_EQ(judge_link(promise, host(), std::nullopt).verdict, Verdict::fail) << "another length";
  promise.addresses = {{ip("192.168.99.1"), 24}, {ip("fd00:99::1"), 64}, {ip("fd00:99::2"), std::nullopt}};
  EXPECT_EQ(judge_link(promise, host(), std::nullopt).verdict, Verdict::fail) << "one less";
  promise.addresses = {{ip("192.168.99.1"), 24}, {ip("fd00:99::1"), 64}, {ip("fe80::1"), 64}};
  EXPECT_EQ(judge_link(promise, host(), std::nullopt).verdict, Verdict::pass) << "link-local, named";
  promise.addresses = {{ip("192.168.99.1"), 24}, {ip("fd00:99::1"), 64}, {ip("fe80::2"), 64}};
  EXPECT_EQ(judge_link(promise, host(), std::nullopt).verdict, Verdict::fail);
  promise.dev = "lo";
  promise.addresses.emplace();
  const auto none = judge_link(promise, host(), std::nullopt);
  EXPECT_EQ(none.verdict, Verdict::pass);
  EXPECT_EQ(none.observed, "host:lo: no addresses");
}

TEST(LinkJudgement, ATentativeAddressProvesNothingAndADuplicateFails) {
  network::Node node = host();
  node.interfaces[1].tentative = {ip("fd00:99::1")};
  EXPECT_EQ(judge_link(everything(), node, kPeer).verdict, Verdict::inconclusive);
  node.interfaces[1].tentative.clear();
  node.interfaces[1].duplicate = {ip("fd00:99::1")};
  EXPECT_EQ(judge_link(everything(), node, kPeer).verdict, Verdict::fail);
  node.interfaces[1].mtu = 1400;
  node.interfaces[1].tentative = {ip("fd00:99::1")};
  EXPECT_EQ(judge_link(everything(), node, kPeer).verdict, Verdict::fail)
      << "whatever becomes of the address";
}

TEST(LinkJudgement, AnInterfaceThatIsNotThereFails) {
  LinkPromise promise = everything();
  promise.dev = "veth2";
  const auto judged = judge_link(promise, host(), std::nullopt);
  EXPECT_EQ(judged.verdict, Verdict::fail);
  EXPECT_EQ(judged.observed, "host has no interface veth2; it has lo, veth1");
}

TEST(LinkJudgement, NamesMayBePromisedToo) {
  EXPECT_EQ(judge_absent("veth2", host()).verdict, Verdict::pass);
  const auto there = judge_absent("veth1", host());
  EXPECT_EQ(there.verdict, Verdict::fail);
  EXPECT_EQ(there.observed, "host has veth1, kind veth, up");
  EXPECT_EQ(judge_only({"veth1", "lo"}, host()).verdict, Verdict::pass);
  EXPECT_EQ(judge_only({"lo"}, host()).verdict, Verdict::fail);
  EXPECT_EQ(judge_only({"lo", "veth1", "veth2"}, host()).verdict, Verdict::fail);
  EXPECT_THAT(judge_only({"lo"}, host()).observed, HasSubstr("host has lo, veth1"));
}

}  // namespace
}  // namespace plumbline::checks
