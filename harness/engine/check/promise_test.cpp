#include "harness/engine/check/promise.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace plumbline::engine {
namespace {

network::Topology two_nodes() {
  network::Topology topology;
  topology.nodes.resize(2);
  topology.nodes[0].name = "host";
  topology.nodes[1].name = "container-one";
  return topology;
}

std::string error_of(const std::string& yaml, const std::function<void(const spec::Value&)>& read) {
  try {
    read(spec::parse_yaml(yaml, "a.yaml"));
  } catch (const spec::SpecError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Promise, ReadsOneOrMany) {
  const auto value =
      spec::parse_yaml("from: [host, container-one]\nto: 10.1.2.3\nwith: [ping, tcp/80, udp/53]\n", "a.yaml");
  EXPECT_EQ(read_nodes(value, "from", two_nodes()).size(), 2U);
  EXPECT_EQ(read_targets(value, "to", two_nodes()).front().text, "10.1.2.3");
  const auto services = read_services(value);
  ASSERT_EQ(services.size(), 3U);
  EXPECT_EQ(services[1].to_string(), "tcp/80");
  EXPECT_EQ(services[2].to_string(), "udp/53");
}

TEST(Promise, PingIsTheDefault) {
  const auto services = read_services(spec::parse_yaml("from: host\n", "a.yaml"));
  ASSERT_EQ(services.size(), 1U);
  EXPECT_EQ(services.front().to_string(), "ping");
}

TEST(Promise, NamesTheNearestNode) {
  EXPECT_EQ(error_of("from: contaner-one\n", [](const auto& v) { read_nodes(v, "from", two_nodes()); }),
            "a.yaml:1:7: unknown node 'contaner-one'; did you mean 'container-one'?");
  EXPECT_EQ(
      error_of("to: [host,\n     somewhere]\n", [](const auto& v) { read_targets(v, "to", two_nodes()); }),
      "a.yaml:2:6: unknown node 'somewhere'; expected host, container-one, or an IP address");
}

TEST(Promise, RefusesAddressesThatNoPacketCanBePromisedTo) {
  const auto read = [](const auto& v) { read_targets(v, "to", two_nodes()); };
  EXPECT_EQ(error_of("to: 0.0.0.0\n", read),
            "a.yaml:1:5: 0.0.0.0 is the unspecified address, not one target's: name a node or its address");
  EXPECT_EQ(error_of("to: [host,\n     '::']\n", read),
            "a.yaml:2:6: :: is the unspecified address, not one target's: name a node or its address");
  EXPECT_EQ(error_of("to: 224.0.0.251\n", read),
            "a.yaml:1:5: 224.0.0.251 is a multicast address, not one target's: name a node or its address");
  EXPECT_EQ(error_of("to: 'ff02::1'\n", read),
            "a.yaml:1:5: ff02::1 is a multicast address, not one target's: name a node or its address");
  EXPECT_EQ(
      error_of("to: 255.255.255.255\n", read),
      "a.yaml:1:5: 255.255.255.255 is the broadcast address, not one target's: name a node or its address");
  EXPECT_EQ(error_of("to: '::ffff:10.1.2.3'\n", read),
            "a.yaml:1:5: ::ffff:10.1.2.3 is an IPv4 address in IPv6's form: write 10.1.2.3");
  for (const char* good : {"127.0.0.1", "10.0.0.255", "'::1'", "'2001:db8::1'", "'::ffff:0:1:2'"}) {
    EXPECT_EQ(error_of(std::string("to: ") + good + "\n", read), "no error") << good;
  }
}

TEST(Promise, RefusesServicesThatAreNone) {
  for (const char* word : {"tcp", "tcp/", "tcp/0", "tcp/65536", "tcp/80x", "udp/-1", "sctp/80", "icmp"}) {
    EXPECT_THAT(error_of(std::string("with: ") + word + "\n", [](const auto& v) { read_services(v); }),
                ::testing::StartsWith("a.yaml:1:7: "))
        << word;
  }
}

TEST(Promise, RefusesAnEmptyListAndAMissingKey) {
  EXPECT_THAT(error_of("from: []\n", [](const auto& v) { read_nodes(v, "from", two_nodes()); }),
              ::testing::HasSubstr("is empty"));
  EXPECT_THAT(error_of("to: host\n", [](const auto& v) { read_nodes(v, "from", two_nodes()); }),
              ::testing::HasSubstr("from"));
}

}  // namespace
}  // namespace plumbline::engine
