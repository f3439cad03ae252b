#include "harness/proof/diagnosis/cause.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace plumbline::proof {

std::vector<Diagnosis> diagnose(const Case& question, Facts& facts, const std::vector<CauseKind>& kinds) {
  using Depth = CauseKind::Depth;
  struct Found {
    Depth depth = Depth::network;
    Diagnosis told;
  };
  std::vector<Found> found;
  for (const CauseKind& kind : kinds) {
    auto finding = kind.recognise(question, facts);
    if (!finding) continue;
    if (finding->summary.empty()) finding->summary = kind.summary;
    found.push_back({kind.depth, {kind.code, std::move(*finding)}});
  }
  std::ranges::stable_sort(found, {}, [](const Found& each) {
    return std::tuple(each.depth == Depth::outcome, each.told.finding.certainty, each.depth);
  });
  std::vector<Diagnosis> told;
  told.reserve(found.size());
  for (Found& each : found) told.push_back(std::move(each.told));
  return told;
}

}  // namespace plumbline::proof
