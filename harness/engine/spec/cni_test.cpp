#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "harness/engine/spec/spec.hpp"
#include "harness/engine/spec/testing/files.hpp"

namespace plumbline::spec {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

LoadOptions options() {
  return {PLUMBLINE_SOURCE_DIR "/fixtures/worlds", {"reach"}, {}, PLUMBLINE_SOURCE_DIR "/fixtures/setups"};
}

class SpecCni : public testing_support::FolderTest {
 protected:
  std::string text_of(const std::string& setup) {
    return "version: 1\nname: t\nworld: diy\nsetup:\n  cni:\n" + setup +
           "checks:\n  - reach: {from: host, to: internet}\n";
  }
  std::string refused(const std::string& setup) {
    try {
      load_specs(write("a.yaml", text_of(setup)), options());
    } catch (const SpecError& error) {
      const std::string what = error.what();
      return what.substr(what.find("a.yaml"));
    }
    return "(it was taken)";
  }
};

constexpr const char* kNetwork = "    network: cni/bridge.conflist\n";

TEST_F(SpecCni, SaysWhatItWillLeaveBehind) {
  const auto specs = load_specs(
      write(
          "a.yaml",
          text_of(std::string(kNetwork) +
                  "    containers:\n      one: {address: 10.88.0.2, ports: '[::1]:1:2/udp'}\n      two:\n")),
      options());
  ASSERT_EQ(specs.size(), 1U);
  EXPECT_EQ(specs[0].setup->kind, "cni");
  EXPECT_EQ(specs[0].setup->name, "cni");
  const network::Topology intended = specs[0].intended();
  const network::Node* one = intended.find("one");
  ASSERT_NE(one, nullptr);
  EXPECT_EQ(one->role, network::Role::container);
  EXPECT_EQ(one->resolvers, intended.host()->resolvers);
  EXPECT_EQ(intended.owner_of(*IpAddress::parse("10.88.0.2")), one);
  EXPECT_NE(intended.find("two"), nullptr);
}

TEST_F(SpecCni, RefusesWhatCannotBe) {
  struct Case {
    std::string setup;
    std::string why;
  };
  const std::string net = kNetwork;
  const std::vector<Case> cases{
      {"    containers: {one: }\n", "a.yaml:6:5: cni setup needs 'network', a CNI network configuration, or"},
      {"    network: cni/brigde.conflist\n    containers: {one: }\n",
       "a.yaml:6:14: there is no CNI network configuration 'cni/brigde.conflist' (tried "},
      {"    network: seed/README.md\n    containers: {one: }\n",
       "is no CNI network configuration: it is no JSON"},
      {net, "a.yaml:6:5: cni setup needs the key 'containers'"},
      {net + "    containers: {}\n", "'containers' is empty"},
      {net + "    containers: {internet: }\n", "a.yaml:7:18: the world has a node named internet already"},
      {net + "    containers: {one: {address: 192.168.16.10}}\n", "192.168.16.10 is another's already"},
      {net + "    containers: {one: {adress: 10.88.0.2}}\n", "did you mean 'address'?"},
      {net + "    containers: {one: {network: open}}\n", "a.yaml:7:33: the setup has one 'network'"},
      {net + "    containers: {one: {ports: 80}}\n", "'' is no port, in '80': HOST-PORT:PORT"},
      {net + "    containers: {one: {ports: '0:80'}}\n", "'0' is no port, in '0:80'"},
      {net + "    containers: {one: {ports: 'x:80:80'}}\n", "'x' is no address, in 'x:80:80'"},
      {net + "    containers: {one: {ports: '80:80/icmp'}}\n", "'icmp' is no protocol with ports"},
      {net + "    containers: {one: {interface: lo}}\n", "'lo' is the container's loopback"},
      {net + "    containers: {one: {args: {A: 'x;y'}}}\n", "these cannot hold a ';'"},
      {net + "    containers: {one: {capabilities: {bandwidth: {}}}}\n",
       "no plugin of the network 'bridge' has the capability 'bandwidth', so none would be told"},
      {"    network: cni/ptp.conflist\n    containers: {one: {ports: '80:80'}}\n",
       "no plugin of the network 'ptp' has the capability 'portMappings'"},
      {"    networks: {a: cni/ptp.conflist, b: cni/ptp.conflist}\n    containers: {one: }\n",
       "another of these networks is named 'ptp' already"},
      {"    networks: {a: cni/ptp.conflist, b: cni/blue.conflist}\n    containers: {one: }\n",
       "a.yaml:7:18: one needs 'network', one of a, b"},
      {"    networks: {a: cni/ptp.conflist, b: cni/blue.conflist}\n    containers: {one: {network: c}}\n",
       "a.yaml:7:33: "},
  };
  for (const Case& each : cases) EXPECT_THAT(refused(each.setup), HasSubstr(each.why)) << each.setup;
}

TEST_F(SpecCni, RefusesAFolderOfPluginsThatIsNotThere) {
  const std::string what = refused(std::string(kNetwork) + "    path: no-such\n    containers: {one: }\n");
  EXPECT_THAT(what, AllOf(HasSubstr("a.yaml:7:11: there is no folder /"), HasSubstr("/no-such")));
}

TEST_F(SpecCni, RefusesPluginsThatNobodyKnows) {
  std::filesystem::create_directory(folder_ + "/plugins");
  const auto with = [&](const std::string& plugin) {
    write("net.conflist", R"({"cniVersion": "1.0.0", "name": "x",
  "plugins": [)" + plugin + "]}");
    return refused("    network: net.conflist\n    path: plugins\n    containers: {one: }\n");
  };
  EXPECT_THAT(
      with(R"({"type": "brigde"})"),
      AllOf(HasSubstr("a.yaml:6:14: "), HasSubstr("net.conflist:2:24: there is no CNI plugin 'brigde' in "),
            HasSubstr("did you mean 'bridge'?")));
  EXPECT_THAT(with(R"({"type": "bridge", "ipam": {"type": "host-locl"}})"),
              AllOf(HasSubstr("no CNI plugin 'host-locl'"), HasSubstr("did you mean 'host-local'?")));
  // Which may be installed yet
  EXPECT_EQ(with(R"({"type": "bridge", "ipam": {"type": "host-local"}})"), "(it was taken)");
}

}  // namespace
}  // namespace plumbline::spec
