#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "harness/engine/report/format/testing.hpp"
#include "harness/engine/report/json_text.hpp"
#include "harness/engine/report/testing/sample_run.hpp"

namespace plumbline::engine {
namespace {

namespace json = boost::json;

std::string report(const RunResult& run) {
  return testing::rendered("json", run);
}

int python(const std::string& arguments) {
  const int status = std::system(("python3 " + arguments).c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

const char* const kValidate =
    "import json, sys, jsonschema\n"
    "schema = json.load(open(sys.argv[1], encoding='utf-8'))\n"
    "jsonschema.Draft202012Validator.check_schema(schema)\n"
    "errors = list(jsonschema.Draft202012Validator(schema).iter_errors(json.load(open(sys.argv[2], "
    "encoding='utf-8'))))\n"
    "for error in errors: print(list(error.path), error.message, file=sys.stderr)\n"
    "sys.exit(1 if errors else 0)\n";

class JsonSchema : public ::testing::Test {
 protected:
  void SetUp() override {
    if (python("-c 'import jsonschema; jsonschema.Draft202012Validator' 2>/dev/null") == 0) return;
    const char* ci = std::getenv("CI");
    if (ci != nullptr && std::string(ci) == "true") FAIL() << "python3-jsonschema is not installed";
    GTEST_SKIP() << "python3-jsonschema is not installed";
  }
  /// 0: `text` is what the schema says.
  int validate(const std::string& text) const {
    return python(folder_.write("validate.py", kValidate) + " " +
                  folder_.write("schema.json", report_json_schema()) + " " +
                  folder_.write("report.json", text));
  }
  testing::Folder folder_;
};

TEST_F(JsonSchema, DescribesTheReport) {
  EXPECT_EQ(validate(report(samples::sample_run())), 0);
  EXPECT_EQ(validate(report(samples::everything())), 0);
  EXPECT_EQ(validate(report(samples::merged_run())), 0);
  EXPECT_EQ(validate(report(RunResult{})), 0);
}

TEST_F(JsonSchema, DescribesTheReportOfHostileInput) {
  EXPECT_EQ(validate(report(samples::hostile_run())), 0);
}

TEST_F(JsonSchema, RefusesWhatIsNotDescribed) {
  json::value value = json::parse(report(samples::sample_run()));
  json::value extra = value;
  extra.at("scenarios").at(0).at("checks").at(0).as_object()["surprise"] = 1;
  EXPECT_EQ(validate(json::serialize(extra) + "\n"), 1);
  json::value missing = value;
  missing.at("summary").as_object().erase("failed");
  EXPECT_EQ(validate(json::serialize(missing) + "\n"), 1);
}

TEST(Json, HoldsWhatTheRunFound) {
  const json::value value = json::parse(report(samples::sample_run()));
  EXPECT_EQ(value.at("schema"), 1);
  EXPECT_EQ(value.at("summary").at("passed"), 1);
  EXPECT_EQ(value.at("summary").at("errors"), 2);
  EXPECT_EQ(value.at("duration_ms").as_double(), 1043.21);
  EXPECT_FALSE(value.at("interrupted").as_bool());
  const json::value& check = value.at("scenarios").at(0).at("checks").at(1);
  EXPECT_EQ(check.at("id"), "deny container-one -> 10.1.2.3 tcp/80");
  EXPECT_EQ(check.at("verdict"), "fail");
  EXPECT_EQ(check.at("duration_ms").as_double(), 1.203);
  EXPECT_EQ(check.at("journey").as_array().size(), 5U);
  EXPECT_EQ(check.at("journey").at(3).at("t_us"), 1203);
  EXPECT_EQ(check.at("kernel").at(3).at("drop_reason"), "NO_SOCKET");
  EXPECT_EQ(check.at("control").at("verdict"), "pass");
  EXPECT_EQ(check.at("cause").at("code"), "deny-rule-missing");
  EXPECT_FALSE(check.as_object().contains("error"));
  const json::value& error = value.at("scenarios").at(0).at("checks").at(4);
  EXPECT_EQ(error.at("error").at("message"), "node container-one: socket: Permission denied");
  EXPECT_EQ(error.at("error").at("where"), "scenarios/two-uplinks.yaml:12:5");
  EXPECT_TRUE(error.at("trace").is_null());
  const json::value& scenario_error = value.at("scenarios").at(1).at("error");
  EXPECT_EQ(scenario_error.at("where"), "scenarios/broken.yaml:7:3");
  EXPECT_EQ(scenario_error.at("remedy"), "correct the ruleset under `nft:`");
  EXPECT_EQ(scenario_error.at("kind"), "internal");
}

TEST(Json, TellsWhichRepetitionsCameToWhichVerdict) {
  const json::value value = json::parse(report(samples::everything()));
  EXPECT_EQ(value.at("repetitions"), 2);
  EXPECT_EQ(value.at("scenarios").at(2).at("repetition"), 2);
  ASSERT_EQ(value.at("differing").as_array().size(), 1U);
  const json::value& difference = value.at("differing").at(0);
  EXPECT_EQ(difference.at("check"), "deny container-two -> 172.16.5.5 udp/53");
  EXPECT_EQ(json::serialize(difference.at("verdicts")),
            R"([{"verdict":"pass","repetitions":[2]},{"verdict":"inconclusive","repetitions":[1]}])");
}

TEST(Json, TellsWhereHostsDifferAndWhatHasChanged) {
  const json::value value = json::parse(report(samples::merged_run()));
  ASSERT_EQ(value.at("across_hosts").as_array().size(), 2U);
  EXPECT_EQ(json::serialize(value.at("across_hosts").at(0)),
            R"({"scenario":"two-uplinks","setup":"native","check":"deny container-one -> 10.1.2.3 tcp/80",)"
            R"("verdicts":{"pass":["web2"],"fail":["web1"]}})");
  EXPECT_EQ(value.at("baseline").at("name"), "old.json");
  const json::array& changes = value.at("baseline").at("changes").as_array();
  ASSERT_EQ(changes.size(), 3U);
  EXPECT_EQ(changes[0].at("was"), "pass");
  EXPECT_EQ(changes[0].at("is"), "fail");
  EXPECT_TRUE(changes[1].at("was").is_null());
  EXPECT_TRUE(changes[2].at("is").is_null());
  EXPECT_FALSE(json::parse(report(samples::everything())).as_object().contains("across_hosts"));
}

TEST(Json, InvalidBytesBecomeReplacementCharacters) {
  const json::value value = json::parse(report(samples::hostile_run()));  // boost.json refuses invalid UTF-8
  EXPECT_EQ(value.at("scenarios").at(0).at("name"),
            "a\x1b[2J\r\nPASS  forged\xef\xbf\xbd\xe2\x80\xae\"</script>\\");
}

TEST(Json, InfiniteDurationsAreStillNumbers) {
  RunResult run;
  run.duration_ms = std::numeric_limits<double>::infinity();
  EXPECT_EQ(json::parse(report(run)).at("duration_ms").to_number<double>(), 0.0);
}

TEST(JsonText, PutsShortPlainThingsOnOneLine) {
  const json::value value =
      json::parse(R"({"a":[],"b":{"c":[1,2.5,"x"],"d":{"e":null}},"f":[{"g":true},{"h":"\n"}]})");
  EXPECT_EQ(pretty(value),
            "{\n"
            "  \"a\": [],\n"
            "  \"b\": {\n"
            "    \"c\": [1, 2.5, \"x\"],\n"
            "    \"d\": {\"e\": null}\n"
            "  },\n"
            "  \"f\": [\n"
            "    {\"g\": true},\n"
            "    {\"h\": \"\\n\"}\n"
            "  ]\n"
            "}\n");
}

TEST(JsonText, RoundTripsTheReport) {
  const std::string text = report(samples::sample_run());
  EXPECT_EQ(pretty(json::parse(text)), text);
}

}  // namespace
}  // namespace plumbline::engine
