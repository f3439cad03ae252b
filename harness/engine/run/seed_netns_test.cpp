// Every scenario of scenarios/seed, broken in one way: the checks that are about what was broken must notice,
// and all others must keep their verdict.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "harness/engine/run/runner.hpp"
#include "harness/engine/run/testing/scenario.hpp"
#include "harness/engine/spec/spec.hpp"

namespace plumbline::engine {
namespace {

namespace fs = std::filesystem;

/// A copy of the scenarios, worlds and setups that ship, to be broken.
class Copy {
 public:
  Copy() {
    std::string pattern = (fs::temp_directory_path() / "plumbline-seed-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = pattern;
    for (const char* part : {"scenarios", "fixtures"}) {
      fs::copy(fs::path(PLUMBLINE_SOURCE_DIR) / part, folder_ / part, fs::copy_options::recursive);
    }
  }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;
  ~Copy() { fs::remove_all(folder_); }

  /// Replaces `from`, which must be there once at least.
  void edit(const std::string& file, const std::string& from, const std::string& to) const {
    std::string text = testing::read_file((folder_ / file).string());
    const auto at = text.find(from);
    if (at == std::string::npos) throw std::runtime_error(file + " does not hold: " + from);
    text.replace(at, from.size(), to);
    std::ofstream(folder_ / file) << text;
  }

  RunResult run(const std::string& scenario, const std::string& setup) const {
    const auto options = load_options((folder_ / "fixtures").string());
    std::vector<spec::Spec> specs = spec::load_specs((folder_ / scenario).string(), options);
    std::erase_if(specs, [&](const spec::Spec& spec) { return spec.setup->name != setup; });
    if (specs.size() != 1) throw std::runtime_error("no setup " + setup);
    return engine::run(specs, {.timeout = std::chrono::milliseconds(300)}, {});
  }

 private:
  fs::path folder_;
};

struct Break {
  const char* name;
  const char* scenario;
  const char* setup;
  const char* file;
  const char* from;
  const char* to;
  /// How the ids of the checks begin that must notice.
  std::vector<std::string> noticed_by;
};

void PrintTo(const Break& broken, std::ostream* out) {
  *out << broken.name;
}

class SeedBreaks : public ::testing::TestWithParam<Break> {};

TEST_P(SeedBreaks, AreNoticedByTheRightChecksAndByNoOthers) {
  const Break& broken = GetParam();
  const Copy copy;
  copy.edit(broken.file, broken.from, broken.to);
  const RunResult run = copy.run(fmt::format("scenarios/{}.yaml", broken.scenario), broken.setup);
  ASSERT_EQ(run.scenarios.size(), 1U);
  const ScenarioResult& scenario = run.scenarios.front();
  ASSERT_FALSE(scenario.error) << scenario.error->message;
  std::map<std::string, std::size_t> noticed;
  for (const std::string& beginning : broken.noticed_by) noticed[beginning] = 0;
  for (const CheckResult& check : scenario.checks) {
    if (check.verdict == Verdict::pass) continue;
    const auto about = std::ranges::find_if(
        broken.noticed_by, [&](const std::string& beginning) { return check.id.starts_with(beginning); });
    if (about == broken.noticed_by.end()) {
      ADD_FAILURE() << "a false alarm: " << to_text(check.verdict) << ": " << check.id << ": "
                    << check.observed;
    } else if (check.verdict == Verdict::fail) {
      ++noticed[*about];
    }
  }
  for (const auto& [beginning, count] : noticed) EXPECT_GT(count, 0U) << "nobody noticed: " << beginning;
}

std::vector<Break> breaks() {
  return {
      {"IsolatedNamespaceWithACable",
       "seed/isolated-namespace",
       "script",
       "fixtures/setups/seed/isolated-namespace.sh",
       "ip -n container-one link set lo up",
       "ip -n container-one link set lo up\nip link add v type veth peer name e netns container-one\n"
       "ip link set v up\nip -n container-one link set e up",
       {"link container-one only lo", "link host only lo", "isolated host -> container-one",
        "isolated container-one -> "}},
      {"VethPairWithAnotherName",
       "seed/veth-pair",
       "script",
       "fixtures/setups/seed/veth-pair.sh",
       "ip -n container-one link set veth1a name eth0\n\nip link set veth1 up\nip -n container-one link set "
       "eth0 up",
       "ip link set veth1 up\nip -n container-one link set veth1a up",
       {"link container-one only lo, eth0", "link host:veth1", "link container-one:eth0"}},
      {"AddressWithoutItsNetwork",
       "seed/addresses-and-routes",
       "native",
       "scenarios/seed/addresses-and-routes.yaml",
       "dev: eth0, address: 192.168.99.11/24",
       "dev: eth0, address: 192.168.99.11/32",
       {"link container-one:eth0", "route container-one to 192.168.99.1", "reach host -> 192.168.99.11",
        "reach container-one -> 192.168.99.1"}},
      {"BridgeThatIsAHub",
       "seed/bridge",
       "script",
       "fixtures/setups/seed/bridge.sh",
       "ip link set bridge0 up",
       "ip link set bridge0 type bridge ageing_time 0\nip link set bridge0 up",
       {"silent host:veth3", "learned"}},
      {"ForwardingOn",
       "seed/forwarding-off",
       "script",
       "fixtures/setups/seed/forwarding-off.sh",
       "default_routes 2001:db8:99",
       "default_routes 2001:db8:99\nsysctl -w net.ipv6.conf.all.forwarding=1",
       {"deny container-one -> internet", "deny container-two -> internet",
        "hooks container-one -> internet"}},
      {"DefaultRouteThere",
       "seed/no-default-route",
       "script-nft",
       "fixtures/setups/seed/no-default-route.sh",
       "forwarding\n",
       "forwarding\nip -n container-two route add default via 192.168.99.1\n",
       {"isolated container-two -> internet", "route container-two to 203.0.113.80"}},
      {"WithoutMasquerade",
       "seed/nat-egress",
       "script-nft",
       "fixtures/setups/seed/nat-egress.sh",
       "    meta nfproto ipv4 oifname ens4 masquerade\n",
       "",
       {"egress container-one -> internet", "egress container-two -> internet", "silent host:ens4"}},
      {"RefusedInTheWrongChain",
       "seed/chains",
       "native",
       "scenarios/seed/chains.yaml",
       "iifname bridge0 tcp dport 8001 reject",
       "tcp dport 9001 reject",
       {"deny container-one -> 192.168.16.10 tcp/8001", "deny container-one -> 2001:db8:16::10 tcp/8001"}},
      {"PrefixOneBitTooLong",
       "seed/internal-cidrs",
       "script-nft",
       "fixtures/setups/seed/internal-cidrs.sh",
       "172.16.0.0/12",
       "172.16.0.0/13",
       {"deny container-one -> 172.24.0.1", "deny container-one -> 172.31.255.255"}},
      {"RulesOfTheTableMissing",
       "seed/two-uplinks",
       "script-nft",
       "fixtures/setups/seed/two-uplinks.sh",
       "ip rule add iif bridge0 lookup 88\nip rule add to 192.168.99.0/24 lookup 88\n"
       "ip rule add from 192.168.99.0/24 lookup 88\n",
       "ip rule add to 192.168.99.0/24 lookup 88\n",
       {"route host", "egress container-one -> internet", "egress container-two -> internet",
        "silent host:ens4"}},
      {"TheWholeResolverOpen",
       "seed/dns",
       "native",
       "scenarios/seed/dns.yaml",
       ", with: [udp/53, tcp/53]}",
       "}",
       {"deny"}},
      {"LoggedTooLate",
       "seed/forward-log",
       "script-nft",
       "fixtures/setups/seed/forward-log.sh",
       "insert rule inet filter forward log",
       "add rule inet filter forward log",
       {"logged"}},
      {"ARangeForgotten",
       "diy",
       "script-nft",
       "fixtures/setups/seed/diy.sh",
       " 100.64.0.0/10'",
       "'",
       {"deny container-one -> 100.64.0.7", "deny container-two -> 100.64.0.7",
        "deny container-one -> 100.127.255.255"}},
  };
}

INSTANTIATE_TEST_SUITE_P(OfEachSection, SeedBreaks, ::testing::ValuesIn(breaks()),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace plumbline::engine
