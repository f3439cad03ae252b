// `discover` and `validate` on a host with a real Docker, or a real Podman, run as a user of it does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include "harness/cli/testing/program.hpp"

namespace plumbline::cli::testing {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

struct Engine {
  const char* setup;  ///< of the spec that makes the host
  const char* containers;
  const char* options;  ///< by which plumbline finds it
};

/// Two networks of its own, one of them internal, and the default one, with a published port.
constexpr Engine kDocker{
    "  docker:\n"
    "    networks:\n"
    "      blue: {subnet: 172.30.0.0/24}\n"
    "      closed: {subnet: 172.31.0.0/24, internal: true}\n"
    "    containers:\n"
    "      web: {address: 172.17.0.2, publish: [\"8080:80\", \"127.0.0.1:8081:81\"]}\n"
    "      one: {network: blue, address: 172.30.0.11}\n"
    "      two: {network: blue, address: 172.30.0.12}\n"
    "      shut: {network: closed, address: 172.31.0.11}\n",
    "web one two shut", "--docker $socket --podman ''"};
/// Its rules are all that leads to a published port.
constexpr Engine kDockerWithoutProxy{
    "  docker:\n"
    "    daemon: {userland-proxy: false}\n"
    "    networks:\n"
    "      blue: {subnet: 172.30.0.0/24}\n"
    "    containers:\n"
    "      web: {address: 172.17.0.2, publish: [\"8080:80\"]}\n"
    "      one: {network: blue, address: 172.30.0.11}\n",
    "web one", "--docker $socket --podman ''"};
constexpr Engine kPodman{
    "  podman:\n"
    "    networks:\n"
    "      blue: {subnet: 10.91.0.0/24}\n"
    "    containers:\n"
    "      web: {address: 10.88.0.2, publish: [\"8080:80\"]}\n"
    "      one: {network: blue, address: 10.91.0.11}\n"
    "      two: {network: blue, address: 10.91.0.12}\n",
    "web one two", "--docker '' --podman $socket"};

/// A host that `plumbline run` makes, with the world around it, in which a step of the spec is the user.
class LiveEngine : public ::testing::Test {
 protected:
  /// What `command` said there, standard error with it; it may call what live_engine.sh has, `discover` and
  /// `validate`. Empty: there is no such engine here, as skip_ says.
  std::string on_host(const Engine& engine, const std::string& command) {
    const Folder folder;
    const std::string options = engine.options;
    folder.write("command", "cd \"$folder\"\ndiscover() { \"$PLUMBLINE\" discover " + options +
                                " \"$@\"; }\nvalidate() { status=0; \"$PLUMBLINE\" validate " + options +
                                " \"$@\" || status=$?; echo \"EXIT $status\"; }\n" + command +
                                "\necho COMMAND ENDED\n");
    const std::string script = PLUMBLINE_SOURCE_DIR "/harness/cli/testing/live_engine.sh";
    const std::string spec = folder.write(
        "host.yaml", "version: 1\nname: live-engine\nworld: diy\nsetup:\n" + std::string(engine.setup) +
                         "checks:\n"
                         "  - reach: {from: host, to: web}\n"
                         "  - run:\n"
                         "      timeout: 200s\n"
                         "      env: {PLUMBLINE: " PLUMBLINE_PROGRAM
                         "}\n"
                         "      shell: unshare -m --propagation private sh " +
                         script + " " + folder.path() + " " + engine.containers + " >" + folder.path("said") +
                         " 2>&1\n");
    const Ran ran = run({.arguments = {"run", spec, "--trace", "none", "-v"}});
    std::string said = text_of(folder.path("said"));
    // The engine is not there, or no namespaces are.
    if (ran.out.find("SKIP") != std::string::npos || (ran.status == 3 && !in_ci())) {
      skip_ = ran.out + ran.err;
      return {};
    }
    EXPECT_THAT(said, HasSubstr("COMMAND ENDED")) << ran.out << ran.err;
    return said;
  }

  std::string skip_;
};

/// What stands between two lines of `said`.
std::string between(const std::string& said, const std::string& from, const std::string& to) {
  const std::size_t start = said.find(from);
  if (start == std::string::npos) return {};
  return said.substr(start, said.find(to, start) - start);
}

/// "PASS  reach host -> web ping", …: what was found of each check, without times.
std::vector<std::string> verdicts(const std::string& text) {
  std::vector<std::string> found;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    std::string line = text.substr(start, end - start);
    start = end + 1;
    if (!line.starts_with("  PASS ") && !line.starts_with("  FAIL ") && !line.starts_with("  INCON"))
      continue;
    const std::size_t gap = line.find("   ", line.find(' ', 12));
    // A bridge's name is by Docker's random number.
    if (line.find(":br-") == std::string::npos) found.push_back(line.substr(0, gap));
  }
  return found;
}

constexpr const char* kBoth = R"(serve web 80
serve web 81
remember
echo SPEC; discover >spec.yaml; cat spec.yaml
echo WITH; validate spec.yaml
echo WITHOUT; validate
echo COMPARED; compare)";

void expect_the_same_both_ways(const std::string& said) {
  const std::string with = between(said, "\nWITH\n", "\nWITHOUT\n");
  const std::string without = between(said, "\nWITHOUT\n", "\nCOMPARED\n");
  EXPECT_THAT(with, AllOf(HasSubstr("EXIT 0"), HasSubstr(" 0 inconclusive, 0 skipped, 0 errors"))) << said;
  EXPECT_THAT(without, HasSubstr("EXIT 0")) << said;
  EXPECT_EQ(verdicts(with), verdicts(without));
  EXPECT_GT(verdicts(with).size(), 20U);
  EXPECT_THAT(said, AllOf(HasSubstr("STATE IS THE SAME"), Not(HasSubstr("DIFFERS"))));
}

TEST_F(LiveEngine, WhatDockerPromisesIsFoundAndHoldsAndTheHostStaysAsItWas) {
  const std::string said =
      on_host(kDocker, std::string(kBoth) + "\necho PROXY; validate spec.yaml -v -k 'tcp/8081'");
  if (!skip_.empty()) GTEST_SKIP() << skip_;
  const std::string spec = between(said, "SPEC\n", "\nWITH\n");
  for (const char* part : {"  shut: {docker: shut}\n", "  vm1: {netns: vm1}\n",
                           "docker network closed, internal", "- deny: {from: shut, to: 192.168.16.1}\n",
                           "- egress: {from: [one, two], to: 192.168.16.1, via: ens4, as: 192.168.16.10}\n",
                           "- deny: {from: one, to: web}\n", "- reach: {from: vm1, to: vm2}\n",
                           "- egress: {from: vm3, to: 192.168.16.1, via: ens4, as: 192.168.16.10}\n",
                           "- resolve: {from: one, name: two, expect: 172.30.0.12}\n",
                           "- published: {from: host, to: 192.168.16.10, with: tcp/8080, at: web, port: 80}",
                           "- published: {from: host, to: 127.0.0.1, with: tcp/8081, at: web, port: 81}"}) {
    EXPECT_THAT(spec, HasSubstr(part));
  }
  // No rule leads there from the host itself: a proxy does.
  EXPECT_THAT(said, ContainsRegex(
                        "connected with docker-proxy .process [0-9]+. of host, which then connected to web"));
  expect_the_same_both_ways(said);
}

TEST_F(LiveEngine, WhatPodmanPromisesIsFoundAndHoldsAndTheHostStaysAsItWas) {
  const std::string said = on_host(kPodman, kBoth);
  if (!skip_.empty()) GTEST_SKIP() << skip_;
  const std::string spec = between(said, "SPEC\n", "\nWITH\n");
  for (const char* part :
       {"  web: {podman: web}\n", "podman network blue",
        "- egress: {from: [one, two], to: 192.168.16.1, via: ens4, as: 192.168.16.10}\n",
        "- reach: {from: one, to: two}\n",
        "- resolve: {from: one, name: two, expect: 10.91.0.12, resolvers: first, with: udp}\n",
        "- published: {from: host, to: 192.168.16.10, with: tcp/8080, at: web, port: 80}"}) {
    EXPECT_THAT(spec, HasSubstr(part));
  }
  expect_the_same_both_ways(said);
}

TEST_F(LiveEngine, ANetworkThatIsInternalIsAskedNoNamesOfTheOutside) {
  const std::string said = on_host(kDocker, "discover --name www.example.test");
  if (!skip_.empty()) GTEST_SKIP() << skip_;
  EXPECT_THAT(said, HasSubstr("- resolve: {from: [one, two, vm1, vm2, vm3, web], name: www.example.test}\n"));
}

/// Validated against a spec that was written by hand.
constexpr const char* kNames = R"(cat >names.yaml <<SPEC
version: 1
name: names
nodes: {one: {pid: $(pid_of one)}, two: {pid: $(pid_of two)}}
checks:
  - resolve: {from: one, name: www.example.test, expect: 203.0.113.99, with: udp}
SPEC
)";

TEST_F(LiveEngine, AWrongExpectationIsNotBlamedOnWhomDockersOwnServerAsked) {
  const std::string said = on_host(kDocker, std::string(kNames) + "validate names.yaml");
  if (!skip_.empty()) GTEST_SKIP() << skip_;
  EXPECT_THAT(
      said, AllOf(HasSubstr("EXIT 1"), ContainsRegex("cause +dns-wrong-answer: "),
                  HasSubstr("it asked 192.168.16.53 in turn"), Not(HasSubstr("dns-answer-from-elsewhere"))));
}

TEST_F(LiveEngine, OfADockerThatWasKilledItsOwnServerIsMissedAndNotTheHosts) {
  const std::string said = on_host(
      kDocker,
      std::string(kNames) +
          "for daemon in $(pidof dockerd); do kill -9 $daemon; tail --pid=$daemon -f /dev/null; done\n"
          "validate names.yaml --timeout 300ms");
  if (!skip_.empty()) GTEST_SKIP() << skip_;
  EXPECT_THAT(said, AllOf(HasSubstr("EXIT 1"),
                          ContainsRegex("cause +dns-stub-resolver: one asks 127.0.0.11, Docker's"),
                          HasSubstr("nobody listens at "), HasSubstr("systemctl start docker")));
}

struct Broken {
  const char* about;
  const Engine* engine;
  const char* how;
  std::vector<std::string> says;  ///< regular expressions
};

/// In the names that ctest shows.
void PrintTo(const Broken& broken, std::ostream* out) {
  *out << broken.about;
}

class LiveEngineBroken : public LiveEngine, public ::testing::WithParamInterface<Broken> {};

TEST_P(LiveEngineBroken, TheRightCheckFailsForTheRightCause) {
  const Broken& broken = GetParam();
  const std::string said =
      on_host(*broken.engine, "discover --name www.example.test >spec.yaml\n" + std::string(broken.how) +
                                  "\nvalidate spec.yaml -v --timeout 500ms");
  if (!skip_.empty()) GTEST_SKIP() << skip_;
  EXPECT_THAT(said, HasSubstr("EXIT 1"));
  for (const std::string& part : broken.says) EXPECT_THAT(said, ContainsRegex(part));
}

INSTANTIATE_TEST_SUITE_P(
    Hosts, LiveEngineBroken,
    ::testing::Values(
        Broken{"PublishedPort",
               &kDockerWithoutProxy,
               "iptables -t nat -F DOCKER",
               {"FAIL +published host -> 192.168.16.10 tcp/8080 at web",
                "missing-destination-nat: No rule of host turns port 8080", " 1 failed, 0 inconclusive"}},
        Broken{"ForwardPolicy",
               &kDocker,
               "iptables -P FORWARD DROP",
               {"FAIL +egress vm3 -> 192.168.16.1", "FAIL +reach vm1 -> vm2", "forward-policy-drop",
                "bridge-netfilter", "PASS +egress one -> 192.168.16.1", "PASS +reach one -> two"}},
        Broken{"Resolver",
               &kDocker,
               "echo nameserver 192.168.16.99 >/proc/$(pid_of web)/root/etc/resolv.conf",
               {"FAIL +resolve web www.example.test at 192.168.16.99 udp", "neighbour-failed", " 2 failed"}},
        Broken{"Flushed",
               &kDocker,
               "nft flush ruleset",
               {"FAIL +egress one -> 192.168.16.1", "missing-masquerade", "FAIL +deny one -> web",
                "FAIL +deny shut -> 192.168.16.1", "unexpected-accept", "PASS +reach one -> two ping"}},
        Broken{
            "OneBridge",
            &kDocker,
            "blue=$(ip -o -4 addr show to 172.30.0.1/32 | cut -d' ' -f2); "
            "iptables -I FORWARD -i $blue -o $blue -j DROP",
            {"FAIL +reach one -> two ping", "cause +bridge-netfilter: host hands frames between ports of br-",
             "rule of host's ip filter FORWARD .*DROP|rule of host's ip filter FORWARD .*drop"}},
        Broken{"Forwarding",
               &kDocker,
               "sysctl -qw net.ipv4.ip_forward=0",
               {"FAIL +egress web -> 192.168.16.1", "forwarding-disabled", "PASS +reach vm1 -> vm2"}}),
    [](const auto& each) { return std::string(each.param.about); });

}  // namespace
}  // namespace plumbline::cli::testing
