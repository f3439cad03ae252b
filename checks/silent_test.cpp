#include "checks/silent.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/testing.hpp"

namespace plumbline::checks {
namespace {

using engine::FrameWatch;
using engine::Verdict;
using engine::WatchRecord;
using ::testing::HasSubstr;

const FrameWatch kPlace{"host", "ens4", "src net 192.168.99.0/24"};
const FrameWatch kControl{"host", "bridge0", "src net 192.168.99.0/24"};

WatchRecord matched(std::uint64_t frames) {
  WatchRecord record;
  record.frames = frames;
  if (frames != 0) {
    record.first.push_back(testing_support::sighting(proof::Leg::forward, "host", "ens4",
                                                     traffic::Direction::out, "192.168.99.11", "10.1.2.3"));
  }
  return record;
}

TEST(SilentJudgement, PassesWhereOnlyTheControlShowsSome) {
  const auto judged = judge_silent(kPlace, matched(0), kControl, matched(3));
  EXPECT_EQ(judged.verdict, Verdict::pass);
  EXPECT_EQ(judged.observed, "no frame on host:ens4 matched; 3 frames on host:bridge0 did");
}

TEST(SilentJudgement, FailsWithTheFrame) {
  const auto judged = judge_silent(kPlace, matched(1), kControl, matched(3));
  EXPECT_EQ(judged.verdict, Verdict::fail);
  EXPECT_THAT(judged.observed, HasSubstr("1 frame on host:ens4 matched; first 192.168.99.11 > 10.1.2.3"));
}

TEST(SilentJudgement, FailsEvenWhereTheTapMissedSome) {
  WatchRecord seen = matched(1);
  seen.lost = 7;
  seen.problem = "the tap on host:ens4 has ended";
  EXPECT_EQ(judge_silent(kPlace, seen, kControl, matched(0)).verdict, Verdict::fail);
}

TEST(SilentJudgement, ATapThatMissedSomeProvesNothing) {
  WatchRecord lossy = matched(0);
  lossy.lost = 1;
  EXPECT_EQ(judge_silent(kPlace, lossy, kControl, matched(3)).verdict, Verdict::inconclusive);
  WatchRecord dead = matched(0);
  dead.problem = "the tap on host:ens4 has ended: The interface disappeared";
  const auto judged = judge_silent(kPlace, dead, kControl, matched(3));
  EXPECT_EQ(judged.verdict, Verdict::inconclusive);
  EXPECT_THAT(judged.observed, HasSubstr("disappeared"));
}

TEST(SilentJudgement, AFilterThatMatchesNowhereProvesNothing) {
  EXPECT_EQ(judge_silent(kPlace, matched(0), kControl, matched(0)).verdict, Verdict::inconclusive);
}

TEST(SilentJudgement, TheControlMayLoseFramesAsLongAsItSawOne) {
  WatchRecord lossy = matched(1);
  lossy.lost = 9;
  EXPECT_EQ(judge_silent(kPlace, matched(0), kControl, lossy).verdict, Verdict::pass);
}

}  // namespace
}  // namespace plumbline::checks
