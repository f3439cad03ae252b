#include "harness/proof/diagnosis/cause.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "harness/proof/diagnosis/denial.hpp"

namespace plumbline::proof {

namespace {

struct Found {
  const CauseKind* kind = nullptr;
  Finding finding;

  bool is_outcome() const { return kind->depth == CauseKind::Depth::outcome; }
};

/// `reason` alone explains `found`: as sure as that, and one that it follows from.
bool explains(const Found& reason, const Found& found) {
  if (reason.finding.certainty > found.finding.certainty) return false;
  if (found.is_outcome()) return !reason.is_outcome();
  const auto question = CauseKind::Depth::question;
  if (reason.kind->depth == question && found.kind->depth != question) return true;
  return std::ranges::count(found.kind->follows_from, reason.kind->code) != 0;
}

}  // namespace

std::vector<Diagnosis> diagnose(const Case& question, Facts& facts, const std::vector<CauseKind>& kinds) {
  std::vector<Found> found;
  for (const CauseKind& kind : kinds) {
    auto finding = kind.recognise(question, facts);
    if (!finding) continue;
    if (finding->summary.empty()) finding->summary = kind.summary;
    found.push_back({&kind, std::move(*finding)});
  }
  std::ranges::stable_sort(found, {}, [](const Found& each) {
    return std::tuple(each.is_outcome(), each.finding.certainty, each.kind->depth);
  });
  // A consequence may have led to others, so it is judged by all that was recognised.
  std::vector<const Found*> first;
  for (const Found& each : found) {
    if (std::ranges::none_of(found, [&](const Found& other) { return explains(other, each); })) {
      first.push_back(&each);
    }
  }
  std::vector<Diagnosis> told;
  told.reserve(first.size());
  for (const Found* each : first) {
    told.push_back({each->kind->code, each->finding});
    keep_shut(question, facts, told.back().finding);
  }
  return told;
}

}  // namespace plumbline::proof
