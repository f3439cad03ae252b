#include "harness/engine/run/trace.hpp"

#include <gtest/gtest.h>

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
