#include "harness/network/cni/configuration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "harness/base/error.hpp"

namespace plumbline::network::cni {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

constexpr const char* kList = R"({"cniVersion": "1.0.0", "name": "net", "plugins": [
  {"type": "bridge", "ipam": {"type": "host-local"}},
  {"type": "portmap", "capabilities": {"portMappings": true, "mac": false}, "snat": true}]})";

std::string refusal_of(const std::string& text) {
  try {
    parse_configuration(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "(it was taken)";
}

TEST(CniConfiguration, ReadsListsAndSinglePlugins) {
  const Configuration list = parse_configuration(kList);
  EXPECT_EQ(list.name, "net");
  ASSERT_EQ(list.plugins.size(), 2U);
  EXPECT_EQ(type_of(list.plugins[0]), "bridge");
  EXPECT_EQ(ipam_of(list.plugins[0]), "host-local");
  EXPECT_EQ(ipam_of(list.plugins[1]), "");
  EXPECT_TRUE(takes(list, "portMappings"));
  EXPECT_FALSE(takes(list, "mac")) << "declared, and switched off";
  EXPECT_FALSE(takes(list, "bandwidth"));
  EXPECT_TRUE(has_check(list));
  EXPECT_FALSE(list.disable_check);
  const Configuration one =
      parse_configuration(R"({"cniVersion": "0.3.1", "name": "a", "type": "ptp", "disableCheck": "true"})");
  ASSERT_EQ(one.plugins.size(), 1U);
  EXPECT_EQ(type_of(one.plugins[0]), "ptp");
  EXPECT_FALSE(has_check(one));
  EXPECT_TRUE(one.disable_check);
}

TEST(CniConfiguration, SaysWhatIsWrong) {
  EXPECT_THAT(refusal_of(R"({"cniVersion": "1.0.0", "name": "a", "name": "b", "type": "x"})"),
              HasSubstr("it says 'name' twice in one object"));
  EXPECT_THAT(refusal_of(R"({"cniVersion": "1.0.0", "name": "a", "plugins": [{"type": "x", "type": "y"}]})"),
              HasSubstr("it says 'type' twice in one object"));
  EXPECT_THAT(refusal_of("{"), HasSubstr("it is no JSON"));
  EXPECT_THAT(refusal_of("[]"), HasSubstr("it is no JSON object"));
  EXPECT_THAT(refusal_of(R"({"cniVersion": "1.0.0", "type": "x"})"), HasSubstr("it has no 'name'"));
  EXPECT_THAT(refusal_of(R"({"cniVersion": "1.0.0", "name": "../x", "type": "x"})"), HasSubstr("no 'name'"));
  EXPECT_THAT(refusal_of(R"({"name": "x", "type": "x"})"), HasSubstr("its cniVersion is not stated"));
  EXPECT_THAT(refusal_of(R"({"cniVersion": "9.9", "name": "x", "type": "x"})"),
              HasSubstr("its cniVersion is 9.9; known are 0.3.0, 0.3.1, 0.4.0, 1.0.0"));
  EXPECT_THAT(refusal_of(R"({"cniVersion": "1.0.0", "name": "x"})"), HasSubstr("plugin 1 has no 'type'"));
  EXPECT_THAT(refusal_of(R"({"cniVersion": "1.0.0", "name": "x", "plugins": []})"),
              HasSubstr("at least one"));
  EXPECT_THAT(refusal_of(R"({"cniVersion": "1.0.0", "name": "x", "plugins": [{"type": "a"}, {}]})"),
              HasSubstr("plugin 2 has no 'type'"));
  EXPECT_THAT(refusal_of(R"({"cniVersion": "1.0.0", "name": "x", "type": "../../bin/sh"})"),
              HasSubstr("names no program in CNI_PATH"));
}

TEST(CniConfiguration, ExecutionConfigurationChainsResultsAndTellsOnlyWhatIsTaken) {
  const Configuration list = parse_configuration(kList);
  json::object known;
  known["portMappings"] = json::array{1};
  known["mac"] = "00:11:22:33:44:55";
  const json::object first = execution_configuration(list, 0, nullptr, known);
  EXPECT_EQ(json::serialize(first),
            R"({"type":"bridge","ipam":{"type":"host-local"},"name":"net","cniVersion":"1.0.0"})");
  const json::object previous{{"ips", json::array{}}};
  const json::object second = execution_configuration(list, 1, &previous, known);
  EXPECT_FALSE(second.contains("capabilities"));
  EXPECT_EQ(json::serialize(second.at("runtimeConfig")), R"({"portMappings":[1]})");
  EXPECT_EQ(json::serialize(second.at("prevResult")), R"({"ips":[]})");
  EXPECT_EQ(second.at("snat"), true);
}

}  // namespace
}  // namespace plumbline::network::cni
