#include "harness/proof/witness/reports.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumbline::proof {
namespace {

using kernel::nft::TraceEvent;

TraceEvent event(std::uint32_t id, const char* chain, const char* verdict, bool headers = false) {
  TraceEvent made;
  made.id = id;
  made.family = "inet";
  made.table = "t";
  made.chain = chain;
  made.verdict = verdict;
  if (headers) made.headers = TraceEvent::Headers{{0x45}, 1, 2};
  return made;
}

TEST(Reports, PutsInterleavedPacketsTogether) {
  Reports reports;
  reports.add({event(1, "a", "continue", true), event(2, "a", "continue", true), event(1, "a", "jump b"),
               event(2, "a", "accept"), event(1, "b", "drop")});
  const auto taken = reports.take();
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(taken[0]->events.size(), 3U);
  EXPECT_EQ(taken[1]->events.size(), 2U);
  EXPECT_EQ(taken[0]->headers.oif, 2U);
  EXPECT_TRUE(reports.take().empty());
}

TEST(Reports, AReportGrowsAfterItWasTaken) {
  Reports reports;
  reports.add({event(1, "a", "continue", true)});
  const auto taken = reports.take();
  reports.add({event(1, "a", "drop")});
  EXPECT_EQ(taken.at(0)->events.size(), 2U);
}

TEST(Reports, AnIdUsedAgainIsAnotherReport) {
  Reports reports;
  reports.add({event(1, "a", "accept", true), event(1, "a", "accept", true)});
  EXPECT_EQ(reports.take().size(), 2U);
}

TEST(Reports, WithoutItsBeginningAReportIsNone) {
  Reports reports;
  reports.add({event(1, "a", "accept"), event(1, "a", "accept", true), event(1, "a", "drop")});
  const auto taken = reports.take();
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0]->events.size(), 1U);  // the last belonged to a report that had ended
}

}  // namespace
}  // namespace plumbline::proof
