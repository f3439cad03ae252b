#include "harness/network/setup/engine/bodies.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "harness/base/error.hpp"

namespace plumbline::network {
namespace {

namespace json = boost::json;

IpAddress address(const char* text) {
  return *IpAddress::parse(text);
}

EngineSetup::Container container(const char* name, std::vector<EngineSetup::Attachment> attachments) {
  return {name, std::move(attachments), {}};
}

TEST(EngineBodies, ANetworkWithBothFamiliesThatIsInternal) {
  const EngineSetup::Network blue{
      "blue", {*Prefix::parse("172.30.0.0/24"), *Prefix::parse("fd00:30::/64")}, true, {{"isolate", "true"}}};
  EXPECT_EQ(json::value(network_body(blue)), json::parse(R"({
    "Name": "blue", "Driver": "bridge", "CheckDuplicate": true, "Internal": true, "EnableIPv6": true,
    "IPAM": {"Driver": "default", "Config": [{"Subnet": "172.30.0.0/24"}, {"Subnet": "fd00:30::/64"}]},
    "Options": {"isolate": "true"}})"));
}

TEST(EngineBodies, OnTheDefaultNetworkNoAddressIsAskedFor) {
  const json::object body =
      container_body(container("web", {{"", {address("172.17.0.2")}}}), EngineSetup::Engine::docker);
  EXPECT_EQ(body.at("HostConfig").at("NetworkMode").as_string(), "default");
  EXPECT_FALSE(body.contains("NetworkingConfig"));
}

TEST(EngineBodies, OnANetworkOfItsOwnItsAddressIsAskedFor) {
  const EngineSetup::Container both = container(
      "both",
      {{"blue", {address("172.30.0.13"), address("fd00:30::13")}}, {"green", {address("172.31.0.13")}}});
  const json::object body = container_body(both, EngineSetup::Engine::docker);
  EXPECT_EQ(body.at("NetworkingConfig"), json::parse(R"({"EndpointsConfig": {"blue": {"IPAMConfig": {
    "IPv4Address": "172.30.0.13", "IPv6Address": "fd00:30::13"}}}})"));
  EXPECT_EQ(json::value(join_body("both", both.attachments[1])), json::parse(R"({"Container": "both",
                            "EndpointConfig": {"IPAMConfig": {"IPv4Address": "172.31.0.13"}}})"));
}

TEST(EngineBodies, NoTargetNamesAVersionOfTheApi) {
  for (const std::string& target : {image_target(), network_target(), container_target("web"),
                                    join_target("blue"), start_target("web"), inspect_target("web")}) {
    EXPECT_THAT(target, ::testing::Not(::testing::ContainsRegex("^/v[0-9]"))) << "an engine may refuse it";
  }
  EXPECT_EQ(join_target("a b"), "/networks/a%20b/connect");
}

TEST(EngineBodies, OnePortMayBePublishedTwice) {
  EngineSetup::Container web = container("web", {{}});
  web.publish = {
      {std::nullopt, 8080, 80, false}, {address("127.0.0.1"), 8081, 80, false}, {std::nullopt, 53, 53, true}};
  const json::object body = container_body(web, EngineSetup::Engine::docker);
  EXPECT_EQ(body.at("HostConfig").at("PortBindings"), json::parse(R"({
    "80/tcp": [{"HostIp": "", "HostPort": "8080"}, {"HostIp": "127.0.0.1", "HostPort": "8081"}],
    "53/udp": [{"HostIp": "", "HostPort": "53"}]})"));
  EXPECT_TRUE(body.at("ExposedPorts").as_object().contains("53/udp"));
}

Topology world(std::vector<IpAddress> resolvers) {
  Topology world;
  Node& host = world.nodes.emplace_back();
  host.name = "host";
  host.role = Role::host;
  host.resolvers = std::move(resolvers);
  return world;
}

std::vector<IpAddress> resolvers_of(EngineSetup::Engine engine, const EngineSetup::Container& one,
                                    const Topology& world) {
  EngineSetup setup;
  setup.engine = engine;
  setup.networks = {{"blue", {*Prefix::parse("172.30.0.0/24")}, false, {}}};
  setup.containers = {one};
  return EngineRuntime(setup).expected(world).find(one.name)->resolvers;
}

TEST(EngineExpected, ResolversAreTheHostsOrTheEnginesOwn) {
  using enum EngineSetup::Engine;
  const Topology lan = world({address("192.168.16.53"), address("2001:db8::53")});
  const auto plain = container("one", {{}});
  const auto named = container("one", {{"blue", {}}});
  EXPECT_EQ(resolvers_of(docker, plain, lan), std::vector{address("192.168.16.53")});
  EXPECT_EQ(resolvers_of(docker, named, lan), std::vector{address("127.0.0.11")});
  EXPECT_EQ(resolvers_of(podman, named, lan), (std::vector{address("172.30.0.1"), address("192.168.16.53")}));
  EXPECT_EQ(resolvers_of(docker, plain, world({address("127.0.0.53")})),
            (std::vector{address("8.8.8.8"), address("8.8.4.4")}));
}

TEST(EngineExpected, RefusesWhatTheWorldHasAlready) {
  EngineSetup setup;
  setup.containers = {container("host", {{}})};
  EXPECT_THROW(EngineRuntime(setup).expected(world({})), Error);
}

}  // namespace
}  // namespace plumbline::network
