#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "harness/engine/check/check.hpp"
#include "harness/engine/matrix/neighbours.hpp"
#include "harness/engine/report/matrix.hpp"

namespace plumbline::engine::matrix {

/// What came of a probe that nobody promised anything about. pass: it got through, as `reach` proves it.
/// fail: it was denied, and `observed` says who or what stopped it. inconclusive: neither is proven, as where
/// it came to its target and nobody there answered, or where its target does not answer for its address.
Judgement judge_attempt(const Evidence& evidence);

/// One pair of nodes and a service.
struct Pair {
  std::string from, to;
  Service with;
  IpFamily family = IpFamily::v4;
};

/// What the attempts of one scenario share.
struct Common {
  /// How many that prove nothing may still have their causes looked for, which takes longer the more nodes
  /// there are. What comes after says so (report/matrix.hpp).
  std::size_t patience = kMostExplained;
  Neighbours neighbours;
};

/// A check that promises nothing: the probe that `reach` would send, ended as soon as a kernel tells that it
/// dropped it. Where an end turns out to have no address of the family, it is skipped.
std::unique_ptr<Check> attempt(const Pair& pair, std::shared_ptr<Common> common);

}  // namespace plumbline::engine::matrix
