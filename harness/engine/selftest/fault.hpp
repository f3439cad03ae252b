#pragma once

#include <string>
#include <vector>

#include "harness/engine/check/result.hpp"
#include "harness/engine/spec/spec.hpp"

/// What breaks a good network, and who must notice.
namespace plumbline::engine::selftest {

/// What is expected of the checks that one item of `expect:` is about.
struct Expectation {
  std::vector<std::string> checks;  ///< globs over whole ids: "reach host -> *"
  std::vector<std::string> except;  ///< globs of those among them that it is not about
  std::vector<Verdict> verdicts;    ///< either is right: fail, inconclusive
  std::vector<std::string> causes;  ///< one of them must be the first that a check names; empty: any, or none
  std::string indistinct;           ///< why there are several
  std::size_t some = 0;             ///< so many of the checks at least, the others may pass; 0: all of them
  spec::Mark mark;

  bool is_about(std::string_view check) const;
};

/// One way in which one arranged network can be broken: a file of fixtures/faults. A healthy network is a
/// fault that changes nothing, and that nobody may notice.
struct Fault {
  std::string id;  ///< "link/container-down"
  std::string about;
  std::string kind;  ///< its class: "link"
  std::string file;
  std::vector<Expectation> expected;  ///< the first that is about a check counts; the others must pass
  spec::Spec spec;                    ///< with the setup, and the changes before the first check
  spec::Mark mark;
};

/// The classes, in the order of the report.
const std::vector<std::string_view>& fault_classes();

/// A file of fixtures/faults, once with each setup that it names. Throws SpecError: the file:line:column, and
/// what is wrong; an expectation that is about no check of the scenario is wrong.
std::vector<Fault> load_fault(const std::string& file, const spec::LoadOptions& options);

/// A scenario that must pass as it is, once with each of its setups. Throws SpecError.
std::vector<Fault> load_healthy(const std::string& file, const spec::LoadOptions& options);

}  // namespace plumbline::engine::selftest
