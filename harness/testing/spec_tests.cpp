#include "harness/testing/spec_tests.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "harness/engine/check/result.hpp"
#include "harness/engine/report/explain.hpp"
#include "harness/engine/run/runner.hpp"
#include "harness/testing/specs.hpp"

namespace plumbline::testing {
namespace {

/// One registered check, and what the last run of its suite made of it.
struct Case {
  SpecTest test;
  std::string id;
  std::optional<Told> told;
};

/// A scenario with one setup.
struct Variant {
  spec::Spec spec;
  std::deque<Case> cases;  // their addresses stay
};

/// All that is registered, by suite. GoogleTest gives a suite's set-up nothing but the suite's name.
struct Registry {
  std::map<std::string, std::deque<Variant>> suites;
  SpecTestOptions options;
  bool interrupted = false;
};

Registry& registry() {
  static Registry registry;
  return registry;
}

engine::ScenarioError error_of(const spec::Spec& spec, const std::exception& problem) {
  const auto* error = dynamic_cast<const Error*>(&problem);
  if (error == nullptr) return {problem.what(), spec.file, "", ErrorKind::internal};
  return {error->what(), spec.file, error->remedy(), error->kind()};
}

Told told_of(const engine::CheckResult& result) {
  Told told{result.verdict, result.duration_ms, {}, result.trace};
  if (result.verdict == engine::Verdict::skip) {
    told.message = result.observed;
  } else if (result.verdict != engine::Verdict::pass) {
    told.message = engine::headline(result) + "\n" + engine::explain(result);
  }
  return told;
}

Told told_of(const engine::ScenarioError& error) {
  return {engine::Verdict::error, 0, "the scenario could not be run\n" + engine::explain(error), {}};
}

/// Gives `each` what became of its check: where the scenario ended early, that is its own verdict as far as
/// there is one.
void settle(Case& each, const std::map<std::string, engine::CheckResult>& results,
            const std::optional<engine::ScenarioError>& error) {
  const auto found = results.find(each.id);
  const bool judged = found != results.end() && found->second.verdict != engine::Verdict::skip;
  if (error && !judged) {
    each.told = told_of(*error);
  } else if (found != results.end()) {
    each.told = told_of(found->second);
  } else {
    each.told = Told{engine::Verdict::error, 0, "it was not run", {}};
  }
  const SpecTestOptions& options = registry().options;
  if (!options.keep.empty()) keep(options.keep, options.keeper, each.test.full_name(), *each.told);
}

/// Runs those of the variant's checks that `wanted` names, and gives each case its result.
void run(Variant& variant, const std::set<std::string>& wanted) {
  engine::RunOptions options;
  options.timeout = registry().options.timeout;
  options.out_directory = registry().options.out_directory;
  options.ids.emplace();
  for (Case& each : variant.cases) {
    const auto known = registry().options.known.find(each.test.full_name());
    each.told.reset();
    if (known != registry().options.known.end()) {
      each.told = known->second;
    } else if (wanted.contains(each.test.name)) {
      options.ids->insert(each.id);
    }
  }
  if (options.ids->empty()) return;
  std::map<std::string, engine::CheckResult> results;
  std::optional<engine::ScenarioError> error;
  try {
    engine::RunResult run = engine::run({variant.spec}, options, {});
    registry().interrupted = registry().interrupted || run.interrupted;
    for (engine::ScenarioResult& scenario : run.scenarios) {
      error = scenario.error;
      for (engine::CheckResult& check : scenario.checks) results[check.id] = std::move(check);
    }
  } catch (const std::exception& problem) {
    error = error_of(variant.spec, problem);
  }
  for (Case& each : variant.cases) {
    if (options.ids->contains(each.id)) settle(each, results, error);
  }
}

class SpecCase : public ::testing::Test {
 public:
  explicit SpecCase(const Case& own) : case_(own) {}

  static void SetUpTestSuite() {
    const ::testing::TestSuite& suite = *::testing::UnitTest::GetInstance()->current_test_suite();
    std::set<std::string> wanted;
    for (int i = 0; i < suite.total_test_count(); ++i) {
      const ::testing::TestInfo& test = *suite.GetTestInfo(i);
      if (test.should_run()) wanted.insert(test.name());
    }
    for (Variant& variant : registry().suites.at(suite.name())) {
      if (registry().interrupted) return;
      run(variant, wanted);
    }
  }

  void TestBody() override {
    if (!case_.told) {
      if (registry().interrupted) GTEST_SKIP() << "interrupted";
      return fail("it was not run");
    }
    RecordProperty("verdict", engine::to_text(case_.told->verdict));
    RecordProperty("duration_ms", fmt::format("{:.3f}", case_.told->duration_ms));
    if (!case_.told->trace.empty()) RecordProperty("trace", case_.told->trace);
    switch (case_.told->verdict) {
      case engine::Verdict::pass:
        return;
      case engine::Verdict::skip:
        GTEST_SKIP() << case_.told->message;
      case engine::Verdict::fail:
      case engine::Verdict::inconclusive:
      case engine::Verdict::error:
        fail(case_.told->message);
    }
  }

 private:
  /// At the promise's place, not at one in this file.
  void fail(const std::string& message) const {
    ADD_FAILURE_AT(case_.test.file.c_str(), case_.test.line) << message;
  }

  const Case& case_;
};

/// --gtest_repeat knows nothing of an interruption, and may be endless. By the next iteration all reports of
/// the last one are written.
class EndWhenInterrupted : public ::testing::EmptyTestEventListener {
 public:
  void OnTestIterationStart(const ::testing::UnitTest& /*unit*/, int /*iteration*/) override {
    if (!registry().interrupted) return;
    std::fflush(nullptr);
    ::_exit(kInterrupted);
  }
};

/// "scenarios/diy.yaml:32:5" in parts.
void place(const std::string& where, SpecTest& test) {
  const auto column = where.rfind(':');
  const auto line = column == std::string::npos || column == 0 ? column : where.rfind(':', column - 1);
  if (line == std::string::npos) {
    test.file = where;
    return;
  }
  test.file = where.substr(0, line);
  std::from_chars(where.data() + line + 1, where.data() + column, test.line);
}

SpecTest test_of(const spec::Spec& spec, const engine::CheckResult& promise) {
  SpecTest test;
  test.suite = spec.name;
  test.name = fmt::format("{}/{}", setup_name(spec), promise.id);
  test.setup = setup_name(spec);
  test.kind = spec.setup ? spec.setup->kind : "";
  place(promise.where, test);
  return test;
}

void register_case(const Case& made) {
  const SpecTest& test = made.test;
  ::testing::RegisterTest(test.suite.c_str(), test.name.c_str(), nullptr, nullptr, test.file.c_str(),
                          test.line, [&made]() -> SpecCase* { return new SpecCase(made); });
}

}  // namespace

bool interrupted() noexcept {
  return registry().interrupted;
}

std::vector<SpecTest> spec_tests(const std::vector<spec::Spec>& specs) {
  std::vector<SpecTest> tests;
  for (const spec::Spec& spec : specs) {
    for (const engine::CheckResult& promise : engine::promises(spec, {})) {
      tests.push_back(test_of(spec, promise));
    }
  }
  return tests;
}

void register_specs(std::vector<spec::Spec> specs, const SpecTestOptions& options) {
  registry().options = options;
  for (spec::Spec& spec : specs) {
    Variant variant;
    for (const engine::CheckResult& promise : engine::promises(spec, {})) {
      SpecTest test = test_of(spec, promise);
      if (!options.only.empty() && !options.only.contains(test.full_name())) continue;
      variant.cases.push_back({std::move(test), promise.id, {}});
    }
    if (variant.cases.empty()) continue;
    std::deque<Variant>& suite = registry().suites[spec.name];
    variant.spec = std::move(spec);
    suite.push_back(std::move(variant));
    for (const Case& made : suite.back().cases) register_case(made);
  }
  ::testing::UnitTest::GetInstance()->listeners().Append(new EndWhenInterrupted);
}

}  // namespace plumbline::testing
