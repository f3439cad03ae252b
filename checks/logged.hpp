#pragma once

#include <optional>
#include <string>

#include "harness/engine/check/evidence.hpp"

namespace plumbline::checks {

struct LoggedPromise {
  std::string node;
  std::string prefix;
  std::optional<std::string> iif, oif;
  std::string verdict;  ///< "accept", "drop", "reject"; empty: any
  bool never = false;   ///< it must not be logged so
};

/// `logged`: the probe meets a LOG rule with this prefix, by the report of the node's kernel. Its log is not
/// read.
engine::Judgement judge_logged(const LoggedPromise& promise, const engine::Evidence& evidence);

}  // namespace plumbline::checks
