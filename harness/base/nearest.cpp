#include "harness/base/nearest.hpp"

#include <algorithm>
#include <vector>

namespace plumbline {
namespace {

constexpr std::size_t kLongestWord = 64;  // nobody mistypes a longer one; keeps the work bounded
constexpr std::size_t kFarthest = 3;

/// Damerau-Levenshtein (optimal string alignment): insert, delete, replace, or swap two neighbours.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> words) {
  if (word.size() > kLongestWord) return {};
  std::string_view best;
  std::size_t least = kFarthest + 1;
  for (const std::string_view candidate : words) {
    if (candidate.size() > kLongestWord) continue;
    const std::size_t far = distance(word, candidate);
    if (far < least && far * 2 < word.size()) {
      least = far;
      best = candidate;
    }
  }
  return best;
}

}  // namespace plumbline
