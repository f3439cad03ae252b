// A small network whose spec promises some lines and not others: who notices.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "harness/engine/mutation/mutate.hpp"

namespace plumbline::engine::mutation {
namespace {

constexpr const char* kSpec = R"(version: 1
name: two
world: diy
setup:
  native:
    bridges:
      bridge0: {address: 192.168.99.1/24, containers: {box: 192.168.99.11, pal: 192.168.99.12}}
    nft: |
      table inet mine {
        set kept { type ipv4_addr; flags interval; elements = { 203.0.113.80 }; }
        chain in {
          type filter hook input priority 0; policy accept;
          ip saddr 192.168.99.11 tcp dport 8080 reject comment "promised"
          ip saddr 192.168.99.11 tcp dport { 9090, 9091 } reject comment "not promised"
          ip daddr @kept ip saddr 10.0.0.0/8 drop comment "idle"
        }
      }
checks:
  - reach: {from: box, to: host, with: [ping, tcp/80]}
  - deny: {from: box, to: host, with: tcp/8080, how: reject, control: pal}
  - route: {in: host, to: 192.168.99.254, expect: {dev: bridge0}}
equivalent:
  - {mutant: "* host inet mine in: *idle*", reason: nobody has such an address}
  - {mutant: "* host inet mine kept: *", reason: nobody has such an address}
  - {mutant: "delete host nothing", reason: there is no such mutant}
)";

class Mutations : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "plumbline-mutation-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::vector<spec::Spec> load(const std::string& text) const {
    const std::string path = directory_ + "/two.yaml";
    std::ofstream(path) << text;
    return spec::load_specs(path, load_options(std::string(PLUMBLINE_SOURCE_DIR) + "/fixtures"));
  }

  std::string directory_;
};

std::map<std::string, MutantResult> by_id(const MutationRun& run) {
  std::map<std::string, MutantResult> results;
  for (const MutantResult& result : run.scenarios.at(0).mutants) results[result.mutant.id] = result;
  return results;
}

TEST_F(Mutations, TellWhatIsPromised) {
  const MutationRun run = mutate(load(kSpec), {});
  ASSERT_EQ(run.scenarios.size(), 1U);
  ASSERT_FALSE(run.scenarios[0].problem) << *run.scenarios[0].problem;
  const auto results = by_id(run);
  const auto expect = [&](const std::string& id, Fate fate) {
    const auto found = results.find(id);
    ASSERT_NE(found, results.end()) << id;
    EXPECT_STREQ(to_text(found->second.fate), to_text(fate)) << id << ": " << found->second.says;
  };
  const std::string promised =
      "host inet mine in: ip saddr 192.168.99.11 tcp dport 8080 reject with tcp reset comment \"promised\"";
  for (const auto& [id, result] : results) {
    EXPECT_NE(result.fate, Fate::refused) << id << ": " << result.says;
    EXPECT_NE(result.fate, Fate::not_made) << id << ": " << result.says;
    EXPECT_NE(result.fate, Fate::broken) << id << ": " << result.says;
    // In which words nft writes the rejection is its own affair.
    if (id.find("\"promised\"") != std::string::npos && !id.starts_with("widen") && !id.starts_with("swap")) {
      EXPECT_EQ(result.fate, Fate::noticed) << id;
    }
    if (id.find("\"not promised\"") != std::string::npos) {
      EXPECT_EQ(result.fate, Fate::survived) << id;
    }
    if (id.find("\"idle\"") != std::string::npos) {
      EXPECT_EQ(result.fate, Fate::equivalent) << id;
    }
  }
  expect("delete host inet mine kept: 203.0.113.80", Fate::equivalent);
  expect("flip host inet mine in: policy accept", Fate::noticed);
  expect("delete box ip route: default via 192.168.99.1 dev eth0 proto static", Fate::survived);
  expect("delete box ip rule: 0: from all lookup local", Fate::noticed);
  expect(
      "narrow 192.168.99.0/24 host ip route: 192.168.99.0/24 dev bridge0 proto kernel scope link src "
      "192.168.99.1",
      Fate::noticed);
  for (const MutantResult& result : run.scenarios[0].mutants) EXPECT_NE(result.mutant.node, "lan-peer");
  ASSERT_EQ(run.stale.size(), 1U);
  EXPECT_EQ(run.stale[0].mutant, "delete host nothing");
  EXPECT_EQ(run.exit_status(), 1);
}

TEST_F(Mutations, ANetworkThatBreaksItsPromisesIsNotMutated) {
  std::string broken = kSpec;
  broken.replace(broken.find("with: tcp/8080"), 14, "with: tcp/8081");
  const MutationRun run = mutate(load(broken), {});
  ASSERT_TRUE(run.scenarios.at(0).problem);
  EXPECT_THAT(*run.scenarios[0].problem, ::testing::HasSubstr("as it is, deny box -> host tcp/8081"));
  EXPECT_TRUE(run.scenarios[0].mutants.empty());
  EXPECT_TRUE(run.stale.empty());
  EXPECT_EQ(run.exit_status(), 1);
}

TEST_F(Mutations, OfAScriptsNetworkToo) {
  const std::string text = R"(version: 1
name: two
world: diy
setup:
  script:
    shell: |
      ip netns add box
      ip link add veth1 type veth peer name eth0 netns box
      ip addr add 192.168.99.1/24 dev veth1
      ip link set veth1 up
      ip -n box addr add 192.168.99.11/24 dev eth0
      ip -n box link set eth0 up
      ip -n box link set lo up
      ip -n box route add default via 192.168.99.1
    containers: {box: 192.168.99.11}
checks:
  - reach: {from: box, to: host}
)";
  MutationOptions options;
  options.pattern = "box ip route";
  const MutationRun run = mutate(load(text), options);
  ASSERT_FALSE(run.scenarios.at(0).problem) << *run.scenarios[0].problem;
  const auto results = by_id(run);
  const auto found = results.find("delete box ip route: default via 192.168.99.1 dev eth0");
  ASSERT_NE(found, results.end());
  EXPECT_EQ(found->second.fate, Fate::survived);
  EXPECT_EQ(results.size(), 5U) << "two of the default route, three of the connected one";
}

}  // namespace
}  // namespace plumbline::engine::mutation
