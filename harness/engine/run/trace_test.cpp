#include "harness/engine/run/trace.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "harness/proof/witness/testing/exchange.hpp"

namespace plumbline::engine {
namespace {

std::string path_of(const std::string& directory, const std::string& folder, const std::string& check) {
  std::set<std::string> taken;
  return trace_path(directory, folder, check, taken);
}

std::string folder_of(const std::string& name, const std::string& setup, std::size_t repetition = 0) {
  ScenarioResult scenario;
  scenario.name = name;
  scenario.setup = setup;
  scenario.repetition = repetition;
  return trace_folder(scenario);
}

TEST(TraceFolder, IsOfOneScenarioSetupAndRepetition) {
  EXPECT_EQ(folder_of("diy", "native"), "diy.native");
  EXPECT_EQ(folder_of("diy", "script-iptables-nft"), "diy.script-iptables-nft");
  EXPECT_EQ(folder_of("diy", "native", 12), "diy.native#12");
}

TEST(TraceFolder, StaysInTheFolderForAll) {
  EXPECT_EQ(folder_of("../../etc", "native"), "..-..-etc.native");
  EXPECT_EQ(folder_of("..", ""), "_...");
  EXPECT_LT(folder_of(std::string(4000, 'x'), "native", 3).size(), 255U);
}

TEST(TracePath, StaysInItsFolderWhateverTheNamesSay) {
  EXPECT_EQ(path_of("out", "diy", "deny container-one -> 10.1.2.3 tcp/80"),
            "out/diy/deny-container-one-10.1.2.3-tcp-80.pcapng");
  EXPECT_EQ(path_of("out", "diy", "../passwd"), "out/diy/..-passwd.pcapng");
  EXPECT_EQ(path_of("out", "diy", "."), "out/diy/_..pcapng");
  EXPECT_LT(path_of("out", "diy", std::string(4000, 'x')).size(), 255U);
}

TEST(TracePath, IsNobodyElses) {
  std::set<std::string> taken;
  EXPECT_EQ(trace_path("out", "diy", "reach host -> a ping", taken), "out/diy/reach-host-a-ping.pcapng");
  EXPECT_EQ(trace_path("out", "diy", "reach host -> a- ping", taken), "out/diy/reach-host-a-ping-2.pcapng");
  EXPECT_EQ(trace_path("out", "diy", "reach host -> -a ping", taken), "out/diy/reach-host-a-ping-3.pcapng");
}

std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = ::popen(command.c_str(), "r");
  std::array<char, 4096> chunk;
  for (std::size_t n; (n = std::fread(chunk.data(), 1, chunk.size(), pipe)) != 0;)
    text.append(chunk.data(), n);
  ::pclose(pipe);
  return text;
}

TEST(WriteTrace, CommentsEachPacketWithWhatBecameOfIt) {
  if (output_of("command -v tshark").empty()) {
    const char* ci = std::getenv("CI");
    if (ci != nullptr && std::string_view(ci) == "true") FAIL() << "tshark is missing";
    GTEST_SKIP() << "tshark is missing";
  }
  using proof::testing::udp;
  proof::testing::Exchange exchange;
  const traffic::Packet probe = udp("192.168.99.11", "203.0.113.80");
  exchange.out("c1", "eth0", probe)
      .in("host", "veth1", probe)
      .hook("host", proof::Hook::forward, "veth1", "ens4", probe, "drop");
  for (proof::Sighting& sighting : exchange.journey.sightings) {
    sighting.bytes.assign(40, 0);
    sighting.original_length = 40;
  }
  Outcome outcome;
  outcome.journey = outcome.control_journey.emplace(exchange.journey);
  outcome.kernel = exchange.path;
  outcome.control_journey->sightings.resize(1);
  const std::string folder = ::testing::TempDir() + "plumbline-trace-" + std::to_string(::getpid());
  write_trace(folder + "/x.pcapng", {"host:veth1"}, CheckResult(), outcome);
  const std::string told =
      output_of("tshark -r " + folder + "/x.pcapng -T fields -e frame.comment 2>/dev/null");
  std::filesystem::remove_all(folder);
  EXPECT_EQ(
      told,
      "probe (on its way): 192.168.99.11:40001 > 203.0.113.80:53 UDP 22 bytes, ttl 64\n"
      "control (on its way): 192.168.99.11:40001 > 203.0.113.80:53 UDP 22 bytes, ttl 64\n"
      "probe (on its way): 192.168.99.11:40001 > 203.0.113.80:53 UDP 22 bytes, ttl 64; forward to ens4: ip "
      "filter CHAIN: counter drop -> drop (handle 7); stopped: host forward: ip filter CHAIN handle 7: "
      "counter drop\n");
}

TEST(WatchedPlaces, AreAllInterfacesOfAllNodes) {
  network::Topology topology;
  network::Node& host = topology.nodes.emplace_back();
  host.name = "host";
  host.interfaces.resize(2);
  host.interfaces[0].name = "lo";
  host.interfaces[1].name = "ens4";
  EXPECT_EQ(watched_places(topology), (std::vector<std::string>{"host:lo", "host:ens4"}));
}

}  // namespace
}  // namespace plumbline::engine
