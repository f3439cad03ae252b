#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <sys/wait.h>

#include <filesystem>

#include "harness/base/error.hpp"
#include "harness/engine/report/explain.hpp"
#include "harness/testing/arrangement.hpp"
#include "harness/testing/fixture.hpp"
#include "harness/testing/matchers.hpp"

namespace plumbline::testing {
namespace {

using engine::Verdict;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// As most tests have it; the call below finds ours beside it.
template <class Matcher>
concept Negatable = requires(Matcher matcher) {
  Not(matcher);
};
static_assert(!Negatable<PromiseMatcher<Probe>> && !Negatable<DenialMatcher> && !Negatable<PassMatcher>);

/// host -- server, and a container behind the host; mail is dropped.
class Small : public NetworkTest {
 protected:
  static spec::Spec arrangement() {
    NetworkBuilder builder;
    builder.node("server")
        .cable({"host", "ens4", {"192.168.16.10/24"}}, {"server", "eth0", {"192.168.16.66/24"}})
        .bridge("bridge0", {"192.168.99.1/24"})
        .container("one", {"192.168.99.11"})
        .container("two", {"192.168.99.12"})
        .forward("ens4")
        .masquerade("ens4")
        .nft(
            "table inet mine {\n  chain out {\n    type filter hook forward priority -10; policy accept;\n"
            "    tcp dport 25 drop\n    tcp dport 26 reject\n  }\n}\n");
    return builder.arrangement();
  }
  Small() : NetworkTest(arrangement(), {.timeout = std::chrono::milliseconds(300)}) {}

  /// What EXPECT_THAT would print of it; no promise is broken by it.
  std::string told(const std::vector<engine::CheckResult>& results) {
    std::string text;
    for (const engine::CheckResult& result : results) {
      text += engine::headline(result) + "\n" + engine::explain(result);
    }
    return text;
  }
};

TEST_F(Small, KeptPromisesMatch) {
  EXPECT_THAT(from("one").to("server").ping(), Reaches());
  EXPECT_THAT(from({"one", "two"}).to({"server", "host"}).with({"ping", "tcp/80", "udp/53"}), Reaches());
  EXPECT_THAT(from("one").to("server").udp(7), Egresses("ens4", "192.168.16.10"));
  EXPECT_THAT(from("one").to("server").tcp(25), IsDenied("drop"));
  EXPECT_THAT(from("one").to("server").tcp(26), IsDenied("reject").by("host").unlike("host"));
  EXPECT_THAT(network().check("reach: {from: one, to: [two, server]}"), Pass());
}

TEST_F(Small, AnswersAreTheChecksOwnWithTheirJourneys) {
  const auto results = network().check("reach: {from: one, to: server, with: tcp/25}");
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].verdict, Verdict::fail);
  EXPECT_THAT(told(results),
              AllOf(HasSubstr("FAIL  reach one -> server tcp/25\n"), HasSubstr("      expected  "),
                    HasSubstr("      observed  "), HasSubstr("      journey "),
                    HasSubstr("one:eth0     -> 64 192.168.99.11:"), HasSubstr("matchers_netns_test.cpp:")));
}

TEST_F(Small, ADenialWithoutAControlIsInconclusive) {
  EXPECT_EQ(network().check("deny: {from: one, to: 192.168.16.99}").front().verdict, Verdict::inconclusive);
}

TEST_F(Small, AChangeIsMadeAndReadBack) {
  EXPECT_THAT(from("one").to("two").ping(), Reaches());
  network().change("delete-link: {in: two, dev: eth0}");
  EXPECT_EQ(network().topology().find("two")->find_interface("eth0"), nullptr);
  EXPECT_THROW(network().change("delete-link: {in: three, dev: eth0}"), spec::SpecError);
}

TEST_F(Small, WhatIsWrongIsSaidAtTheTestsOwnPlace) {
  const auto error_of = [](const auto& action) -> std::string {
    try {
      action();
    } catch (const spec::SpecError& error) {
      return error.what();
    }
    return "no error";
  };
  std::string ignored;
  EXPECT_THAT(
      error_of([&] {
        kept(from("noe").to("server").ping(), {"reach", "", {}}, ignored);
      }),
      AllOf(HasSubstr("matchers_netns_test.cpp:"), HasSubstr(":1: unknown node 'noe'"), HasSubstr("'one'")));
  EXPECT_THAT(error_of([&] { network().check("raech: {from: one, to: two}"); }),
              HasSubstr("unknown check 'raech'; did you mean 'reach'?"));
  EXPECT_THAT(error_of([&] { network().check("reach"); }), HasSubstr("mapping"));
  EXPECT_THAT(error_of([&] {
                network().check("silent: {in: host, dev: ens4, filter: icmp, control: 'host:bridge0'}");
              }),
              AllOf(HasSubstr("matchers_netns_test.cpp:"),
                    HasSubstr(":1: 'silent' is judged after all other"), HasSubstr("promise it in a spec")));
  EXPECT_THAT(network().check("reach: {from: one, to: two}"), Pass());
}

/// The program inside of the test below.
using DISABLED_Inside = Small;
TEST_F(DISABLED_Inside, NegationsPass) {
  EXPECT_THAT(from("one").to("server").tcp(25), ::testing::Not(Reaches()));
  EXPECT_THAT(from("one").to("192.168.16.99").ping(), ::testing::Not(IsDenied()));
}
TEST_F(DISABLED_Inside, BrokenPromisesAreTold) {
  EXPECT_THAT(from("one").to("server").tcp(25), Reaches());
  EXPECT_THAT(from("one").to("server").tcp(26), IsDenied("drop"));
}

std::string output_of_inside(const std::string& test) {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe");
  const std::string command =
      program + " --gtest_also_run_disabled_tests --gtest_filter=DISABLED_Inside." + test + " 2>&1";
  std::string output;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return "popen failed";
  char buffer[4096];
  for (std::size_t got = 0; (got = ::fread(buffer, 1, sizeof buffer, pipe)) > 0;) output.append(buffer, got);
  EXPECT_EQ(WEXITSTATUS(::pclose(pipe)), 1) << output;
  return output;
}

TEST(Negations, MakeTheirTestFailAllTheSame) {
  const std::string output = output_of_inside("NegationsPass");
  EXPECT_THAT(output, HasSubstr("a promise was not kept, and no assertion says so"));
  EXPECT_THAT(output, AllOf(HasSubstr("FAIL  reach one -> server tcp/25"),
                            HasSubstr("INCONCLUSIVE  deny one -> 192.168.16.99 ping")));
}

TEST(BrokenPromises, AreToldAsOnTheConsole) {
  const std::string output = output_of_inside("BrokenPromisesAreTold");
  EXPECT_THAT(
      output,
      HasSubstr("Expected: arrives at its target and is answered\n  Actual: tcp/25 from one to server"));
  EXPECT_THAT(output, HasSubstr("\nFAIL  reach one -> server tcp/25\n      expected  "));
  EXPECT_THAT(output, HasSubstr("Expected: is stopped (drop)\n"));
  EXPECT_THAT(output, HasSubstr("\n      control   host -> server tcp/26: pass, "));
  EXPECT_THAT(output, HasSubstr("\n      journey "));
  EXPECT_THAT(output, Not(HasSubstr("no assertion says so")));
}

TEST(ScriptSetup, ArrangesTheNetwork) {
  const std::string world = "world: diy\nsetup:\n  script:\n    shell: |\n";
  const std::string containers = "    containers: {one: 192.168.99.11}\n";
  Network network(scenario_text(world +
                                "      ip netns add one\n"
                                "      ip link add veth1 type veth peer name eth0 netns one\n"
                                "      ip addr add 192.168.99.1/24 dev veth1\n"
                                "      ip link set veth1 up\n"
                                "      ip -n one addr add 192.168.99.11/24 dev eth0\n"
                                "      ip -n one link set eth0 up\n" +
                                containers));
  EXPECT_THAT(network.from("host").to("one").with({"ping", "tcp/80"}), Reaches());
}

TEST(ScriptSetup, SaysWhatIsMissing) {
  try {
    const Network network(scenario_text(
        "world: diy\nsetup:\n  script:\n    shell: |\n      echo no docker here\n      exit 77\n"
        "    containers: {one: 192.168.99.11}\n"));
    FAIL() << "it was built";
  } catch (const Unavailable& missing) {
    EXPECT_STREQ(missing.what(), "no docker here");
  }
}

TEST(NetworkErrors, TheKernelsTextAndThePlaceReachTheTest) {
  NetworkBuilder builder;
  builder.nft("table inet mine { flurb }");
  try {
    const Network network(builder.arrangement());
    FAIL() << "it was built";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("NetworkBuilder::nft"), HasSubstr("syntax error")));
  }
}

}  // namespace
}  // namespace plumbline::testing
