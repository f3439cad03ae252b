#include "harness/proof/diagnosis/cause.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/proof/diagnosis/testing.hpp"

namespace plumbline::proof {
namespace {

using Depth = CauseKind::Depth;
using Recognise = std::optional<Finding> (*)(const Case&, Facts&);

std::optional<Finding> proven(const Case&, Facts&) {
  Finding finding;
  finding.certainty = Certainty::proven;
  return finding;
}

std::optional<Finding> likely(const Case&, Facts&) {
  return Finding{};
}

std::optional<Finding> absent(const Case&, Facts&) {
  return std::nullopt;
}

CauseKind kind(std::string_view code, Recognise recognise, Depth depth = Depth::network,
               std::vector<std::string_view> follows_from = {}) {
  CauseKind made;
  made.code = code;
  made.summary = "What it is.";
  made.recognise = recognise;
  made.depth = depth;
  made.follows_from = std::move(follows_from);
  return made;
}

std::vector<std::string> codes(const std::vector<CauseKind>& kinds) {
  testing::FakeFacts facts;
  std::vector<std::string> told;
  for (const Diagnosis& each : diagnose(Case{}, facts, kinds)) told.emplace_back(each.code);
  return told;
}

using Codes = std::vector<std::string>;

TEST(Diagnose, TellsWhatIsRecognisedAndTheKindsSentenceWhereTheFindingHasNone) {
  testing::FakeFacts facts;
  const auto told = diagnose(Case{}, facts, {kind("a", absent), kind("b", likely)});
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told.front().code, "b");
  EXPECT_EQ(told.front().finding.summary, "What it is.");
}

TEST(Diagnose, PutsProvenOnesFirstThenTheDeepestThenKeepsTheOrder) {
  EXPECT_EQ(codes({kind("a", likely, Depth::link), kind("b", proven), kind("c", proven),
                   kind("d", proven, Depth::link)}),
            (Codes{"d", "b", "c", "a"}));
}

TEST(Diagnose, LeavesOutWhatFollowsFromAnotherThatIsAsCertain) {
  EXPECT_EQ(codes({kind("after", proven, Depth::link, {"before"}), kind("before", proven)}),
            (Codes{"before"}));
  EXPECT_EQ(codes({kind("after", likely, Depth::link, {"before"}), kind("before", proven)}),
            (Codes{"before"}));
  EXPECT_EQ(codes({kind("after", likely, Depth::link, {"before"}), kind("before", likely)}),
            (Codes{"before"}));
}

TEST(Diagnose, LeavesOutWhateverBecameOfAQuestionThatWentToSomebodyElse) {
  const auto question = [](Recognise recognise) { return kind("question", recognise, Depth::question); };
  EXPECT_EQ(codes({kind("link", proven, Depth::link), kind("rule", likely), question(proven)}),
            (Codes{"question"}));
  EXPECT_EQ(codes({kind("link", proven, Depth::link), question(likely)}), (Codes{"link", "question"}));
}

TEST(Diagnose, KeepsWhatIsMoreCertainThanItsReason) {
  EXPECT_EQ(codes({kind("after", proven, Depth::link, {"before"}), kind("before", likely)}),
            (Codes{"after", "before"}));
}

TEST(Diagnose, KeepsWhatMightFollowFromACauseThatIsNotThere) {
  EXPECT_EQ(codes({kind("after", proven, Depth::link, {"before"}), kind("before", absent)}),
            (Codes{"after"}));
}

TEST(Diagnose, LeavesOutAllOfAChainButItsBeginning) {
  EXPECT_EQ(codes({kind("last", proven, Depth::network, {"middle"}),
                   kind("middle", proven, Depth::network, {"first"}), kind("first", proven)}),
            (Codes{"first"}));
}

TEST(Diagnose, TellsOutcomesOnlyWhereNothingAsCertainLedToThem) {
  const auto outcome = [](Recognise recognise) { return kind("outcome", recognise, Depth::outcome); };
  EXPECT_EQ(codes({outcome(proven), kind("deeper", proven)}), (Codes{"deeper"}));
  EXPECT_EQ(codes({outcome(proven), kind("deeper", likely)}), (Codes{"deeper", "outcome"}));
  EXPECT_EQ(codes({outcome(proven), kind("deeper", absent)}), (Codes{"outcome"}));
  EXPECT_EQ(codes({outcome(proven), kind("another", proven, Depth::outcome)}), (Codes{"outcome", "another"}));
}

}  // namespace
}  // namespace plumbline::proof
