// Links and neighbours broken: the failing check must tell which it was.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "harness/engine/run/testing/breaks.hpp"

namespace plumbline::engine {
namespace {

using testing::Break;

class LinkCauses : public ::testing::TestWithParam<Break> {};

TEST_P(LinkCauses, AreNamedByTheChecksThatFail) {
  testing::expect_to_be_named(GetParam());
}

std::vector<Break> links() {
  return {
      {"ThePortIsDown",
       "link-down",
       "  - then: {set-link: {dev: veth1, up: false}}",
       {"reach: {from: host, to: container-one}", "reach: {from: container-two, to: container-one}"},
       {}},
      {"TheBridgeIsDown",
       "link-down",
       "  - then: {set-link: {dev: bridge0, up: false}}",
       {"reach: {from: container-one, to: [192.168.99.1, 203.0.113.80], with: [ping, tcp/80]}",
        "reach: {from: container-one, to: [\"fd00:99::1\", \"2001:db8:ffff::80\"]}",
        "reach: {from: host, to: [192.168.99.11, \"fd00:99::11\"]}"},
       {},
       "",
       "",
       false},
      {"TheUplinkIsDown",
       "link-down",
       "  - then: {set-link: {dev: ens4, up: false}}",
       {"egress: {from: container-one, to: internet, via: ens4, as: 192.168.16.10, family: ipv4}",
        "reach: {from: host, to: [192.168.16.66, \"2001:db8:16::66\"]}"},
       {"no-default-route", "missing-masquerade"},
       "",
       "",
       false},
      {"TheContainersEndIsDown",
       "link-down",
       "  - then: {set-link: {in: container-one, dev: eth0, up: false}}",
       {"reach: {from: container-one, to: [192.168.99.1, 203.0.113.80, \"fd00:99::1\"], with: [ping, "
        "udp/7]}"},
       {"no-default-route"},
       "",
       "",
       false},
      {"TheContainersEndIsDownOverIpv4",
       "link-down",
       "  - then: {set-link: {in: container-one, dev: eth0, up: false}}",
       {"reach: {from: container-one, to: 203.0.113.80}"},
       {"no-default-route"}},
      {"TheUplinkIsDownOverIpv4",
       "link-down",
       "  - then: {set-link: {dev: ens4, up: false}}",
       {"egress: {from: container-one, to: internet, via: ens4, as: 192.168.16.10, family: ipv4}"},
       {"no-default-route"}},
      {"TheHostsEndIsDown",
       "no-carrier",
       "  - then: {set-link: {dev: veth1, up: false}}",
       {"reach: {from: container-one, to: [host, internet], with: [ping, tcp/80]}"},
       {}},
      {"TheTargetsEndIsDown",
       "no-carrier",
       "  - then: {set-link: {in: container-one, dev: eth0, up: false}}",
       {"reach: {from: [host, container-two], to: [192.168.99.11, \"fd00:99::11\"]}"},
       {},
       "",
       "",
       false},
      {"TheWorldsEndIsDown",
       "no-carrier",
       "  - then: {set-link: {in: wan, dev: gateway, up: false}}",
       {"reach: {from: host, to: 203.0.113.80}"},
       {}},
      {"NoMaster",
       "not-on-bridge",
       "  - then: {set-link: {dev: veth1, master: none}}",
       {"reach: {from: container-one, to: [container-two, internet, host]}",
        "reach: {from: [host, container-two], to: container-one}",
        "egress: {from: container-one, to: internet, via: ens4, as: 192.168.16.10, family: ipv4}"},
       {"forward-policy-drop"}},
      {"AnotherMaster",
       "not-on-bridge",
       "  - run: {shell: \"ip link add bridge1 type bridge; ip link set bridge1 up\"}\n"
       "  - then: {set-link: {dev: veth1, master: bridge1}}",
       {"reach: {from: container-one, to: [container-two, internet]}",
        "reach: {from: [host, container-two], to: container-one}"},
       {"forward-policy-drop"}},
      {"TheWorldsPortIsTakenOff",
       "not-on-bridge",
       "  - then: {set-link: {in: lan, dev: lan-peer, master: none}}",
       {"reach: {from: host, to: lan-peer}"},
       {}},
  };
}

std::vector<Break> neighbours() {
  return {
      {"NoArpAtTheTarget",
       "arp-unanswered",
       "  - run: {shell: \"ip -n container-two link set eth0 arp off\"}",
       {"reach: {from: [host, container-one], to: 192.168.99.12}"},
       {}},
      {"NoArpAtTheSender",
       "arp-unanswered",
       "  - run: {shell: \"ip -n container-one link set eth0 arp off\"}",
       {"reach: {from: container-one, to: [192.168.99.12, 203.0.113.80, \"fd00:99::12\"]}"},
       {}},
      {"ArpIgnored",
       "arp-unanswered",
       "  - then: {sysctl: {in: container-two, set: {net.ipv4.conf.all.arp_ignore: 8}}}",
       {"reach: {from: [host, container-one], to: 192.168.99.12}"},
       {}},
      {"ArpDroppedByTheBridge",
       "bridge-rule-drop",
       "  - then: {nft: {rules: \"table bridge f { chain c { type filter hook forward priority 0; ether type "
       "arp "
       "drop; }; }\"}}",
       {"reach: {from: container-one, to: 192.168.99.12}"},
       {},
       "",
       "",
       false},
      {"TheWayBackIsElsewhere",
       "arp-unanswered",
       "  - run: {shell: \"sysctl -qw net.ipv4.conf.all.rp_filter=1; ip route add 192.168.99.11/32 dev "
       "ens5\"}",
       {"reach: {from: container-one, to: internet, family: ipv4}"},
       {"rp-filter"}},
      {"TheGatewayIsNobody",
       "wrong-gateway",
       "  - run: {shell: \"ip -n container-one route replace default via 192.168.99.77; ip -n container-one "
       "-6 route "
       "replace default via fd00:99::77\"}",
       {"reach: {from: container-one, to: [203.0.113.80, \"2001:db8:ffff::80\"], with: [ping, tcp/80]}"},
       {}},
      {"TheHostsGatewayIsNobody",
       "wrong-gateway",
       "  - run: {shell: \"ip route replace default via 192.168.16.99\"}",
       {"egress: {from: container-one, to: internet, via: ens4, as: 192.168.16.10, family: ipv4}",
        "reach: {from: host, to: 203.0.113.80}"},
       {}},
      {"NobodyHoldsIt",
       "neighbour-failed",
       "",
       {"reach: {from: container-one, to: [192.168.99.77, \"fd00:99::77\"]}"},
       {},
       "",
       "",
       false},
      {"IsolatedPorts",
       "bridge-port-isolated",
       "  - run: {shell: \"bridge link set dev veth1 isolated on; bridge link set dev veth2 isolated on\"}",
       {"reach: {from: container-one, to: container-two}"},
       {}},
      {"AFixedNeighbour",
       "static-neighbour-wrong",
       "  - run: {shell: \"ip -n container-one neigh replace 192.168.99.1 dev eth0 nud permanent lladdr "
       "02:00:00:00:00:99; ip -n container-one neigh replace fd00:99::1 dev eth0 nud permanent lladdr "
       "02:00:00:00:00:99\"}",
       {"reach: {from: container-one, to: [internet, host], with: [ping, tcp/80]}",
        "resolve: {from: container-one, name: www.example.test, with: udp}"},
       {"dns-server-unreachable"}},
      {"AFixedNeighbourOfTheHost",
       "static-neighbour-wrong",
       "  - run: {shell: \"ip neigh replace 192.168.99.11 dev bridge0 nud permanent lladdr "
       "02:00:00:00:00:99\"}",
       {"reach: {from: host, to: 192.168.99.11}", "reach: {from: container-one, to: internet, family: ipv4}"},
       {}},
  };
}

std::string name_of(const ::testing::TestParamInfo<Break>& each) {
  return each.param.name;
}

INSTANTIATE_TEST_SUITE_P(Links, LinkCauses, ::testing::ValuesIn(links()), name_of);
INSTANTIATE_TEST_SUITE_P(Neighbours, LinkCauses, ::testing::ValuesIn(neighbours()), name_of);

}  // namespace
}  // namespace plumbline::engine
