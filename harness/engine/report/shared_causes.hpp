#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/engine/check/result.hpp"

namespace plumbline::engine {

/// What several checks failed for, in whichever scenarios, but on one host.
struct SharedCause {
  Cause cause;                ///< without evidence; proven where it is of every check; its fix is everybody's
  bool fixes_differ = false;  ///< then `cause` has none
  std::size_t checks = 0;     ///< at least 2; in several repetitions a check is one all the same
  std::string host;           ///< empty: the run has one alone
};

struct SharedCauses {
  std::vector<SharedCause> most;  ///< those of the most checks
  std::size_t others = 0;         ///< how many there are beside
};

/// Of the most certain cause of each check that did not pass; `at_most` are told.
SharedCauses shared_causes(const RunResult& run, std::size_t at_most = 8);

/// "16 checks have one cause", "2 checks on web-1 have causes of one kind".
std::string headline(const SharedCause& shared);
/// Its fix; where they differ, that each check tells its own.
std::string fix_text(const SharedCause& shared);

}  // namespace plumbline::engine
