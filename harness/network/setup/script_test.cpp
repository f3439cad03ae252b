#include "harness/network/setup/script.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "harness/base/error.hpp"
#include "harness/network/setup/script_text.hpp"

namespace plumbline::network {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

Topology world() {
  Topology topology;
  Node& host = topology.nodes.emplace_back();
  host.name = "host";
  host.role = Role::host;
  host.resolvers = {ip("192.168.16.53"), ip("2001:db8:16::53")};
  Interface& ens4 = host.interfaces.emplace_back();
  ens4.name = "ens4";
  ens4.addresses = {{ip("192.168.16.10"), 24}, {ip("2001:db8:16::10"), 64}};
  ens4.gateways = {ip("192.168.16.1"), ip("2001:db8:16::1")};
  Interface& plain = host.interfaces.emplace_back();
  plain.name = "eth9";
  Interface& dotted = host.interfaces.emplace_back();
  dotted.name = "br-lan.5";
  dotted.gateways = {ip("10.0.0.1")};
  topology.nodes.emplace_back().name = "internet";
  return topology;
}

ScriptSetup::Container container(const std::string& name, std::vector<IpAddress> addresses = {}) {
  return {name, std::move(addresses)};
}

std::string refusal_of(const ScriptSetup& setup, const Topology& surroundings) {
  try {
    expected_of(setup, surroundings);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "(accepted)";
}

TEST(ScriptSetup, ExpectsContainersWithTheirAddresses) {
  ScriptSetup setup;
  setup.expected = {container("one", {ip("192.168.99.11"), ip("fd00:99::11")}), container("two")};
  const Topology expected = expected_of(setup, world());
  ASSERT_EQ(expected.nodes.size(), 2U);
  const Node& one = expected.nodes[0];
  EXPECT_EQ(one.name, "one");
  EXPECT_EQ(one.role, Role::container);
  EXPECT_EQ(one.resolvers, world().host()->resolvers);
  ASSERT_EQ(one.interfaces.size(), 1U);
  EXPECT_EQ(one.interfaces[0].name, "");
  EXPECT_EQ(one.interfaces[0].addresses[0].to_string(), "192.168.99.11/32");
  EXPECT_EQ(one.interfaces[0].addresses[1].to_string(), "fd00:99::11/128");
  EXPECT_TRUE(expected.nodes[1].interfaces.empty());
  EXPECT_EQ(expected.owner_of(ip("fd00:99::11")), &one);
  setup.resolvers = {ip("198.51.100.53")};
  EXPECT_EQ(expected_of(setup, world()).nodes[1].resolvers, setup.resolvers);
}

TEST(ScriptSetup, RefusesNamesAndAddressesThatAreTaken) {
  ScriptSetup setup;
  setup.expected = {container("internet")};
  EXPECT_EQ(refusal_of(setup, world()), "there is a node internet already");
  setup.expected = {container("one"), container("one")};
  EXPECT_EQ(refusal_of(setup, world()), "there is a node one already");
  setup.expected = {container("one", {ip("192.168.16.10")})};
  EXPECT_EQ(refusal_of(setup, world()), "container one: 192.168.16.10 is another's already");
  setup.expected = {container("one", {ip("fd00::1")}), container("two", {ip("fd00::1")})};
  EXPECT_EQ(refusal_of(setup, world()), "container two: fd00::1 is another's already");
  EXPECT_THAT(refusal_of(setup, Topology()), HasSubstr("needs a world with a host"));
}

TEST(ScriptEnvironment, NamesHostUplinksAndResolvers) {
  const Environment environment = script_environment("script-nft", world());
  EXPECT_EQ(environment.at("PLUMBLINE_SETUP"), "script-nft");
  EXPECT_EQ(environment.at("PLUMBLINE_HOST"), "host");
  EXPECT_EQ(environment.at("PLUMBLINE_UPLINKS"), "ens4 br-lan.5");
  EXPECT_EQ(environment.at("PLUMBLINE_ENS4_ADDRESSES"), "192.168.16.10/24 2001:db8:16::10/64");
  EXPECT_EQ(environment.at("PLUMBLINE_ENS4_GATEWAYS"), "192.168.16.1 2001:db8:16::1");
  EXPECT_EQ(environment.at("PLUMBLINE_BR_LAN_5_ADDRESSES"), "");
  EXPECT_EQ(environment.at("PLUMBLINE_BR_LAN_5_GATEWAYS"), "10.0.0.1");
  EXPECT_EQ(environment.at("PLUMBLINE_RESOLVERS"), "192.168.16.53 2001:db8:16::53");
  EXPECT_FALSE(environment.contains("PLUMBLINE_ETH9_ADDRESSES"));
  EXPECT_EQ(script_environment("x", world(), {ip("10.0.0.53")}).at("PLUMBLINE_RESOLVERS"), "10.0.0.53");
}

TEST(ScriptEnvironment, PathHasTheFoldersOfSystemPrograms) {
  const char* own = ::getenv("PATH");
  const std::string before = own == nullptr ? "" : own;
  ::setenv("PATH", "/opt/bin:/usr/sbin", 1);
  EXPECT_EQ(script_environment("x", world()).at("PATH"), "/opt/bin:/usr/sbin:/usr/local/sbin:/sbin");
  ::setenv("PATH", before.c_str(), 1);
}

ScriptEnd ended(int status, const std::string& output = "") {
  ScriptEnd end;
  end.status = status;
  end.output = printable_output(output);
  end.duration = std::chrono::milliseconds(1234);
  return end;
}

TEST(ScriptText, SaysWhichScriptAndHowItEnded) {
  Script script;
  script.path = "/x/nat.sh";
  script.where = "nat.yaml:12:5";
  const Error failed = ScriptHost::failure(script, ended(1, "one\ntwo\n"));
  EXPECT_EQ(failed.kind(), ErrorKind::setup);
  EXPECT_STREQ(failed.what(),
               "nat.yaml:12:5: script /x/nat.sh failed after 1.23 s with exit status 1. It said:\n"
               "    one\n    two");
  EXPECT_THAT(failed.remedy(), HasSubstr("set -x"));
  EXPECT_THAT(ScriptHost::failure(script, ended(127)).remedy(), HasSubstr("install the command"));
  EXPECT_THAT(ScriptHost::failure(script, ended(139)).what(),
              HasSubstr("exit status 139 (signal 11, Segmentation fault). It said nothing"));
  script = Script();
  script.shell = "exit 2";
  ScriptEnd slow = ended(137);
  slow.timed_out = true;
  EXPECT_STREQ(
      ScriptHost::failure(script, slow).what(),
      "the shell text was not done after 1.23 s, and was killed with all that it had started. It said "
      "nothing");
}

TEST(ScriptText, ShowsTheEndOfALongOutput) {
  std::string output;
  for (int i = 0; i < 100; ++i) output += "line " + std::to_string(i) + "\n";
  const std::string text = said(printable_output(output));
  EXPECT_THAT(text, StartsWith(". The last 40 lines of what it said:\n    line 60\n"));
  EXPECT_THAT(text, EndsWith("\n    line 99"));
  const std::string wide = said(printable_output(std::string(399, 'x') + "é" + std::string(50, 'x')));
  EXPECT_THAT(wide, EndsWith(std::string(399, 'x') + "… (52 bytes more)"));
}

TEST(ScriptText, NothingOfTheOutputSteersTheTerminal) {
  EXPECT_EQ(printable_output("a\tb\r\n\x1b[31mred\x1b[0m\nback\rto\n\xff"),
            "a       b\n\\x1b[31mred\\x1b[0m\nback\\rto\n\\xff\n");
  EXPECT_EQ(printable_output(std::string("\0\n", 2)), "\\x00\n");
  EXPECT_EQ(printable_output(""), "");
}

TEST(ScriptText, FindsTheLastLineThatSaysSomething) {
  EXPECT_EQ(last_line("a\nno nft here\n\n  \n"), "no nft here");
  EXPECT_EQ(last_line("\n\n"), "");
  EXPECT_EQ(last_line(""), "");
}

}  // namespace
}  // namespace plumbline::network
