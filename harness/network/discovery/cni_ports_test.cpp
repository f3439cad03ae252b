#include "harness/network/discovery/cni_ports.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace plumbline::network::detail {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// {"plugins":[{"type":"portmap","capabilities":{"portMappings":true}}]}
constexpr const char* kPortmap =
    "eyJwbHVnaW5zIjpbeyJ0eXBlIjoicG9ydG1hcCIsImNhcGFiaWxpdGllcyI6eyJwb3J0TWFwcGluZ3MiOnRydWV9fV19";
/// {"plugins":[{"type":"bridge"}]}
constexpr const char* kBridge = "eyJwbHVnaW5zIjpbeyJ0eXBlIjoiYnJpZGdlIn1dfQ==";

std::vector<PublishedPort> ports_of(const std::string& config, const std::string& mappings,
                                    const std::string& address = "10.1.0.2/24") {
  return cni_ports(boost::json::parse(R"({"kind": "cniCacheV1", "config": ")" + config +
                                      R"(", "capabilityArgs": {"portMappings": [)" + mappings +
                                      R"(]}, "result": {"ips": [{"address": ")" + address + R"("}]}})"));
}

TEST(CniPorts, AreThoseThatARuntimeToldPortmap) {
  EXPECT_THAT(ports_of(kPortmap,
                       R"({"hostPort": 8080, "containerPort": 80, "protocol": "tcp"},
                          {"hostPort": 53, "containerPort": 5353, "protocol": "UDP", "hostIP": "127.0.0.1"},
                          {"hostPort": 9, "containerPort": 9, "protocol": "tcp", "hostIP": "0.0.0.0"})"),
              ElementsAre(PublishedPort{false, IpAddress::parse("127.0.0.1"), 53, 5353},
                          PublishedPort{true, {}, 9, 9}, PublishedPort{true, {}, 8080, 80}));
}

TEST(CniPorts, AreNoneWhereNobodyLeadsThem) {
  const std::string mapping = R"({"hostPort": 8080, "containerPort": 80, "protocol": "tcp"})";
  EXPECT_THAT(ports_of(kBridge, mapping), IsEmpty()) << "told to nobody";
  EXPECT_THAT(ports_of("rubbish", mapping), IsEmpty());
  EXPECT_THAT(ports_of(kPortmap, mapping, "fd00::2/64"), IsEmpty())
      << "portmap goes by the container's families";
  EXPECT_THAT(ports_of(kPortmap, R"({"hostPort": 1, "containerPort": 2, "protocol": "sctp"})"), IsEmpty());
  EXPECT_THAT(ports_of(kPortmap, R"({"hostPort": 0, "containerPort": 2, "protocol": "tcp"}, 7)"), IsEmpty());
}

}  // namespace
}  // namespace plumbline::network::detail
