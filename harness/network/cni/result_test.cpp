#include "harness/network/cni/result.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/error.hpp"

namespace plumbline::network::cni {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <class Action>
std::string problem_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::setup);
    return error.what();
  }
  return "(none)";
}

TEST(CniResult, ReadsInterfacesAddressesAndResolvers) {
  const Result result = parse_result(R"({"cniVersion": "0.3.1",
    "interfaces": [{"name": "cni0"}, {"name": "eth0", "sandbox": "/run/netns/one"}],
    "ips": [{"version": "4", "interface": 1, "address": "10.88.0.2/16", "gateway": "10.88.0.1"}, {"address": "fd00::2/64"}],
    "dns": {"nameservers": ["192.168.16.53", "nonsense"]}})");
  ASSERT_EQ(result.interfaces.size(), 2U);
  EXPECT_EQ(result.interfaces[0].sandbox, "");
  EXPECT_EQ(result.interfaces[1].name, "eth0");
  ASSERT_EQ(result.addresses.size(), 2U);
  EXPECT_EQ(result.addresses[0].to_string(), "10.88.0.2/16");
  ASSERT_EQ(result.resolvers.size(), 1U);
  EXPECT_TRUE(parse_result("{}").addresses.empty()) << "a plugin need not give any";
}

TEST(CniResult, SaysWhatIsNone) {
  EXPECT_THAT(problem_of([] { parse_result(""); }), HasSubstr("no result in JSON, but: nothing"));
  EXPECT_THAT(problem_of([] { parse_result("all is \x1b[1mwell"); }), HasSubstr("all is \\x1b[1mwell"));
  EXPECT_THAT(problem_of([] { parse_result(R"({"ips": [{"address": "10.0.0.300/8"}]})"); }),
              HasSubstr("the address 10.0.0.300/8, which is none"));
  EXPECT_THAT(problem_of([] { parse_result(R"({"interfaces": [1]})"); }),
              HasSubstr("an interface that is no"));
  EXPECT_LT(problem_of([] { parse_result(std::string(100'000, 'x')); }).size(), 400U);
}

TEST(CniResult, ReadsThePluginsOwnErrors) {
  const auto error =
      parse_error(R"({"cniVersion": "1.0.0", "code": 11, "msg": "try again", "details": "busy"})");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->to_string(), "code 11: try again (busy)");
  EXPECT_FALSE(parse_error("panic: nil pointer"));
  EXPECT_FALSE(parse_error(R"({"code": 11})"));
  EXPECT_FALSE(parse_error(R"({"msg": "x"})"));
}

TEST(CniResult, ReadsTheVersionsThatAPluginSpeaks) {
  EXPECT_THAT(parse_versions(R"({"cniVersion": "1.0.0", "supportedVersions": ["0.4.0", "1.0.0"]})"),
              ElementsAre("0.4.0", "1.0.0"));
  EXPECT_THAT(problem_of([] { parse_versions("usage: x"); }),
              HasSubstr("VERSION with no JSON, but: usage: x"));
  EXPECT_THAT(problem_of([] { parse_versions("{}"); }), HasSubstr("without supportedVersions"));
}

}  // namespace
}  // namespace plumbline::network::cni
