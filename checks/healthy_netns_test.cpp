// Networks that are well, by means that once raised a false alarm.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "checks/testing_arranged.hpp"
#include "harness/base/fd.hpp"

namespace plumbline::checks {
namespace {

using engine::Verdict;
using ::testing::HasSubstr;
using testing_support::Arranged;
using testing_support::arranged_spec;

/// A server of the setup's own, which never answers.
Fd server(const kernel::Netns& netns, std::uint16_t port) {
  const kernel::Netns::Entered inside = netns.enter();
  Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_port = htons(port);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0) {
    throw Error("the test's own server has no port");
  }
  return socket;
}

TEST(Healthy, APortThatTheSetupServesItselfIsTheSetups) {
  Arranged arranged(arranged_spec(R"(  - reach: {from: host, to: container-one, family: ipv4, with: udp/53}
  - reach: {from: host, to: container-one, family: ipv4, with: udp/54}
  - hooks: {from: host, to: container-one, family: ipv4, with: udp/53, in: host, expect: [output, postrouting]})"));
  const Fd taken = server(arranged.network().netns("container-one"), 53);
  const auto results = arranged.judge();
  EXPECT_EQ(results.at(0).verdict, Verdict::fail);  // nobody answered
  EXPECT_THAT(results.at(0).observed, HasSubstr("last seen at container-one:eth0"));
  EXPECT_EQ(results.at(1).verdict, Verdict::pass) << results[1].observed;
  EXPECT_EQ(results.at(2).verdict, Verdict::pass) << results[2].observed;
}

TEST(Healthy, TheHostsOwnConnectionsMayLeaveByOtherPorts) {
  Arranged arranged(arranged_spec(R"(  - reach: {from: host, to: internet, with: [ping, tcp/80, udp/7]}
  - egress: {from: host, to: internet, via: ens4, with: [ping, tcp/80, udp/7]}
  - resolve: {from: host, name: www.example.test, expect: 203.0.113.80, with: [udp, tcp]})"));
  arranged.run(
      "host",
      "nft 'table inet ports { chain out { type nat hook postrouting priority 90; "
      "meta l4proto { tcp, udp } oifname { ens4, ens5 } masquerade to :61000-65000 fully-random; }; }'");
  for (const auto& result : arranged.judge())
    EXPECT_EQ(result.verdict, Verdict::pass) << result.id << ": " << result.observed;
}

TEST(Healthy, TheUplinkMayBeAPortOfABridge) {
  Arranged arranged(arranged_spec(
      R"(  - egress: {from: host, to: internet, family: ipv4, via: ens4, as: 192.168.16.10, hops: 0, with: [ping, tcp/80]}
  - egress: {from: container-one, to: internet, family: ipv4, via: ens4, as: 192.168.16.10, hops: 1})",
      R"(
    bridges:
      bridge0: {address: 192.168.99.1/24, containers: {container-one: 192.168.99.11}}
)"));
  arranged.run("host",
               "ip link add lan0 type bridge; ip link set ens4 master lan0; ip link set lan0 up; "
               "ip addr del 192.168.16.10/24 dev ens4; ip addr add 192.168.16.10/24 dev lan0; "
               "ip route replace default via 192.168.16.1 dev lan0; echo 1 >/proc/sys/net/ipv4/ip_forward; "
               "nft 'table ip nat { chain out { type nat hook postrouting priority 100; oifname lan0 "
               "masquerade; }; }'");
  for (const auto& result : arranged.judge())
    EXPECT_EQ(result.verdict, Verdict::pass) << result.id << ": " << result.observed;
}

TEST(Healthy, WhoAnswersByAMacvlanIsNotTheNodeThatItLiesOn) {
  Arranged arranged(arranged_spec(
      "  - reach: {from: lan-peer, to: container-one, family: ipv4, with: [ping, tcp/80, udp/7]}", R"(
    containers: {container-one: {}}
)"));
  const std::string there = "/proc/" + std::to_string(::getpid()) + "/fd/" +
                            std::to_string(arranged.network().netns("container-one").fd());
  arranged.run("host",
               "ip link add lan0 link ens4 type macvlan mode bridge; ip link set lan0 netns " + there);
  arranged.run("container-one", "ip addr add 192.168.16.21/24 dev lan0; ip link set lan0 up");
  for (const auto& result : arranged.judge())
    EXPECT_EQ(result.verdict, Verdict::pass) << result.id << ": " << result.observed;
}

TEST(Learned, IsToldApartByTheNodeThatHasTheBridge) {
  const spec::Spec spec =
      arranged_spec(R"(  - learned: {from: lan-peer, to: gateway, family: ipv4, bridge: lan, in: lan}
  - learned: {from: lan-peer, to: gateway, family: ipv4, bridge: lan})");
  const std::vector<engine::ChangeKind> no_changes;
  const auto plan = engine::make_plan(spec, {check_kinds(), no_changes});
  EXPECT_EQ(plan.checks.at(0)->promise.id, "learned lan-peer -> gateway on lan in lan");
  EXPECT_EQ(plan.checks.at(1)->promise.id, "learned lan-peer -> gateway on lan");
}

}  // namespace
}  // namespace plumbline::checks
