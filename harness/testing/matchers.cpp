#include "harness/testing/matchers.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "harness/engine/report/explain.hpp"

namespace plumbline::testing {
namespace {

/// Sees to it that no test passes in which a promise was not kept: a matcher cannot know that it stands under
/// a negation, or that nobody looked at its answer.
class UnkeptPromises : public ::testing::EmptyTestEventListener {
 public:
  static void note(const std::string& explanation) {
    static UnkeptPromises* const listener = [] {
      auto made = std::make_unique<UnkeptPromises>();
      UnkeptPromises* const raw = made.get();
      ::testing::UnitTest::GetInstance()->listeners().Append(made.release());  // which owns it from now on
      return raw;
    }();
    listener->unkept_ += explanation;
  }

  void OnTestEnd(const ::testing::TestInfo& test) override {
    if (!unkept_.empty() && !test.result()->Failed()) {
      ADD_FAILURE()
          << "a promise was not kept, and no assertion says so; its opposite must be promised, not its "
             "negation\n"
          << unkept_;
    }
    unkept_.clear();
  }

 private:
  std::string unkept_;
};

/// The question and the promise as an item of `checks:`, each part of which stands at the question's place.
spec::CheckItem item(const Question& question, const Promise& promise) {
  const spec::Mark mark{std::make_shared<const std::string>(question.place.file),
                        static_cast<std::size_t>(question.place.line), 1};
  const auto text_of = [&mark](const std::string& text) {
    spec::Value value;
    value.kind = spec::Value::Kind::scalar;
    value.mark = mark;
    value.text = text;
    return value;
  };
  spec::Value arguments;
  arguments.kind = spec::Value::Kind::mapping;
  arguments.mark = mark;
  const auto add = [&](const auto& more) {
    for (const auto& [key, values] : more) {
      spec::Value list;
      list.kind = spec::Value::Kind::sequence;
      list.mark = mark;
      for (const std::string& value : values) list.items.push_back(text_of(value));
      arguments.entries.push_back({key, mark, values.size() == 1 ? text_of(values.front()) : list});
    }
  };
  add(question.arguments);
  add(promise.arguments);
  return {promise.kind, mark, std::move(arguments)};
}

}  // namespace

bool kept(const std::vector<engine::CheckResult>& results, std::string& explanation) {
  if (results.empty()) explanation = "there is no check";
  for (const engine::CheckResult& result : results) {
    if (result.verdict == engine::Verdict::pass) continue;
    explanation += fmt::format("\n{}\n{}", engine::headline(result), engine::explain(result));
  }
  if (explanation.empty()) return true;
  UnkeptPromises::note(explanation);
  return false;
}

bool kept(const Question& question, const Promise& promise, std::string& explanation) {
  return kept(question.network->carry_out(item(question, promise)), explanation);
}

DenialMatcher DenialMatcher::by(const std::string& guard) const {
  DenialMatcher more = *this;
  more.add("guard", guard, " by " + guard);
  return more;
}

DenialMatcher DenialMatcher::unlike(const std::string& control) const {
  DenialMatcher more = *this;
  more.add("control", control, ", unlike one from " + control);
  return more;
}

PromiseMatcher<Probe> Reaches() {
  return PromiseMatcher<Probe>({"reach", "arrives at its target and is answered", {}});
}

DenialMatcher IsDenied(const std::string& how) {
  Promise promise{"deny", "is stopped", {}};
  if (!how.empty()) {
    promise.arguments.push_back({"how", {how}});
    promise.description += fmt::format(" ({})", how);
  }
  return DenialMatcher(std::move(promise));
}

PromiseMatcher<Probe> Egresses(const std::string& via, const std::string& as) {
  Promise promise{"egress", "leaves by " + via, {{"via", {via}}}};
  if (!as.empty()) {
    promise.arguments.push_back({"as", {as}});
    promise.description += " as " + as;
  }
  return PromiseMatcher<Probe>(std::move(promise));
}

PromiseMatcher<Query> Resolves(const Names& addresses) {
  Promise promise{"resolve", "is answered with an address", {}};
  if (!addresses.list.empty()) {
    promise.description =
        fmt::format("is answered with {} and nothing else", fmt::join(addresses.list, ", "));
    promise.arguments.push_back({"expect", addresses.list});
  }
  return PromiseMatcher<Query>(std::move(promise));
}

bool PassMatcher::MatchAndExplain(const std::vector<engine::CheckResult>& results,
                                  ::testing::MatchResultListener* listener) const {
  std::string explanation;
  if (kept(results, explanation)) return true;
  *listener << explanation;
  return false;
}

}  // namespace plumbline::testing

namespace plumbline::engine {

void PrintTo(const CheckResult& result, std::ostream* out) {
  *out << fmt::format("{}: {}", result.id, to_text(result.verdict));
}

}  // namespace plumbline::engine
