#include "harness/proof/diagnosis/cause.hpp"

#include <algorithm>
#include <utility>

namespace plumbline::proof {

std::vector<Diagnosis> diagnose(const Case& question, Facts& facts, const std::vector<CauseKind>& kinds) {
  std::vector<Diagnosis> found;
  for (const bool outcome : {false, true}) {
    const auto first = static_cast<std::ptrdiff_t>(found.size());
    for (const CauseKind& kind : kinds) {
      auto finding = kind.outcome == outcome ? kind.recognise(question, facts) : std::nullopt;
      if (!finding) continue;
      if (finding->summary.empty()) finding->summary = kind.summary;
      found.push_back({kind.code, std::move(*finding)});
    }
    std::ranges::stable_sort(found.begin() + first, found.end(), {},
                             [](const Diagnosis& each) { return each.finding.certainty; });
  }
  return found;
}

}  // namespace plumbline::proof
