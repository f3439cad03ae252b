#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "harness/engine/spec/spec.hpp"
#include "harness/engine/spec/testing/files.hpp"

namespace plumbline::spec {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

LoadOptions options() {
  return {PLUMBLINE_SOURCE_DIR "/fixtures/worlds",
          {"deny", "egress", "reach", "resolve"},
          {"delete-link", "run"},
          PLUMBLINE_SOURCE_DIR "/fixtures/setups"};
}

TEST(SpecDiy, TheScenarioThatShipsLoads) {
  const std::vector<Spec> specs = load_specs(PLUMBLINE_SOURCE_DIR "/scenarios/diy.yaml", options());
  std::vector<std::string> setups;
  for (const Spec& each : specs) setups.push_back(each.setup->name);
  EXPECT_EQ(setups, (std::vector<std::string>{"native", "script-iptables-nft", "script-iptables-legacy",
                                              "script-nft"}));
  const Spec& spec = specs.front();
  EXPECT_EQ(spec.name, "diy");
  EXPECT_TRUE(spec.is_scenario());
  ASSERT_TRUE(spec.setup);
  EXPECT_EQ(spec.setup->kind, "native");
  const network::NativeSetup& native = spec.setup->native;
  ASSERT_EQ(native.bridges.size(), 1U);
  EXPECT_EQ(native.bridges[0].addresses.at(0).to_string(), "192.168.99.1/24");
  ASSERT_EQ(native.bridges[0].containers.size(), 2U);
  EXPECT_EQ(native.bridges[0].containers[1].addresses.at(0).to_string(), "192.168.99.12/24");
  ASSERT_TRUE(native.forward);
  EXPECT_EQ(native.forward->deny.size(), 7U);
  EXPECT_FALSE(native.forward->drop);
  ASSERT_EQ(native.forward->except.size(), 2U);
  EXPECT_EQ(native.forward->except[0].ports.size(), 2U);
  EXPECT_EQ(native.masquerade, std::vector<std::string>{"ens4"});
  EXPECT_GE(spec.checks.size(), 10U);
  const network::Topology intended = spec.intended();
  ASSERT_NE(intended.find("container-one"), nullptr);
  EXPECT_NE(intended.host()->find_interface("bridge0"), nullptr);
  EXPECT_NE(intended.host()->find_interface("ens4"), nullptr);
  EXPECT_EQ(intended.host()->sysctls.at("net.ipv4.ip_forward"), "1");
}

class SpecLoad : public testing_support::FolderTest {
 protected:
  /// The error of a scenario whose native setup is `setup`, which begins at line 6 indented by four.
  std::string refused_setup(const std::string& setup) {
    return refused("version: 1\nname: t\nworld: diy\nsetup:\n  native:\n" + setup +
                   "checks:\n  - reach: {from: host, to: internet}\n");
  }
  std::string refused(const std::string& text) {
    const std::string path = write("t.yaml", text);
    return error_of([&] { load_spec(path, options()); });
  }
};

TEST_F(SpecLoad, WithoutWorldAndSetupItIsNoScenario) {
  const Spec spec = load_spec(
      write("t.yaml", "version: 1\nname: t\nchecks:\n  - reach: {from: host, to: 192.0.2.1}\n"), options());
  EXPECT_FALSE(spec.is_scenario());
  ASSERT_EQ(spec.checks.size(), 1U);
  EXPECT_EQ(spec.checks[0].kind, "reach");
  EXPECT_EQ(spec.checks[0].mark.line, 4U);
  EXPECT_EQ(spec.checks[0].arguments.find("to")->text, "192.0.2.1");
}

TEST_F(SpecLoad, TheTop) {
  EXPECT_EQ(refused("version: 2\nname: t\n"), "t.yaml:1:10: 'version' must be 1, not '2'");
  EXPECT_EQ(refused("name: t\n"), "t.yaml:1:1: a spec needs the key 'version'");
  EXPECT_EQ(refused("version: 1\nname: t\ncheks: []\n"),
            "t.yaml:3:1: unknown key 'cheks' in a spec; did you mean 'checks'? (allowed: version, name, "
            "about, world, "
            "setup, nodes, checks, equivalent)");
  EXPECT_EQ(refused("version: 1\nname: ../t\n"), "t.yaml:2:7: 'name' must be a name, not a path: '../t'");
  EXPECT_EQ(refused("- 1\n"), "t.yaml:1:1: a spec must be a mapping of keys, not a list");
  EXPECT_EQ(refused("version: 1\nname: t\nchecks: []\n"),
            "t.yaml:3:9: 'checks' must be a list of at least one check, as in `- reach: {from: host, to: "
            "internet}`");
}

TEST_F(SpecLoad, EquivalentMutants) {
  const std::string head =
      "version: 1\nname: t\nchecks: [{reach: {from: host, to: 192.0.2.1}}]\nequivalent:\n";
  const Spec spec =
      load_spec(write("t.yaml", head + "  - {mutant: 'delete *', reason: never mind}\n"), options());
  ASSERT_EQ(spec.equivalent.size(), 1U);
  EXPECT_EQ(spec.equivalent[0].mutant, "delete *");
  EXPECT_EQ(spec.equivalent[0].reason, "never mind");
  EXPECT_EQ(spec.equivalent[0].mark.line, 5U);
  EXPECT_EQ(refused(head + "  - {mutant: x}\n"), "t.yaml:5:5: an equivalent mutant needs the key 'reason'");
  EXPECT_EQ(refused(head + "  - {mutant: x, reason: ''}\n"), "t.yaml:5:25: 'reason' is empty: say why");
  EXPECT_EQ(refused(head + "  - {mutants: x, reason: y}\n"),
            "t.yaml:5:6: unknown key 'mutants' in an equivalent mutant; did you mean 'mutant'? (allowed: "
            "mutant, reason)");
  EXPECT_EQ(refused(head + "  - delete\n"),
            "t.yaml:5:5: an equivalent mutant must be a mapping of keys, not 'delete'");
}

TEST_F(SpecLoad, CheckKinds) {
  const std::string head = "version: 1\nname: t\nchecks:\n";
  EXPECT_EQ(
      refused(head + "  - raech: {from: host}\n"),
      "t.yaml:4:5: unknown check 'raech'; did you mean 'reach'? (checks: deny, egress, reach, resolve)");
  EXPECT_EQ(refused(head + "  - reach:\n    from: host\n"),
            "t.yaml:5:5: a check has one key, and 'from' is a second: check the indentation, as in `- reach: "
            "{from: "
            "host, to: internet}`");
  EXPECT_EQ(
      refused(head + "  - reach\n"),
      "t.yaml:4:5: a check must be one key with its arguments, as in `- reach: {from: host, to: internet}`");
}

TEST_F(SpecLoad, Worlds) {
  EXPECT_EQ(
      refused("version: 1\nname: t\nworld: dyi\n"),
      "t.yaml:3:8: unknown world 'dyi'; did you mean 'diy'? (worlds: bare, diy, ipv6, jumbo, stub, uplink)");
  EXPECT_EQ(refused("version: 1\nname: t\nworld: ./none.yaml\n").find("t.yaml:3:8: there is no world file '"),
            0U);
  EXPECT_EQ(refused("version: 1\nname: t\nsetup: {native: {}}\n"),
            "t.yaml:3:8: a setup needs a 'world' to stand in, as in `world: diy`");
  write("w.yaml", "version: 1\nnodes: {host: {frward: true}}\n");
  EXPECT_EQ(refused("version: 1\nname: t\nworld: ./w.yaml\n")
                .find("w.yaml:2:16: unknown key 'frward' in node host"),
            0U);
}

TEST_F(SpecLoad, Setups) {
  EXPECT_EQ(refused("version: 1\nname: t\nworld: diy\nsetup: {natvie: {}}\n"),
            "t.yaml:4:9: unknown setup 'natvie'; did you mean 'native'? (setups: native, script, cni, "
            "docker, podman)");
  EXPECT_EQ(refused_setup("    forwrd: {}\n"),
            "t.yaml:6:5: unknown key 'forwrd' in native setup; did you mean 'forward'? (allowed: bridges, "
            "containers, forward, "
            "masquerade, routing, resolvers, nft)");
  EXPECT_EQ(refused_setup("    masquerade: ens4\n"),
            "t.yaml:6:5: native setup needs the key 'bridges', or 'containers' for some without a bridge");
}

TEST_F(SpecLoad, Bridges) {
  EXPECT_EQ(refused_setup("    bridges: {bridge0: {address: 192.168.16.200/24}}\n"),
            "t.yaml:6:34: 192.168.16.0/24 overlaps 192.168.16.0/24 of host (ens4) in the world");
  EXPECT_EQ(refused_setup(
                "    bridges:\n      a: {address: 192.168.99.1/24}\n      b: {address: 192.168.99.129/25}\n"),
            "t.yaml:8:20: 192.168.99.128/25 overlaps 192.168.99.0/24 of bridge a");
  EXPECT_EQ(refused_setup("    bridges: {ens4: {address: 192.168.99.1/24}}\n"),
            "t.yaml:6:15: the host has an interface named ens4 already");
  EXPECT_EQ(refused_setup("    bridges: {b: {address: 192.168.99.1}}\n"),
            "t.yaml:6:28: 'address' must have a prefix length, as in 192.168.99.1/24");
  EXPECT_EQ(refused_setup("    bridges: {b: {address: [192.168.99.1/24, 192.168.98.1/24]}}\n"),
            "t.yaml:6:46: at most one IPv4 address is allowed here");
  EXPECT_EQ(refused_setup("    bridges: {sixteen-letters-: {address: 192.168.99.1/24}}\n"),
            "t.yaml:6:15: 'bridge' must be at most 15 characters long, and 'sixteen-letters-' has 16");
}

TEST_F(SpecLoad, Containers) {
  const auto with = [&](const std::string& containers) {
    return refused_setup("    bridges:\n      b:\n        address: 192.168.99.1/24\n        containers:\n" +
                         containers);
  };
  EXPECT_EQ(with("          one: 192.168.99.11\n          two: 192.168.99.12\n"), "no error");
  EXPECT_EQ(with("          one: 192.168.98.11\n"),
            "t.yaml:10:16: 192.168.98.11 is outside the network of bridge b (192.168.99.0/24)");
  EXPECT_EQ(with("          one: 192.168.99.11\n          two: 192.168.99.11\n"),
            "t.yaml:11:16: 192.168.99.11 is already the address of container one");
  EXPECT_EQ(with("          one: 192.168.99.1\n"),
            "t.yaml:10:16: 192.168.99.1 is already the address of bridge b");
  EXPECT_EQ(with("          one: 192.168.99.255\n"),
            "t.yaml:10:16: 192.168.99.255 is the broadcast address of its own network 192.168.99.0/24");
  EXPECT_EQ(with("          one: [192.168.99.11, 192.168.99.12]\n"),
            "t.yaml:10:32: at most one IPv4 address is allowed here");
  EXPECT_EQ(with("          internet: 192.168.99.11\n"),
            "t.yaml:10:11: the world has a node named internet already");
  EXPECT_EQ(with("          lan: 192.168.99.11\n"), "t.yaml:10:11: the world has a node named lan already");
  EXPECT_EQ(with("          a/b: 192.168.99.11\n"),
            "t.yaml:10:11: 'container' must be a name, not a path: 'a/b'");
  EXPECT_EQ(with("          one: {}\n"),
            "t.yaml:10:16: 'one' must be an IP address such as 192.168.16.53, not a mapping");
  EXPECT_EQ(with("          one: 192.168.99.11\n      c:\n        address: 192.168.98.1/24\n"
                 "        containers: {one: 192.168.98.11}\n"),
            "t.yaml:13:22: two containers are named one");
}

TEST_F(SpecLoad, AddressesThatTheWorldHoldsFarAwayAreTakenToo) {
  const auto with = [&](const std::string& address, const std::string& container) {
    return refused_setup("    bridges:\n      b:\n        address: " + address +
                         "\n        containers: {one: " + container + "}\n");
  };
  EXPECT_EQ(with("203.0.113.1/24", "203.0.113.80"),
            "t.yaml:9:27: 203.0.113.80 is already the address of internet (lo) in the world");
  EXPECT_EQ(with("10.1.2.3/24", "10.1.2.4"),
            "t.yaml:8:18: 10.1.2.3 is already the address of internal (lo) in the world");
  EXPECT_EQ(with("\"fd00:1::1/64\"", "\"fd00:1::3\""),
            "t.yaml:9:27: fd00:1::3 is already the address of internal (lo) in the world");
  EXPECT_EQ(with("203.0.113.1/24", "203.0.113.81"), "no error") << "its network alone may be hidden";
}

TEST_F(SpecLoad, BridgeAddressesThatNoInterfaceCanHold) {
  for (const char* address :
       {"0.0.0.1/24", "127.0.0.2/24", "224.1.1.1/24", "\"ff02::1/64\"", "\"::ffff:10.9.9.1/120\""}) {
    const std::string error = refused_setup(std::string("    bridges: {b: {address: ") + address + "}}\n");
    EXPECT_EQ(error.find("t.yaml:6:28: "), 0U) << error;
    EXPECT_NE(error.find(" cannot be the address of an interface"), std::string::npos) << error;
  }
}

TEST_F(SpecLoad, TheRulesetRemembersItsPlace) {
  const std::string path = write(
      "t.yaml",
      "version: 1\nname: t\nworld: diy\nsetup:\n  native:\n    bridges: {b: {address: 192.168.99.1/24}}\n"
      "    nft: flurb\nchecks:\n  - reach: {from: host, to: internet}\n");
  const Spec spec = load_spec(path, options());
  EXPECT_EQ(spec.addition.host()->nft_origin, path + ":7");
  EXPECT_EQ(spec.intended().host()->nft_origin, path + ":7");
}

TEST_F(SpecLoad, ForwardMasqueradeAndRouting) {
  const std::string bridge = "    bridges: {b: {address: 192.168.99.1/24}}\n";
  EXPECT_EQ(refused_setup(bridge + "    forward: {allow: [ens44]}\n"),
            "t.yaml:7:23: unknown uplink 'ens44'; did you mean 'ens4'? (the host's interfaces: ens4, ens5)");
  EXPECT_EQ(refused_setup(bridge + "    masquerade: [ens4, ens4]\n"),
            "t.yaml:7:24: ens4 stands twice in 'masquerade'");
  EXPECT_EQ(refused_setup(bridge + "    forward: {deny: 10.1.0.0/8}\n"),
            "t.yaml:7:21: 'deny' must be a network such as 10.0.0.0/8, not '10.1.0.0/8'; the network of "
            "10.1.0.0/8 is "
            "10.0.0.0/8");
  EXPECT_EQ(refused_setup(bridge + "    forward: {except: {to: 192.168.16.53, with: dns}}\n"),
            "t.yaml:7:49: 'with' must be tcp/PORT or udp/PORT, not 'dns'");
  EXPECT_EQ(refused_setup(bridge + "    forward: {except: {with: udp/53}}\n"),
            "t.yaml:7:23: an exception needs the key 'to'");
  EXPECT_EQ(refused_setup(bridge + "    forward: {how: refuse}\n"),
            "t.yaml:7:20: unknown 'how' 'refuse' (allowed: reject, drop)");
  EXPECT_EQ(refused_setup(bridge + "    routing: {table: 254, via: ens5}\n"),
            "t.yaml:7:22: table 254 is the kernel's own: choose one from 1 to 252, or above 255");
  EXPECT_EQ(refused_setup(bridge + "    routing: {table: 88}\n"), "t.yaml:7:14: routing needs the key 'via'");
  EXPECT_EQ(refused_setup(bridge + "    routing: {via: ens5}\n    nft: [1]\n"),
            "t.yaml:8:10: 'nft' must be text, not a list");
}

TEST(SpecMerge, AddsToNodesThatAreThere) {
  network::Topology world;
  world.nodes.push_back(
      {.name = "host", .role = network::Role::host, .sysctls = {{"a", "0"}}, .nft_text = "one"});
  world.nodes[0].interfaces.push_back({.name = "ens4"});
  network::Topology addition;
  addition.nodes.push_back(
      {.name = "host", .role = network::Role::host, .sysctls = {{"a", "1"}}, .nft_text = "two"});
  addition.nodes[0].interfaces.push_back(
      {.name = "ens4", .addresses = {*InterfaceAddress::parse("10.0.0.1/8")}});
  addition.nodes[0].interfaces.push_back({.name = "bridge0"});
  addition.nodes.push_back({.name = "container", .role = network::Role::container});
  const network::Topology merged = merge(world, addition);
  ASSERT_EQ(merged.nodes.size(), 2U);
  EXPECT_EQ(merged.nodes[0].interfaces.size(), 2U);
  EXPECT_EQ(merged.nodes[0].interfaces[0].addresses.size(), 1U);
  EXPECT_EQ(merged.nodes[0].sysctls.at("a"), "1");
  EXPECT_EQ(merged.nodes[0].nft_text, "one\ntwo");
  EXPECT_EQ(merged.nodes[1].role, network::Role::container);
}

TEST_F(SpecLoad, AScriptIsASetupForEachOfItsVariants) {
  write("set-up.sh", "#!/bin/sh\n");
  fs::permissions(folder_ + "/set-up.sh", fs::perms::owner_all);
  const std::string path =
      write("t.yaml",
            "version: 1\nname: t\nworld: diy\nsetup:\n"
            "  native: {bridges: {b: {address: 192.168.99.1/24, containers: {one: 192.168.99.11}}}}\n"
            "  script: {run: set-up.sh, arguments: [a, 2], timeout: 5s,\n"
            "           env: {FIREWALL: [nft, iptables-legacy], LEVEL: 3, ZONE: [x, y]}}\n"
            "checks: [reach: {from: one, to: host}]\n");
  const std::vector<Spec> specs = load_specs(path, options());
  std::vector<std::string> names;
  for (const Spec& spec : specs) names.push_back(spec.setup->name);
  EXPECT_EQ(names, (std::vector<std::string>{"native", "script-nft-x", "script-nft-y",
                                             "script-iptables-legacy-x", "script-iptables-legacy-y"}));
  const network::ScriptSetup& script = *specs.at(4).setup->script;
  EXPECT_EQ(script.path, fs::absolute(folder_ + "/set-up.sh").string());
  EXPECT_EQ(script.arguments, (std::vector<std::string>{"a", "2"}));
  EXPECT_EQ(script.timeout, std::chrono::seconds(5));
  EXPECT_EQ(script.env.at("FIREWALL"), "iptables-legacy");
  EXPECT_EQ(script.env.at("LEVEL"), "3");
  ASSERT_EQ(script.expected.size(), 1U) << "what the native setup beside it makes";
  EXPECT_EQ(script.expected.front().name, "one");
  EXPECT_NE(specs.at(4).intended().find("one"), nullptr);
}

TEST_F(SpecLoad, ScriptsThatCannotBe) {
  write("plain.sh", "#!/bin/sh\n");
  const auto script = [&](const std::string& arguments) {
    return refused("version: 1\nname: t\nworld: diy\nsetup:\n  script: " + arguments + "\n");
  };
  EXPECT_THAT(script("{}"), HasSubstr("t.yaml:5:11: script setup needs 'run'"));
  EXPECT_THAT(script("{run: a.sh, shell: x}"), HasSubstr("t.yaml:5:11: script setup needs 'run'"));
  EXPECT_THAT(script("{run: nowhere.sh}"), HasSubstr("t.yaml:5:17: there is no script 'nowhere.sh' (tried "));
  EXPECT_THAT(script("{run: plain.sh}"), HasSubstr("is not executable; remedy: chmod +x"));
  EXPECT_THAT(script("{run: ..}"), HasSubstr("is a folder, not a script"));
  EXPECT_THAT(script("{shell: \"\"}"), HasSubstr("t.yaml:5:19: 'shell' is empty"));
  EXPECT_THAT(script("{shell: x, timeout: 5}"), HasSubstr("t.yaml:5:31: 'timeout' must be a time"));
  EXPECT_THAT(script("{shell: x, env: {PLUMBLINE_HOST: a}}"),
              HasSubstr("t.yaml:5:28: names that begin with"));
  EXPECT_THAT(script("{shell: x, env: {A-B: a}}"), HasSubstr("'A-B' cannot name a variable"));
  EXPECT_THAT(script("{shell: x, env: {A: [a, a]}}"), HasSubstr("t.yaml:5:35: 'a' stands twice in 'A'"));
  EXPECT_THAT(script("{shell: x, env: {A: [a, b/c]}}"), HasSubstr("t.yaml:5:35: "));
  std::string many;
  for (int i = 0; i < 64; ++i) many += "A" + std::to_string(i) + ": [x, y], ";
  EXPECT_THAT(script("{shell: x, env: {" + many + "}}"),
              HasSubstr("t.yaml:5:27: 'env' makes more than 64 setups"));
  EXPECT_THAT(script("{shell: x, env: {A: [a-b, a], B: [c, b-c]}}"),
              HasSubstr("'env' makes a setup named 'script-a-b-c', which is another's name already"));
  EXPECT_THAT(script("{shell: x, env: {A: [a, " + std::string(60, 'b') + "]}}"),
              HasSubstr("which is longer than 63 characters"));
  EXPECT_THAT(script("{shell: x, containers: {host: 192.168.99.2}}"),
              HasSubstr("t.yaml:5:35: the world has a node named host already"));
  EXPECT_THAT(script("{shell: x, containers: {one: 192.168.16.10}}"),
              HasSubstr("192.168.16.10 is another's already"));
  EXPECT_THAT(script("{shel: x}"), HasSubstr("did you mean 'shell'?"));
}

TEST_F(SpecLoad, ChangesAmongTheChecks) {
  const auto checks = [&](const std::string& text) {
    return refused("version: 1\nname: t\nchecks:\n" + text);
  };
  EXPECT_EQ(
      checks("  - then: {delete-lnk: {dev: veth1}}\n"),
      "t.yaml:4:12: unknown change 'delete-lnk'; did you mean 'delete-link'? (changes: delete-link, run)");
  EXPECT_THAT(checks("  - then: []\n"), HasSubstr("t.yaml:4:11: 'then' changes nothing"));
  EXPECT_THAT(checks("  - then: {}\n"), HasSubstr("a change must be one key"));
  const Spec spec =
      load_spec(write("t.yaml",
                      "version: 1\nname: t\nchecks:\n  - then: [{delete-link: {dev: a}}, {run: {shell: "
                      "x}}]\n  - run: {shell: y}\n  - reach: {from: a, to: b}\n"),
                options());
  ASSERT_EQ(spec.checks.size(), 4U);
  EXPECT_TRUE(spec.checks[0].change && spec.checks[1].change && spec.checks[2].change);
  EXPECT_EQ(spec.checks[2].kind, "run");
  EXPECT_FALSE(spec.checks[3].change);
}

}  // namespace
}  // namespace plumbline::spec
