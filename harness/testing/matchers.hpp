#pragma once

#include <gmock/gmock.h>

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "harness/testing/network.hpp"

/// Promises about probes, for EXPECT_THAT. Each sends its packets when it is matched, and judges what came of
/// them by the very code that checks of specs are judged by: only *pass* matches, and *inconclusive* never
/// does. A promise that is not kept is told as the console report tells it: expected, observed, control,
/// journey.
namespace plumbline::testing {

/// A kind of check and its arguments beside the question's own.
struct Promise {
  std::string kind;
  std::string description;  ///< "reaches its target and is answered"
  std::vector<std::pair<std::string, std::vector<std::string>>> arguments;
};

/// Carries the promise out. `explanation` is set where it was not kept. Throws spec::SpecError, whose place
/// is the question's, for nodes and words that are not known.
bool kept(const Question& question, const Promise& promise, std::string& explanation);
/// The same for checks that were carried out already.
bool kept(const std::vector<engine::CheckResult>& results, std::string& explanation);

/// A Promise as a matcher for Subject.
template <class Subject>
class PromiseMatcher {
 public:
  using is_gtest_matcher = void;
  using is_promise = void;

  explicit PromiseMatcher(Promise promise) : promise_(std::move(promise)) {}

  bool MatchAndExplain(const Subject& subject, ::testing::MatchResultListener* listener) const {
    // EXPECT_THAT matches again to explain why it did not match. What is explained is the first time: another
    // probe might fare better.
    if (!listener->IsInterested() || failure_.empty()) {
      failure_.clear();
      if (kept(subject, promise_, failure_)) return true;
    }
    if (listener->IsInterested()) *listener << std::exchange(failure_, {});
    return false;
  }
  void DescribeTo(std::ostream* out) const { *out << promise_.description; }
  void DescribeNegationTo(std::ostream* out) const { *out << "not: " << promise_.description; }

 protected:
  void add(const std::string& key, const std::string& value, const std::string& words) {
    promise_.arguments.push_back({key, {value}});
    promise_.description += words;
  }

 private:
  Promise promise_;
  mutable std::string failure_;
};

/// What IsDenied() is, and who is concerned beside sender and target.
class DenialMatcher : public PromiseMatcher<Probe> {
 public:
  using PromiseMatcher::PromiseMatcher;
  /// The node that is to stop the probe; the host unless said otherwise.
  DenialMatcher by(const std::string& guard) const;
  /// The control: a node outside the guard that must get through; the host unless said otherwise.
  DenialMatcher unlike(const std::string& control) const;
};

/// The probe's own bytes arrive at the target, and its answer comes back.
PromiseMatcher<Probe> Reaches();
/// The guard stops the probe, and a control shows that the target is alive. `how` is "reject", "drop", or
/// empty for either.
DenialMatcher IsDenied(const std::string& how = {});
/// The probe leaves the host by `via` with source `as` (empty: the uplink's own address), arrives so, and its
/// answer comes back.
PromiseMatcher<Probe> Egresses(const std::string& via, const std::string& as = {});
/// The server that was asked answers with exactly these addresses; with any where there are none.
PromiseMatcher<Query> Resolves(const Names& addresses = std::vector<std::string>{});

/// For results of Network::check: every one passed, and there is one.
class PassMatcher {
 public:
  using is_gtest_matcher = void;
  using is_promise = void;
  bool MatchAndExplain(const std::vector<engine::CheckResult>& results,
                       ::testing::MatchResultListener* listener) const;
  void DescribeTo(std::ostream* out) const { *out << "every check passes"; }
  void DescribeNegationTo(std::ostream* out) const { *out << "some check does not pass"; }
};
inline PassMatcher Pass() {
  return {};
}

/// That a promise is not kept may have many reasons, and proves nothing: promise the opposite, as IsDenied()
/// is that of Reaches(). One that slips in all the same (as ::testing::Not) makes its test fail when it ends.
template <class Matcher>
requires requires {
  typename Matcher::is_promise;
}
void Not(Matcher) = delete;

}  // namespace plumbline::testing

namespace plumbline::engine {

/// "deny container-one -> 10.1.2.3 ping: inconclusive", for messages of failed assertions.
void PrintTo(const CheckResult& result, std::ostream* out);

}  // namespace plumbline::engine
