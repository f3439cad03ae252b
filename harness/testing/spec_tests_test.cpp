#include "harness/testing/spec_tests.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "harness/engine/run/runner.hpp"
#include "harness/testing/specs.hpp"

namespace plumbline::testing {
namespace {

using ::testing::EndsWith;
using ::testing::StartsWith;

TEST(SpecTests, AreNamedByScenarioSetupAndCheck) {
  const LoadedSpecs loaded = load_specs({PLUMBLINE_SOURCE_DIR "/scenarios/diy.yaml"});
  ASSERT_TRUE(loaded.errors.empty());
  std::set<std::string> names;
  std::size_t promised = 0;
  for (const spec::Spec& spec : loaded.specs) promised += engine::promises(spec, {}).size();
  for (const SpecTest& test : spec_tests(loaded.specs)) {
    EXPECT_EQ(test.suite, "diy");
    EXPECT_THAT(test.file, EndsWith("/scenarios/diy.yaml"));
    EXPECT_GT(test.line, 10) << test.full_name();
    EXPECT_THAT(test.name, StartsWith(test.setup + "/"));
    EXPECT_THAT(test.setup, StartsWith(test.kind));
    names.insert(test.full_name());
  }
  EXPECT_EQ(names.size(), promised) << "no two have one name";
  EXPECT_TRUE(names.contains("diy.native/deny container-one -> 10.1.2.3 tcp/80"));
}

TEST(SpecTests, AllScenariosThatShipAreRight) {
  const LoadedSpecs loaded = load_specs({});
  for (const Error& error : loaded.errors) ADD_FAILURE() << error.what();
  EXPECT_FALSE(loaded.specs.empty());
}

}  // namespace
}  // namespace plumbline::testing
