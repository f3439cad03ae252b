#pragma once

#include <span>
#include <string_view>

namespace plumbline {

/// The word of `words` nearest to `word` (Damerau-Levenshtein distance at most 3 and less than half its
/// length), or empty.
std::string_view nearest(std::string_view word, std::span<const std::string_view> words);

}  // namespace plumbline
