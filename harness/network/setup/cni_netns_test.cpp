// CNI plugins in a disposable host: the real ones, and hand-made ones that do wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "harness/network/cni/cache.hpp"
#include "harness/network/discovery/discover.hpp"
#include "harness/network/setup/testing/cni_host.hpp"

namespace plumbline::network {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing_support::CniSetupTest;

TEST_F(CniSetupTest, CallsEachPluginInTurnAndBackAgain) {
  plugin("first", R"(case $CNI_COMMAND in ADD) add; result ;; DEL) ip link del port1 ;; esac)");
  plugin("second", R"([ "$CNI_COMMAND" != ADD ] || result)");
  network(R"({"type": "first"}, {"type": "second", "capabilities": {"mac": true}})");
  plan_.containers[0].arguments = "A=1;B=2";
  plan_.containers[0].known["mac"] = "x";
  plan_.containers[0].addresses = {*IpAddress::parse("10.5.0.2")};
  EXPECT_EQ(set_up(), std::nullopt);
  EXPECT_TRUE(fs::exists(std::string(cni::kCacheFolder) + "/net-plumbline-one-eth0"));
  take_down();
  const std::string told = " plumbline-one /run/netns/one eth0 A=1;B=2\n";
  std::string calls;
  for (const char* each : {"ADD", "ADD", "CHECK", "CHECK", "CHECK", "CHECK", "DEL", "DEL"})
    calls += each + told;
  EXPECT_EQ(kept("calls"), calls);
  const std::string inputs = kept("inputs");
  const std::string first = inputs.substr(0, inputs.find('\n'));
  EXPECT_EQ(first, R"({"type":"first","name":"net","cniVersion":"1.0.0"})");
  const std::string second =
      inputs.substr(first.size() + 1, inputs.find('\n', first.size() + 1) - first.size() - 1);
  EXPECT_THAT(second, AllOf(HasSubstr(R"("runtimeConfig":{"mac":"x"})"),
                            HasSubstr(R"("prevResult":{"cniVersion")"), Not(HasSubstr("capabilities"))));
  const std::string last = inputs.substr(inputs.rfind('\n', inputs.size() - 2) + 1);
  EXPECT_THAT(last, AllOf(HasSubstr(R"("type":"first")"), HasSubstr(R"("prevResult":{)")))
      << "DEL goes backwards";
  EXPECT_FALSE(fs::exists(std::string(cni::kCacheFolder) + "/net-plumbline-one-eth0"));
}

TEST_F(CniSetupTest, TellsThePluginsOwnErrorAndDeletesWhatCameBefore) {
  plugin("first", R"(case $CNI_COMMAND in ADD) add; result ;; DEL) ip link del port1 ;; esac)");
  plugin(
      "second",
      R"([ "$CNI_COMMAND" != ADD ] || { echo '{"code":11,"msg":"no room","details":"try again"}'; exit 1; })");
  network(R"({"type": "first"}, {"type": "second"})");
  const std::string what = error_of([&] { set_up(); }).what();
  EXPECT_EQ(what, "CNI plugin second, ADD of plumbline-one: code 11: no room (try again)");
  EXPECT_EQ(discover_node(network_, "host", world_).find_interface("port1"), nullptr);
}

TEST_F(CniSetupTest, SaysHowAPluginDiedAndWhatItSaid) {
  network(R"({"type": "bad"})");
  plugin("bad", "echo half >&2; kill -SEGV $$");
  EXPECT_THAT(
      error_of([&] { set_up(); }).what(),
      HasSubstr("bad, ADD of plumbline-one: it died of signal 11 (Segmentation fault); its standard error "
                "ends: half"));
  network_.adopt_named();
}

TEST_F(CniSetupTest, SaysWhatNonsenseAPluginPrinted) {
  network(R"({"type": "bad"})");
  plugin("bad", "echo done");
  EXPECT_THAT(error_of([&] { set_up(); }).what(),
              HasSubstr("CNI plugin bad, ADD of plumbline-one: it gives no result in JSON, but: done"));
}

TEST_F(CniSetupTest, DoesNotBelieveAnAddressThatTheKernelDoesNotHave) {
  network(R"({"type": "liar"})");
  plugin("liar", R"([ "$CNI_COMMAND" != ADD ] || { add; result | sed s/10.5.0.2/10.5.0.3/; })");
  EXPECT_THAT(
      error_of([&] { set_up(); }).what(),
      HasSubstr("the plugins say that one has 10.5.0.3/24, but in the kernel its eth0 has 10.5.0.2/24"));
}

TEST_F(CniSetupTest, RefusesAnAddressOtherThanExpected) {
  network(R"({"type": "first"})");
  plugin("first", R"([ "$CNI_COMMAND" != ADD ] || { add; result; })");
  plan_.containers[0].addresses = {*IpAddress::parse("10.5.0.9")};
  EXPECT_THAT(error_of([&] { set_up(); }).what(), HasSubstr("one was given 10.5.0.2/24 instead of 10.5.0.9"));
}

TEST_F(CniSetupTest, RefusesAPluginOfAnotherVersion) {
  network(R"({"type": "old"})", "0.3.1");
  plugin("old", "result");
  EXPECT_THAT(
      error_of([&] { set_up(); }).what(),
      HasSubstr("CNI plugin old does not speak version 0.3.1 of the network net; it speaks 0.4.0, 1.0.0"));
}

TEST_F(CniSetupTest, SkipsWhereAStandardPluginIsMissingAndFailsForAnyOther) {
  plan_.path = {folder_};
  network(R"({"type": "bridge", "ipam": {"type": "host-local"}})");
  EXPECT_EQ(set_up(),
            fmt::format("the CNI plugin bridge is not in {}: install the package containernetworking-plugins",
                        folder_));
  network(R"({"type": "ours"})");
  EXPECT_THAT(error_of([&] { set_up(); }).what(), HasSubstr("the CNI plugin ours is not in " + folder_));
}

TEST_F(CniSetupTest, AFailingCheckIsAnErrorThatNamesThePlugin) {
  plugin("picky", R"(case $CNI_COMMAND in
  ADD) add; result ;;
  CHECK) [ ! -e /run/broken ] || { echo '{"code":100,"msg":"it is broken"}'; exit 1; } ;;
  DEL) ip link del port1 ;;
esac)");
  network(R"({"type": "picky"})");
  ASSERT_EQ(set_up(), std::nullopt);
  std::ofstream("/run/broken") << "x";
  EXPECT_EQ(std::string(error_of([&] { take_down(); }).what()),
            "before DEL: CNI plugin picky, CHECK of plumbline-one: code 100: it is broken");
  fs::remove("/run/broken");
}

/// With the plugins of Debian's containernetworking-plugins.
TEST_F(CniSetupTest, TheRealBridgeLeavesNothing) {
  if (!fs::exists("/usr/lib/cni/bridge")) GTEST_SKIP() << "install the package containernetworking-plugins";
  network(R"({"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true,
              "ipam": {"type": "host-local", "subnet": "10.89.0.0/24", "routes": [{"dst": "0.0.0.0/0"}]}},
             {"type": "firewall"})");
  ASSERT_EQ(set_up(), std::nullopt);
  const Node one = discover_node(network_, "one", world_);
  ASSERT_NE(one.find_interface("eth0"), nullptr);
  EXPECT_EQ(one.find_interface("eth0")->addresses.at(0).to_string(), "10.89.0.2/24");
  take_down();
  EXPECT_EQ(discover_node(network_, "one", world_).find_interface("eth0"), nullptr);
}

}  // namespace
}  // namespace plumbline::network
