#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "harness/cli/testing/program.hpp"

namespace plumbline::cli::testing {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kPromises =
    "version: 1\n"
    "name: live\n"
    "nodes: {web: {netns: web}, db: {netns: db}, other: {netns: other}}\n"
    "checks:\n"
    "  - reach: {from: host, to: web, with: [ping, tcp/80, udp/99]}\n"
    "  - reach: {from: web, to: db, with: [ping, tcp/8080, udp/7777]}\n"
    "  - egress: {from: [web, other], to: 203.0.113.80, via: ens4, as: 192.168.16.10}\n"
    "  - deny: {from: web, to: other, with: [ping, tcp/80]}\n";
/// Whoever is sent this waits for as long as the test lets it.
constexpr const char* kPatience = "  - reach: {from: web, to: 192.168.99.77}\n";

/// Validates a host that a script arranges in namespaces of its own, as somebody does who is logged in there.
class Validate : public ::testing::Test {
 protected:
  void SetUp() override {
    const Ran ran = on_host("echo ready");
    if (ran.status == 0) return;
    if (in_ci()) FAIL() << ran.out << ran.err;
    GTEST_SKIP() << "no such host can be arranged here: " << ran.out << ran.err;
  }

  /// `command` sees the spec as $spec, and may call what live_host.sh has.
  Ran on_host(const std::string& command, const std::string& spec = kPromises) const {
    const Folder folder;
    const std::string path = folder.write("live.yaml", spec);
    std::vector<std::string> words;
    if (::geteuid() != 0) words.emplace_back("-r");
    for (const char* word : {"-n", "-m", "-p", "-f", "--mount-proc", "--kill-child", "sh",
                             PLUMBLINE_SOURCE_DIR "/harness/cli/testing/live_host.sh"})
      words.emplace_back(word);
    words.push_back(folder.path());
    words.push_back(command);
    return run({.arguments = std::move(words),
                .environment = {{"PLUMBLINE", PLUMBLINE_PROGRAM}, {"spec", path}},
                .program = "/usr/bin/unshare"});
  }

  /// A validation with `options` on the host that `broken` has been run in before.
  Ran validated(const std::string& options = {}, const std::string& broken = ":",
                const std::string& more = {}) const {
    return on_host(broken + R"(; status=0; "$PLUMBLINE" validate "$spec" )" + options +
                       R"( || status=$?; echo "EXIT $status")",
                   kPromises + more);
  }
};

TEST_F(Validate, APromiseKeptIsProvenAndTheHostStaysAsItWas) {
  const Ran ran =
      on_host(R"(remember; "$PLUMBLINE" validate "$spec" --report json; echo "EXIT $?"; compare)");
  EXPECT_THAT(ran.out, AllOf(HasSubstr("EXIT 0"), HasSubstr("STATE IS THE SAME"))) << ran.err;
  EXPECT_THAT(ran.out, Not(HasSubstr("DIFFERS")));
}

TEST_F(Validate, TheStateTellsWhateverIsAdded) {
  std::vector<const char*> changes = {
      "ip link add extra type bridge",
      "ip -n web addr add 192.0.2.7/32 dev lo",
      "ip route add 192.0.2.8 dev ens4 table 77",
      "ip -n db rule add from 192.0.2.9 lookup 77",
      "sysctl -qw net.ipv4.conf.ens4.forwarding=0",
      "nft add table inet extra",
      "touch /run/extra",
      "mount -t tmpfs tmpfs /mnt",
  };
  // Which tables iptables-legacy has, a kernel tells only its own root.
  if (on_host("cat /proc/net/ip_tables_names").status == 0) {
    changes.push_back("iptables-legacy -t nat -A POSTROUTING -j ACCEPT");
    changes.push_back("nsenter --net=/run/netns/db iptables-legacy -L");
  }
  for (const char* change : changes) {
    const Ran ran = on_host("remember; " + std::string(change) + " >/dev/null; compare");
    EXPECT_THAT(ran.out, HasSubstr("STATE DIFFERS")) << change << ran.err;
  }
}

TEST_F(Validate, TracingRulesAddsOneTableThatGoesWithItsOwner) {
  const std::string start =
      R"(remember; start validate "$spec" --timeout 60s --trace-rules -k 192.168.99.77; compare; )"
      R"(kill -)";
  for (const char* signal : {"KILL", "INT"}) {
    const Ran ran = on_host(start + signal +
                                R"( $started; status=0; wait $started || status=$?; exec 3<&-; )"
                                R"(echo "EXIT $status"; echo AFTERWARDS; compare)",
                            std::string(kPromises) + kPatience);
    const std::string during = ran.out.substr(0, ran.out.find("AFTERWARDS"));
    const std::string after = ran.out.substr(during.size());
    EXPECT_THAT(during, AllOf(::testing::ContainsRegex("adds the nftables table `inet plumbline-[0-9-]+`"),
                              HasSubstr("the namespaces of db, host, other, web"),
                              HasSubstr("> host: table inet plumbline"),
                              HasSubstr("> web: table inet plumbline"), Not(HasSubstr("table bridge"))))
        << ran.err;
    EXPECT_THAT(during, Not(HasSubstr("> inet: table"))) << "it is no node of the spec's";
    EXPECT_THAT(during, HasSubstr(std::string(signal) == "INT" ? "EXIT 130" : "EXIT 137"));
    EXPECT_THAT(after, HasSubstr("STATE IS THE SAME")) << ran.err;
  }
}

TEST_F(Validate, WithoutItNoRuleIsAddedAndAnEndHalfWayLeavesNothing) {
  for (const char* signal : {"KILL", "INT"}) {
    const Ran ran =
        on_host(std::string(R"(remember; start validate "$spec" --timeout 60s -k 192.168.99.77; )") +
                    R"(nft list tables; echo LISTED; kill -)" + signal +
                    R"( $started; status=0; wait $started || status=$?; exec 3<&-; )"
                    R"(echo "EXIT $status"; cat "$folder/output"; compare)",
                std::string(kPromises) + kPatience);
    EXPECT_THAT(ran.out,
                AllOf(HasSubstr("LISTED"), Not(HasSubstr("inet plumbline")), HasSubstr("STATE IS THE SAME")))
        << ran.err;
    EXPECT_THAT(ran.out, HasSubstr(std::string(signal) == "INT" ? "EXIT 130" : "EXIT 137"));
  }
}

struct Broken {
  const char* how;
  const char* check;
  const char* cause;
};

class ValidateBroken : public Validate, public ::testing::WithParamInterface<Broken> {};

TEST_P(ValidateBroken, TheRightCheckFailsForTheRightCause) {
  const Broken& broken = GetParam();
  const Ran ran =
      validated("--timeout 300ms", broken.how, "  - resolve: {from: web, name: www.example.test}\n");
  EXPECT_THAT(ran.out,
              AllOf(HasSubstr("EXIT 1"), ::testing::ContainsRegex(std::string("FAIL +") + broken.check),
                    HasSubstr(broken.cause)))
      << ran.err;
}

INSTANTIATE_TEST_SUITE_P(
    Hosts, ValidateBroken,
    ::testing::Values(
        Broken{"sysctl -qw net.ipv4.ip_forward=0", "egress web -> 203.0.113.80", "forwarding-disabled"},
        Broken{"nft flush chain ip nat post", "egress web -> 203.0.113.80", "missing-masquerade"},
        Broken{"nft chain ip filter forward '{ policy drop; }'", "egress web -> 203.0.113.80",
               "forward-policy-drop"},
        Broken{"ip -n web route replace default via 192.168.99.9", "egress web -> 203.0.113.80",
               "wrong-gateway"},
        Broken{"echo nameserver 192.168.99.88 >/etc/netns/web/resolv.conf", "resolve web www.example.test",
               "neighbour-failed"},
        Broken{"nft flush chain ip filter forward", "deny web -> other", "unexpected-accept"},
        Broken{"ip -n db link set eth0 down", "reach web -> db", "no-carrier"}),
    [](const auto& each) { return "Host" + std::to_string(each.index + 1); });

/// A service in web that takes whatever comes and answers nothing, up when `command` runs; it tells in
/// $folder/got what it was sent.
std::string with_service(const std::string& kind, const std::string& port, const std::string& command) {
  return "mkfifo $folder/up; nsenter --net=/run/netns/web python3 -c 'import socket,sys\n"
         "tcp = \"" +
         kind +
         "\" == \"tcp\"\n"
         "s = socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM)\n"
         "s.bind((\"\", " +
         port +
         "))\n"
         "if tcp: s.listen()\n"
         "print(\"up\", flush=True)\n"
         "sys.stdout.close()\n"
         "while True:\n"
         "  got = s.accept()[0].recv(99) if tcp else s.recv(99)\n"
         "  open(sys.argv[1], \"ab\").write(b\"got %d\\n\" % len(got))' $folder/got >$folder/up & "
         "read -r word <$folder/up; " +
         command;
}

TEST_F(Validate, AServiceOfTheNodesOwnIsAskedForNoMoreThanAConnection) {
  const Ran ran = on_host(with_service(
      "tcp", "80", R"("$PLUMBLINE" validate "$spec" -v -k tcp/80 && echo "EXIT 0"; cat $folder/got)"));
  EXPECT_THAT(ran.out, AllOf(HasSubstr("EXIT 0"), HasSubstr("connected; arrived at web:eth0"),
                             HasSubstr("got 0"), Not(::testing::ContainsRegex("got [1-9]"))))
      << ran.err;
}

TEST_F(Validate, SilenceOfAServiceOverUdpProvesNothing) {
  const Ran ran = on_host(with_service(
      "udp", "99",
      R"(status=0; "$PLUMBLINE" validate "$spec" -k udp/99 --timeout 200ms || status=$?; echo "EXIT $status"; cat $folder/got)"));
  EXPECT_THAT(ran.out, AllOf(HasSubstr("EXIT 4"), HasSubstr("arrived at web:eth0"), HasSubstr("need not"),
                             HasSubstr("got 56")))
      << ran.err;
}

TEST_F(Validate, ADenialWhoseTargetTheHostCannotReachIsNotProvenAndSaysWhatWouldBe) {
  const Ran ran = validated("-k 192.0.2.99", "nft insert rule ip filter forward ip daddr 192.0.2.99 drop",
                            "  - deny: {from: web, to: 192.0.2.99}\n");
  EXPECT_THAT(ran.out,
              AllOf(HasSubstr("EXIT 4"), HasSubstr("control failed too"), HasSubstr("Name a target")))
      << ran.err;
}

TEST_F(Validate, ADenialIsProvenByTheHostsOwnAccess) {
  const Ran ran = validated("-k 203.0.113.80",
                            "nft insert rule ip filter forward iifname br99 ip daddr 203.0.113.80 drop",
                            "  - deny: {from: db, to: 203.0.113.80}\n");
  EXPECT_THAT(ran.out, ::testing::ContainsRegex("PASS +deny db -> 203.0.113.80")) << ran.err;
}

TEST_F(Validate, AControlThatIsIsolatedItselfIsToBeReplacedAndNothingIsToBeOpened) {
  const Ran ran =
      validated("-k unlike", ":", "  - deny: {from: web, to: other, control: db, with: tcp/80}\n");
  // That it was the host, only a kernel says that lets its drops be traced.
  EXPECT_THAT(ran.out, AllOf(HasSubstr("EXIT 4"),
                             AnyOf(HasSubstr("host stops the control db too"),
                                   HasSubstr("last seen at host:br99 in, but the control failed too")),
                             Not(HasSubstr("fix  ")), Not(HasSubstr("cause  "))))
      << ran.err;
}

TEST_F(Validate, ListenersOfItsOwnThatAreInEachOthersWayAreNoServicesOfTheNodes) {
  const Ran ran = validated("-k isolated --rate 10000 -j 8", ":",
                            "  - isolated: {from: [web, db], to: other}\n"
                            "  - isolated: {from: other, to: [web, db]}\n");
  EXPECT_THAT(ran.out, AllOf(HasSubstr("EXIT 0"), HasSubstr("4 checks: 4 passed"))) << ran.err;
}

TEST_F(Validate, ProbesComeAtABoundedRate) {
  // Nine are sent, the first at once: egresses and denials have a control each.
  const auto start = std::chrono::steady_clock::now();
  const Ran ran = validated("--rate 4 -k ping -j 50");
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
  EXPECT_THAT(ran.out, HasSubstr("EXIT 0")) << ran.err;
}

TEST_F(Validate, WithoutASpecItChecksWhatDiscoveryFinds) {
  const Ran ran = on_host(
      R"(remember; status=0; "$PLUMBLINE" validate --docker "" --podman "" || status=$?; echo "EXIT $status"; )"
      R"(compare)");
  EXPECT_THAT(ran.out, AllOf(::testing::ContainsRegex("PASS +reach host -> web ping"),
                             HasSubstr("STATE IS THE SAME"), HasSubstr("EXIT 0")))
      << ran.err;
}

TEST_F(Validate, SeveralAtOnceTakeTurns) {
  const Ran ran = on_host(
      R"(for i in 1 2 3; do (status=0; "$PLUMBLINE" validate "$spec" || status=$?; echo "EXIT $status") & done; wait)",
      "version: 1\nname: live\nnodes: {web: {netns: web}}\nchecks:\n"
      "  - reach: {from: host, to: web, with: [udp/53, udp/9, tcp/22]}\n");
  std::size_t passed = 0;
  for (std::size_t at = ran.out.find("EXIT 0"); at != std::string::npos; at = ran.out.find("EXIT 0", at + 1))
    ++passed;
  EXPECT_EQ(passed, 3U) << ran.out << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("another plumbline validates here"));
}

TEST_F(Validate, WithoutASpecAnEngineThatIsNamedMustBeThere) {
  const Ran ran = on_host(
      R"(status=0; "$PLUMBLINE" validate --docker /nowhere/engine.sock --podman "" || status=$?; echo "EXIT $status")");
  EXPECT_THAT(ran.out, HasSubstr("EXIT 2")) << ran.out;
  EXPECT_THAT(ran.err,
              HasSubstr("--docker: container engine at /nowhere/engine.sock: there is no such socket"));
}

TEST_F(Validate, ASecondNameOfTheHostOrOfANodeIsNoNodeOfItsOwn) {
  const std::string names =
      "ip netns attach aahost $$; ln /run/netns/web /run/netns/web2 2>/dev/null || "
      "{ touch /run/netns/web2; mount --bind /run/netns/web /run/netns/web2; }; ";
  for (const char* spec : {"", "\"$spec\""}) {
    const Ran ran = on_host(names + R"(status=0; "$PLUMBLINE" validate )" + spec +
                                R"( --docker "" --podman "" || status=$?; echo "EXIT $status")",
                            "version: 1\nname: live\nchecks:\n  - reach: {from: host, to: web}\n");
    EXPECT_THAT(ran.out, AllOf(::testing::ContainsRegex("PASS +reach host -> web ping"), HasSubstr("EXIT 0")))
        << ran.err;
  }
}

TEST_F(Validate, TracesMayLieBelowRun) {
  const Ran ran =
      validated("-k 'reach host -> web ping' --trace all --out /run/traces; ls -R /run/traces; :");
  EXPECT_THAT(ran.out, HasSubstr(".pcapng")) << ran.err;
}

TEST_F(Validate, AnAnswerInTheTargetsNameIsNotTheTargets) {
  const std::string elsewhere =
      "ip -n inet addr add 198.51.100.80/32 dev lo; ip -n inet addr add 198.51.100.53/32 dev lo; nft -f - "
      "<<'RULES'\n"
      "table ip turn {\n"
      "  chain pre {\n"
      "    type nat hook prerouting priority -100\n"
      "    ip daddr 198.51.100.99 dnat to 198.51.100.80\n"
      "  }\n"
      "  chain out {\n"
      "    type nat hook output priority -100\n"
      "    ip daddr 198.51.100.97 dnat to 198.51.100.80\n"
      "  }\n"
      "}\n"
      "RULES\n"
      "true";
  const Ran ran = validated("-k 198.51.100", elsewhere,
                            "  - reach: {from: web, to: 198.51.100.99}\n"
                            "  - reach: {from: host, to: 198.51.100.97}\n"
                            "  - reach: {from: web, to: 198.51.100.80}\n"
                            "  - egress: {from: web, to: 198.51.100.99, via: ens4}\n");
  EXPECT_THAT(ran.out,
              AllOf(::testing::ContainsRegex("FAIL +reach web -> 198.51.100.99 ping"),
                    ::testing::ContainsRegex("FAIL +reach host -> 198.51.100.97 ping"),
                    ::testing::ContainsRegex("PASS +reach web -> 198.51.100.80 ping"),
                    ::testing::ContainsRegex("FAIL +egress web -> 198.51.100.99 ping"),
                    HasSubstr("it was 198.51.100.80 that answered"), HasSubstr("destination-translated"),
                    HasSubstr("rule of host's ip turn pre (handle"), HasSubstr("EXIT 1")))
      << ran.err;
}

TEST_F(Validate, TwoMayTraceRulesAtOnce) {
  const Ran ran = on_host(
      R"(start validate "$spec" --timeout 60s --trace-rules -k 192.168.99.77; nft list tables; status=0; )"
      R"("$PLUMBLINE" validate "$spec" --trace-rules -k 'deny web -> other ping' --report json || status=$?; )"
      R"(echo "EXIT $status"; kill -KILL $started; wait $started || true; exec 3<&-)",
      std::string(kPromises) + kPatience);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("table inet plumbline-"), HasSubstr("EXIT 0"),
                             HasSubstr("iifname \\\"br99\\\""), Not(HasSubstr("Operation not permitted"))))
      << ran.err;
}

TEST_F(Validate, WhatCannotBeMeantHereIsSaidWithItsPlace) {
  EXPECT_THAT(validated("", ":", "  - reach: {from: wbe, to: db}\n").err,
              AllOf(HasSubstr("live.yaml:9:19: "), HasSubstr("did you mean 'web'?")));
  EXPECT_THAT(validated("", ":", "  - then: {delete-link: {dev: v-web}}\n").err,
              HasSubstr("validate changes nothing"));
  EXPECT_THAT(validated("-k nothing").out, HasSubstr("EXIT 2"));
  const std::string spec =
      "version: 1\nname: live\nnodes: {web: {netns: webb}}\nchecks:\n  - reach: {from: web, to: host}\n";
  EXPECT_THAT(on_host(R"("$PLUMBLINE" validate "$spec" || echo "EXIT $?")", spec).err,
              AllOf(HasSubstr("live.yaml:3:9: "), HasSubstr("web")));
}

TEST_F(Validate, WithoutPrivilegesItSaysWhatItNeeds) {
  const Ran ran = on_host(
      R"(setpriv --bounding-set -sys_admin,-net_raw --inh-caps -all "$PLUMBLINE" validate "$spec" || echo "EXIT $?")");
  EXPECT_THAT(ran.out, HasSubstr("EXIT 3"));
  EXPECT_THAT(ran.err, AllOf(HasSubstr("lacks CAP_SYS_ADMIN, CAP_NET_RAW"),
                             HasSubstr("--cap-add SYS_ADMIN --cap-add NET_RAW"), Not(HasSubstr("as root"))));
}

}  // namespace
}  // namespace plumbline::cli::testing
