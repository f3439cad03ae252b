#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/engine/spec/spec.hpp"
#include "harness/testing/kept.hpp"

namespace plumbline::testing {

/// One check as a GoogleTest case.
struct SpecTest {
  std::string suite;  ///< the scenario's name
  std::string name;   ///< "native/deny container-one -> 10.1.2.3 ping"
  std::string file;   ///< where the spec promises it
  int line = 0;
  std::string setup;  ///< "script-iptables-nft"
  std::string kind;   ///< of that: "script"

  std::string full_name() const { return suite + "." + name; }
};

/// The tests that register_specs would make of `specs`, in their order. Throws spec::SpecError.
std::vector<SpecTest> spec_tests(const std::vector<spec::Spec>& specs);

struct SpecTestOptions {
  std::chrono::milliseconds timeout{1000};  ///< of one probe
  std::string out_directory;                ///< traces of checks that did not pass; empty: none are written
  std::set<std::string> only;               ///< full names; empty: all
  std::map<std::string, Told> known;        ///< by full name: what is told without running it
  std::string keep;                         ///< folder in which to leave all results; empty: none
  std::string keeper;                       ///< for whom
};

/// Makes each check of `specs` a GoogleTest case, to be called before RUN_ALL_TESTS(), which must run inside
/// the sandbox. A suite builds the network of its scenario once for each setup, with SetUpTestSuite, and runs
/// all checks there at once that GoogleTest selects (filter, shard); the cases tell the results: what did not
/// pass fails with the console report's explanation, at the promise's place. SIGINT, SIGTERM and SIGHUP end
/// the run in order; what had not ended by then is skipped. Throws spec::SpecError.
void register_specs(std::vector<spec::Spec> specs, const SpecTestOptions& options);

/// Whether a signal ended a run of those. Then the status of main() should be kInterrupted.
bool interrupted() noexcept;
inline constexpr int kInterrupted = 130;

}  // namespace plumbline::testing
