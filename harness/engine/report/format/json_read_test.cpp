#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <functional>
#include <sstream>

#include "harness/engine/report/format/format.hpp"
#include "harness/engine/report/json_value.hpp"
#include "harness/engine/report/testing/sample_run.hpp"

namespace plumbline::engine {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

std::string report(const RunResult& run) {
  std::ostringstream out;
  format("json").make(out, {})->run_finished(run);
  return out.str();
}

std::string error_of(const std::string& text) {
  try {
    read_report(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  ADD_FAILURE() << "read without an error:\n" << text;
  return "";
}

/// The sample's report after `edit`.
std::string edited(const std::function<void(json::value&)>& edit) {
  json::value value = json::parse(report(samples::everything()));
  edit(value);
  return json::serialize(value);
}

json::object& check(json::value& report, std::size_t number) {
  return report.at("scenarios").at(0).at("checks").at(number).as_object();
}

TEST(JsonRead, GivesBackExactlyWhatWasWritten) {
  const RunResult run = samples::everything();
  EXPECT_EQ(read_report(report(run)), run);
  EXPECT_EQ(read_report(report(samples::merged_run())), samples::merged_run());
  EXPECT_EQ(read_report(report(RunResult{})), RunResult{});
}

TEST(JsonRead, GivesBackEveryVerdictAndKindOfError) {
  RunResult run = samples::sample_run();
  for (const ErrorKind kind :
       {ErrorKind::usage, ErrorKind::setup, ErrorKind::environment, ErrorKind::internal}) {
    run.scenarios.back().error->kind = kind;
    const RunResult again = read_report(report(run));
    EXPECT_EQ(again.scenarios.back(), run.scenarios.back());
    EXPECT_EQ(report(again), report(run));
  }
}

TEST(JsonRead, WhatWasNoTextOrHadTooManyDigitsIsTheSameFromThenOn) {
  const RunResult once = read_report(report(samples::hostile_run()));
  EXPECT_EQ(read_report(report(once)), once);
}

/// What the first reports of this schema did not tell yet.
TEST(JsonRead, WhatOlderReportsLackIsNotMissed) {
  const RunResult run = read_report(edited([](json::value& value) {
    value.as_object().erase("started");
    value.as_object().erase("baseline");
    for (json::value& difference : value.at("differing").as_array()) difference.as_object().erase("host");
    for (json::value& scenario : value.at("scenarios").as_array()) {
      scenario.as_object().erase("host");
      scenario.as_object().erase("network");
      for (json::value& each : scenario.at("checks").as_array()) {
        for (json::value& step : each.at("journey").as_array()) {
          for (const char* key : {"bytes", "length", "link_type"}) step.as_object().erase(key);
        }
      }
    }
  }));
  EXPECT_EQ(run.summary(), samples::everything().summary());
  EXPECT_FALSE(run.has_several_hosts());
}

TEST(JsonRead, WhatDiffersBetweenHostsMustFollow) {
  json::value value = json::parse(report(samples::merged_run()));
  value.at("across_hosts").as_array().clear();
  EXPECT_EQ(error_of(json::serialize(value)), "across_hosts: it does not follow from the scenarios");
}

TEST(JsonRead, ReadsOneScenarioAlone) {
  const ScenarioResult scenario = samples::everything().scenarios.front();
  EXPECT_EQ(read_scenario(to_json(scenario)), scenario);
}

TEST(JsonRead, TextThatIsNoJsonIsToldByLineAndColumn) {
  EXPECT_THAT(error_of(""), HasSubstr("line 1, column 1: this is no JSON"));
  EXPECT_THAT(error_of("{\n  \"schema\": 1,\n  oops\n}\n"), HasSubstr("line 3, column "));
  const std::string whole = report(samples::everything());
  EXPECT_THAT(error_of(whole.substr(0, whole.size() / 2)), HasSubstr("this is no JSON"));
  EXPECT_THAT(error_of(whole + "{}"), HasSubstr("this is no JSON"));
  EXPECT_THAT(error_of("[1]"), HasSubstr("expected an object, found an array"));
}

TEST(JsonRead, OfEveryPrefixNoneIsTakenForAReport) {
  const std::string whole = report(samples::sample_run());
  for (std::size_t length = 0; length + 1 < whole.size(); length += 7) {
    EXPECT_THROW(read_report(whole.substr(0, length)), Error) << length;
  }
}

TEST(JsonRead, AnotherSchemaIsRefused) {
  EXPECT_EQ(error_of(edited([](json::value& value) { value.at("schema") = 2; })),
            "schema: expected 1, the only one that this program reads, found 2");
}

TEST(JsonRead, WhatIsMissingIsToldWithItsPlace) {
  EXPECT_EQ(error_of(edited([](json::value& value) { value.as_object().erase("interrupted"); })),
            "'interrupted' is missing");
  EXPECT_EQ(error_of(edited([](json::value& value) { check(value, 1).erase("observed"); })),
            "scenarios[0].checks[1]: 'observed' is missing");
  EXPECT_EQ(error_of(edited(
                [](json::value& value) { check(value, 0).at("journey").at(2).as_object().erase("packet"); })),
            "scenarios[0].checks[0].journey[2]: 'packet' is missing");
}

TEST(JsonRead, WhatIsNotKnownIsToldWithItsPlace) {
  EXPECT_EQ(error_of(edited([](json::value& value) { check(value, 1)["colour"] = "red"; })),
            "scenarios[0].checks[1]: 'colour' is not known in schema 1");
  EXPECT_EQ(error_of(edited([](json::value& value) {
              check(value, 0)["error"] = {{"message", "m"}, {"where", "w"}};  // only where the verdict is one
            })),
            "scenarios[0].checks[0]: 'error' is not known in schema 1");
}

TEST(JsonRead, WrongTypesAreToldWithWhatIsThere) {
  struct Case {
    std::string key;
    json::value value;
    std::string problem;
  };
  for (const Case& one : std::vector<Case>{
           {"id", 7, "expected a text, found 7"},
           {"verdict", "good", "expected one of pass, fail, inconclusive, skip, error, found \"good\""},
           {"verdict", nullptr, "expected one of pass, fail, inconclusive, skip, error, found null"},
           {"duration_ms", "1", "expected milliseconds, found \"1\""},
           {"duration_ms", -1.5, "expected milliseconds, found -1.5E0"},
           {"journey", json::object{}, "expected an array, found an object"},
           {"control", json::array{}, "expected an object, found an array"},
           {"trace", 1, "expected a text, found 1"}}) {
    const std::string text = edited([&](json::value& value) { check(value, 1)[one.key] = one.value; });
    EXPECT_EQ(error_of(text), "scenarios[0].checks[1]." + one.key + ": " + one.problem);
  }
  EXPECT_EQ(error_of(edited([](json::value& value) {
              check(value, 1).at("journey").at(0).at("t_us") = 18446744073709551615U;
            })),
            "scenarios[0].checks[1].journey[0].t_us: expected microseconds, found 18446744073709551615");
  EXPECT_EQ(error_of(edited([](json::value& value) { value.at("scenarios").at(0).at("repetition") = 0; })),
            "scenarios[0].repetition: expected a number from 1, found 0");
  EXPECT_EQ(error_of(edited([](json::value& value) { value.at("repetitions") = -2; })),
            "repetitions: expected a number of things, found -2");
}

TEST(JsonRead, TotalsThatDoNotFollowAreRefused) {
  EXPECT_EQ(error_of(edited([](json::value& value) { value.at("summary").at("passed") = 100; })),
            "summary: it does not count what the scenarios hold");
  EXPECT_EQ(error_of(edited([](json::value& value) { value.at("differing").as_array().clear(); })),
            "differing: it does not follow from the scenarios");
}

/// A report that is read can be written again, and holds to the schema then.
TEST(JsonRead, WhatTheSchemaRefusesIsRefused) {
  const auto scenario = [](json::value& value) -> json::object& {
    return value.at("scenarios").at(0).as_object();
  };
  EXPECT_EQ(error_of(edited([&](json::value& value) { scenario(value)["host"] = nullptr; })),
            "scenarios[0].host: expected a text, found null");
  EXPECT_EQ(error_of(edited([](json::value& value) { value.as_object()["baseline"] = nullptr; })),
            "baseline: expected an object, found null");
  EXPECT_EQ(
      error_of(edited([&](json::value& value) { scenario(value)["matrix"].at(0).at("family") = "ipv5"; })),
      "scenarios[0].matrix[0].family: expected one of ipv4, ipv6, found \"ipv5\"");
  EXPECT_EQ(
      error_of(edited([&](json::value& value) { scenario(value)["network"].at(0).at("role") = "router"; })),
      "scenarios[0].network[0].role: expected one of host, container, world, found \"router\"");
  EXPECT_EQ(error_of(edited([](json::value& value) { check(value, 0)["family"] = ""; })),
            "scenarios[0].checks[0].family: expected one of ipv4, ipv6, found \"\"");
  EXPECT_EQ(error_of(edited([](json::value& value) { check(value, 0).erase("control"); })),
            "scenarios[0].checks[0]: 'control' is missing");
  EXPECT_EQ(error_of(edited([](json::value& value) {
              check(value, 1).at("kernel").at(0).at("hook") = "ingress";
            })).substr(0, 64),
            "scenarios[0].checks[1].kernel[0].hook: expected one of preroutin");
  json::value value = json::parse(report(samples::merged_run()));
  value.at("baseline").at("changes").at(1).at("is") = nullptr;
  EXPECT_EQ(error_of(json::serialize(value)),
            "baseline.changes[1]: a check that was not there and is not there has not changed");
}

}  // namespace
}  // namespace plumbline::engine
