#pragma once

#include <cstddef>
#include <string>

#include "harness/engine/check/result.hpp"
#include "harness/engine/report/reporter.hpp"

namespace plumbline::engine::console {

/// Columns before everything that is said about one check.
inline constexpr std::size_t kDetailIndent = 6;
/// Columns below which wrapping helps nobody.
inline constexpr std::size_t kNarrowest = 20;

/// The journey as a ladder, and between its steps what kernels did with the packet there. Lines end with
/// '\n'; empty when nothing was seen and nothing was told.
///
/// Without -v hooks without rules are left out, rules that only let it pass are folded where there are many,
/// and so is the middle of a long journey, but for steps after which a rule stopped something.
std::string ladder(const ConsoleOptions& options, const CheckResult& check);

}  // namespace plumbline::engine::console
