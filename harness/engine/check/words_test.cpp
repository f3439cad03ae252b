#include "harness/engine/check/words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumbline::engine {
namespace {

using ::testing::ElementsAre;

KernelEvent met(const std::string& node, const std::string& hook, std::size_t after, const std::string& leg) {
  KernelEvent event;
  event.node = node;
  event.hook = hook;
  event.table = "ip filter";
  event.chain = "CHAIN";
  event.rule = "accept";
  event.verdict = "accept";
  event.leg = leg;
  event.after = after;
  return event;
}

TEST(Words, TellARuleWithWhatIsKnownOfIt) {
  KernelEvent event = met("host", "forward", 0, "forward");
  EXPECT_EQ(event_text(event), "ip filter CHAIN: accept -> accept");
  event.handle = 5;
  event.packets = 0;
  event.comment = "why";
  EXPECT_EQ(event_text(event), "ip filter CHAIN: accept -> accept (handle 5, counted 0, comment \"why\")");
  event.rule = "-A CHAIN -j ACCEPT";
  EXPECT_EQ(event_text(event),
            "ip filter CHAIN: -A CHAIN -j ACCEPT -> accept (rule 5, counted 0, comment \"why\")");
  event.rule = "accept comment \"why\"";
  event.verdict = "";
  EXPECT_EQ(event_text(event), "ip filter CHAIN: accept comment \"why\" -> ? (handle 5, counted 0)");
}

TEST(Words, CommentEachStepWithWhatWasMetUntilTheNextThere) {
  const auto step = [](const std::string& node, const std::string& packet, const std::string& leg) {
    JourneyStep made;
    made.node = node;
    made.packet = packet;
    made.leg = leg;
    return made;
  };
  std::vector<JourneyStep> steps = {step("a", "one", "forward"), step("host", "two", "forward"),
                                    step("a", "again", "forward"), step("host", "back", "reply")};
  steps[1].translated = "source";
  steps[1].note = "cut";
  KernelEvent unknown = met("nowhere", "input", 2, "forward");
  KernelEvent bare = met("host", "prerouting", 2, "forward");
  bare.table = "";
  EXPECT_THAT(comments(steps, {met("a", "output", 0, "forward"), bare, met("host", "forward", 3, "forward"),
                               unknown, met("host", "input", 4, "reply")}),
              ElementsAre("one; output: ip filter CHAIN: accept -> accept",
                          "two; translated: source; cut; forward: ip filter CHAIN: accept -> accept; nowhere "
                          "input: ip filter CHAIN: accept -> accept",
                          "again", "back; input: ip filter CHAIN: accept -> accept"));
  EXPECT_TRUE(comments({}, {unknown}).empty());
}

}  // namespace
}  // namespace plumbline::engine
