#include "harness/proof/diagnosis/cause.hpp"

#include <algorithm>
#include <utility>

namespace plumbline::proof {

std::vector<Diagnosis> diagnose(const Case& question, Facts& facts, const std::vector<CauseKind>& kinds) {
  std::vector<Diagnosis> found;
  for (const CauseKind& kind : kinds) {
    auto finding = kind.recognise(question, facts);
    if (!finding) continue;
    if (finding->summary.empty()) finding->summary = kind.summary;
    found.push_back({kind.code, std::move(*finding)});
  }
  std::ranges::stable_sort(found, {}, [](const Diagnosis& each) { return each.finding.certainty; });
  return found;
}

}  // namespace plumbline::proof
