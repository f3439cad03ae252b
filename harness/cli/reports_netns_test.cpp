#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <string>
#include <vector>

#include "harness/cli/testing/program.hpp"

/// All formats at once of real runs, each read by a program that did not write it.
namespace plumbline::cli::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kSpec =
    "version: 1\nname: mixed\nworld: diy\nsetup:\n  native:\n    bridges: {b: {address: 192.168.99.1/24, "
    "containers: {box: 192.168.99.11}}}\nchecks:\n"
    "  - reach: {from: host, to: [box, internet], with: [ping, tcp/80], family: ipv4}\n";
const std::string kFails = "  - deny: {from: host, to: box, with: tcp/80, family: ipv4}\n";
/// Nobody has this address: it waits out its time-out.
const std::string kSlow = "  - reach: {from: host, to: 192.168.16.99}\n";

class AllReports : public ::testing::Test {
 protected:
  void SetUp() override {
    const Ran doctor = plumbline({"doctor"});
    if (doctor.status != 0) {
      if (in_ci()) FAIL() << doctor.out << doctor.err;
      GTEST_SKIP() << doctor.out << doctor.err;
    }
    const Ran there = shell("for p in xmllint prove python3; do command -v $p || echo missing $p; done");
    if (there.out.find("missing") == std::string::npos) return;
    if (in_ci()) FAIL() << there.out;
    GTEST_SKIP() << there.out;
  }

  static Ran shell(const std::string& command) {
    return run({.arguments = {"-c", command}, .program = "/bin/sh"});
  }

  Start start(const std::string& checks) const {
    std::vector<std::string> arguments{"run",      folder_.write("mixed.yaml", kSpec + checks),
                                       "--out",    folder_.path("out"),
                                       "--report", "github"};
    for (const char* format : {"json", "junit", "tap", "prometheus", "html", "markdown", "console"})
      arguments.insert(arguments.end(), {"--report", format + ("=" + folder_.path(format))});
    return {.arguments = std::move(arguments),
            .environment = {{"PLUMBLINE_LOG", "debug"}, {"GITHUB_STEP_SUMMARY", folder_.path("summary")}}};
  }

  /// Each file is accepted by the stock tool for it.
  void expect_accepted(int prove_status) const {
    const std::string schema = folder_.write("schema.json", plumbline({"schema", "report"}).out);
    const int valid = validate(folder_, schema, folder_.path("json"));
    EXPECT_EQ(valid, valid == 77 && !in_ci() ? 77 : 0);
    const Ran xml =
        shell("xmllint --noout --nonet --schema " PLUMBLINE_SOURCE_DIR "/fixtures/reports/junit.xsd " +
              folder_.path("junit"));
    EXPECT_EQ(xml.status, 0) << xml.err;
    const Ran tap = shell("prove --exec cat " + folder_.path("tap"));
    EXPECT_EQ(tap.status != 0, prove_status != 0) << tap.out << tap.err;
    EXPECT_EQ(tap.out.find("Parse errors"), std::string::npos) << tap.out;
    EXPECT_THAT(text_of(folder_.path("html")), HasSubstr("</html>"));
    const Ran metrics = shell("promtool check metrics <" + folder_.path("prometheus"));
    const char* tools = std::getenv("PLUMBLINE_REPORT_TOOLS");
    const bool may_be_missing = tools == nullptr || std::string(tools) != "required";
    if (metrics.status == 127 && may_be_missing) return;
    EXPECT_EQ(metrics.status, 0);
    EXPECT_THAT(metrics.out + metrics.err, IsEmpty());
  }

  Folder folder_;
};

TEST_F(AllReports, OfARunThatPassesAreAccepted) {
  const Ran ran = run(start(""));
  EXPECT_EQ(ran.status, 0) << ran.err;
  expect_accepted(0);
}

TEST_F(AllReports, OfARunThatFailsAreAccepted) {
  const Ran ran = run(start(kFails));
  EXPECT_EQ(ran.status, 1) << ran.err;
  expect_accepted(1);
  EXPECT_THAT(ran.out, HasSubstr(",file=" + folder_.path("mixed.yaml") + ",line=9,col=5::expected: "));
  EXPECT_THAT(text_of(folder_.path("summary")), HasSubstr("deny host -&gt; box tcp/80"));
  EXPECT_THAT(text_of(folder_.path("junit")), HasSubstr("deny-host-box-tcp-80.pcapng"));
}

TEST_F(AllReports, OfAnInterruptedRunAreAcceptedAndSaySo) {
  Start slow = start(kSlow);
  slow.arguments.insert(slow.arguments.end(), {"--timeout", "60s"});
  Running running(slow);
  if (running.line_with("mixed: network built").empty()) FAIL() << running.wait().err;
  ::kill(running.pid(), SIGINT);
  EXPECT_EQ(running.wait().status, 130);
  expect_accepted(1);
  EXPECT_THAT(text_of(folder_.path("json")), HasSubstr("\"interrupted\": true"));
  EXPECT_THAT(text_of(folder_.path("junit")), HasSubstr("name=\"interrupted\""));
  EXPECT_THAT(text_of(folder_.path("tap")), HasSubstr("Bail out! interrupted"));
  EXPECT_THAT(text_of(folder_.path("prometheus")), HasSubstr("plumbline_run_interrupted 1\n"));
  EXPECT_THAT(text_of(folder_.path("html")), HasSubstr("\"interrupted\":true"));
  EXPECT_THAT(text_of(folder_.path("markdown")), HasSubstr("**Interrupted**"));
  EXPECT_THAT(text_of(folder_.path("console")), HasSubstr("interrupted: what follows counts only"));
}

}  // namespace
}  // namespace plumbline::cli::testing
