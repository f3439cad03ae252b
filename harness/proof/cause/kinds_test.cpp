#include "harness/proof/cause/kinds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "harness/proof/diagnosis/reasons.hpp"

namespace plumbline::proof {
namespace {

using Graph = std::map<std::string_view, std::vector<std::string_view>>;

Graph reasons_by_code() {
  Graph graph;
  for (const CauseKind& kind : cause_kinds()) graph[kind.code] = kind.follows_from;
  return graph;
}

TEST(CauseKinds, HaveCodesOfTheirOwn) {
  EXPECT_EQ(reasons_by_code().size(), cause_kinds().size());
}

TEST(CauseKinds, FollowFromCausesThatThereAre) {
  const Graph graph = reasons_by_code();
  for (const auto& [code, reasons] : graph) {
    for (const std::string_view reason : reasons)
      EXPECT_TRUE(graph.contains(reason)) << code << ": " << reason;
  }
  for (const auto& group : {reasons::links(), reasons::frames(), reasons::steering(), reasons::translation(),
                            reasons::rules(), reasons::ways()}) {
    for (const std::string_view code : group) EXPECT_TRUE(graph.contains(code)) << code;
  }
}

/// Else two could leave each other out, and nothing would be told.
TEST(CauseKinds, DoNotFollowFromEachOtherInCircles) {
  Graph open = reasons_by_code();
  bool shrinks = true;
  while (shrinks) {
    shrinks = std::erase_if(open, [&](const auto& each) {
                return std::ranges::none_of(each.second,
                                            [&](std::string_view reason) { return open.contains(reason); });
              }) != 0;
  }
  std::string left;
  for (const auto& [code, reasons] : open) left += std::string(code) + " ";
  EXPECT_TRUE(open.empty()) << left;
}

}  // namespace
}  // namespace plumbline::proof
