#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/engine/check/evidence.hpp"

namespace plumbline::checks {

struct HooksPromise {
  std::string node;
  std::vector<proof::Hook> expect;                ///< of the probe's first packet
  std::optional<std::vector<proof::Hook>> reply;  ///< of the first answer
};

/// `hooks`: the probe passes exactly these netfilter hooks of a node, by the report of its kernel.
engine::Judgement judge_hooks(const HooksPromise& promise, const engine::Evidence& evidence);

}  // namespace plumbline::checks
