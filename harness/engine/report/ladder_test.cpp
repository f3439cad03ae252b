#include "harness/engine/report/ladder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "harness/engine/report/testing/sample_run.hpp"
#include "harness/engine/report/text.hpp"

namespace plumbline::engine::console {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr ConsoleOptions kVerbose{.verbosity = Verbosity::verbose, .width = 140};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// Many packets, and a rule of that verdict after one of them.
CheckResult long_one(std::size_t after, const std::string& verdict) {
  CheckResult check = samples::stopped();
  check.journey.clear();
  for (int i = 0; i < 60; ++i) {
    check.journey.push_back({i, "host", "ens4", "out", "packet " + std::to_string(i) + ".", "reply"});
  }
  check.kernel = {check.kernel.back()};
  KernelEvent rule = samples::stopped().kernel.front();
  rule.verdict = verdict;
  rule.after = after;
  check.kernel = {rule};
  return check;
}

TEST(Ladder, OfNothingIsEmpty) {
  EXPECT_EQ(ladder({}, CheckResult()), "");
}

TEST(Ladder, AResolvedAddressIsOneEntryBelowThePlaces) {
  CheckResult check;
  check.journey = {{0, "host", "ens4", "out", "ARP who-has 192.168.16.1", "neighbour"},
                   {1, "host", "ens4", "in", "ARP 192.168.16.1 is-at 02:00:00:00:00:01", "neighbour"},
                   {2, "host", "ens4", "in", "ARP 192.168.16.1 is-at 02:00:00:00:00:01", "neighbour"}};
  EXPECT_EQ(ladder({}, check),
            "      journey\n"
            "            ARP 192.168.16.1 is-at 02:00:00:00:00:01, 3 frames\n");
  EXPECT_EQ(ladder({.width = 50}, check),
            "      journey\n"
            "            ARP 192.168.16.1 is-at\n"
            "              02:00:00:00:00:01, 3 frames\n");
}

TEST(Ladder, PutsRulesWhereTheyWereMet) {
  EXPECT_EQ(ladder({}, samples::stopped()), R"(      journey                     ttl
       0 us  container-one:eth0 -> 64 192.168.99.11:40001 > 203.0.113.80:80 TCP SYN seq 1000
      18 us  host:bridge0       <- 64 192.168.99.11:40001 > 203.0.113.80:80 TCP SYN seq 1000
             forward to ens5  ip filter FORWARD: iifname "bridge0" jump GUARD -> jump GUARD
                                (handle 4)
                                ... 8 rules that let it pass
                                ip filter GUARD: return -> return
                              ip filter FORWARD: oifname "ens4" accept -> continue (handle 5)
    x                         ip filter FORWARD: counter drop -> drop (handle 6, counted 3,
                                comment "whatever is left")
             dropped by the kernel: NETFILTER_DROP in nft_do_chain
)");
}

TEST(Ladder, ShowsAllRulesWhenVerbose) {
  const std::string text = ladder(kVerbose, samples::stopped());
  EXPECT_THAT(text, HasSubstr("ip daddr 10.7.0.0/16 drop -> continue (handle 27)"));
  EXPECT_THAT(text, Not(HasSubstr("rules that let it pass")));
}

TEST(Ladder, LeavesOutHooksWithoutRulesUnlessVerbose) {
  CheckResult check = samples::stopped();
  KernelEvent hook;
  hook.node = "host";
  hook.hook = "prerouting";
  hook.verdict = "accept";
  hook.after = 2;
  check.kernel = {hook};
  EXPECT_THAT(ladder({}, check), Not(HasSubstr("prerouting")));
  EXPECT_THAT(ladder(kVerbose, check), HasSubstr("             prerouting  no rule\n"));
  check.kernel[0].verdict = "";
  EXPECT_THAT(ladder(kVerbose, check), HasSubstr("prerouting  no rule; seen at no hook after it\n"));
}

TEST(Ladder, NamesTheNodeThatIsNotTheStepsAbove) {
  CheckResult check = samples::stopped();
  check.kernel.resize(1);
  check.kernel[0].hook = "output";
  check.kernel[0].after = 0;
  check.kernel[0].verdict = "drop";
  EXPECT_EQ(lines_of(ladder({}, check))[1].substr(0, 48), "    x        host output to ens5  ip filter FORW");
}

TEST(Ladder, MarksTheKernelsDropWhereNoRuleDidIt) {
  CheckResult check = samples::stopped();
  KernelEvent drop = check.kernel.back();
  drop.drop_reason = "IP_RPFILTER";
  drop.function = "ip_rcv_finish";
  check.kernel = {drop};
  EXPECT_THAT(ladder({}, check),
              HasSubstr("\n    x        dropped by the kernel: IP_RPFILTER in ip_rcv_finish\n"));
  EXPECT_THAT(ladder({.unicode = true}, check), HasSubstr("\n    ✗        dropped by the kernel"));
  EXPECT_THAT(ladder({.colour = true}, check), HasSubstr("\x1b[31m    x        dropped by the kernel"));
}

TEST(Ladder, SaysOnceWhatAMarkMeansAndOnlyWhereItOccurs) {
  CheckResult check = samples::stopped();
  EXPECT_THAT(ladder({}, check), Not(HasSubstr("translated")));
  for (JourneyStep& step : check.journey) step.translated = "source";
  EXPECT_THAT(ladder({}, check), HasSubstr("192.168.99.11:40001* > 203.0.113.80:80 TCP"));
  check.journey[1].translated = "source, destination";
  const std::string text = ladder({}, check);
  EXPECT_THAT(text, HasSubstr("192.168.99.11:40001* > 203.0.113.80:80* TCP"));
  EXPECT_EQ(text.find("* translated"), text.rfind("* translated"));
  EXPECT_THAT(text, HasSubstr("\n      * translated: not as its sender made it\n"));
}

TEST(Ladder, TellsAnErrorsQuoteAgainOnlyWhereItIsAnother) {
  CheckResult check = samples::stopped();
  const auto error = [](const std::string& quoted) {
    return JourneyStep{
        1, "host", "eth0", "in", "10.0.0.1 > 10.0.0.2 ICMP x (quotes " + quoted + "), ttl 64", "error"};
  };
  check.journey = {error("a"), error("a"), error("b")};
  check.kernel.clear();
  const auto lines = lines_of(ladder({}, check));
  EXPECT_THAT(lines[1], HasSubstr("64 10.0.0.1 > 10.0.0.2 ICMP x (quotes a)"));
  EXPECT_THAT(lines[2], Not(HasSubstr("quotes")));
  EXPECT_THAT(lines[3], HasSubstr("(quotes b)"));
  EXPECT_THAT(lines_of(ladder(kVerbose, check))[2], HasSubstr("(quotes a)"));
}

TEST(Ladder, FoldsALongJourneyAndLosesNoRule) {
  EXPECT_THAT(ladder({}, long_one(0, "continue")),
              HasSubstr("32 packets more, shown with -v and in the trace"));
  const std::string text = ladder({}, long_one(40, "drop"));
  EXPECT_THAT(text, HasSubstr("packet 19.\n      19 packets more"));
  EXPECT_THAT(text, HasSubstr("packet 39.\n    x"));
  EXPECT_THAT(text, HasSubstr("\n      12 packets more"));
  EXPECT_THAT(text, Not(HasSubstr("packet 40.")));
  EXPECT_THAT(text, HasSubstr("packet 52."));
}

TEST(Ladder, AlwaysShowsWhereTheProbeWasLast) {
  CheckResult check = long_one(0, "continue");
  check.journey[30].leg = "forward";
  EXPECT_THAT(ladder({}, check), HasSubstr("packet 30."));
}

TEST(Ladder, FitsItsWidth) {
  for (const std::size_t width : {80U, 100U}) {
    for (const CheckResult& check : {samples::stopped(), samples::failed(), samples::passed()}) {
      for (const std::string& line : lines_of(ladder({.width = width}, check))) {
        EXPECT_LE(columns(line), width) << line;
      }
    }
  }
}

TEST(Ladder, IsFitForAnyNumberOfSteps) {
  CheckResult check = samples::stopped();
  check.kernel.front().after = 1000;
  EXPECT_THAT(ladder({}, check), HasSubstr("jump GUARD"));
  check.journey.clear();
  EXPECT_THAT(ladder({}, check), HasSubstr("host forward to ens5"));
}

}  // namespace
}  // namespace plumbline::engine::console
