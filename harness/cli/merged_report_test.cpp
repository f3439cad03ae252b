#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "harness/cli/testing/program.hpp"

namespace plumbline::cli::testing {
namespace {

namespace json = boost::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A report as `plumbline run --report json` writes it, of one check.
std::string report(const std::string& host, const std::string& verdict, const std::string& scenario = "diy",
                   const std::string& trace = "") {
  json::object check{{"id", "reach a -> b ping"},
                     {"type", "reach"},
                     {"from", "a"},
                     {"to", "b"},
                     {"with", "ping"},
                     {"family", "ipv4"},
                     {"where", "diy.yaml:3:5"},
                     {"verdict", verdict},
                     {"expected", "a reply"},
                     {"observed", "seen"},
                     {"duration_ms", 1},
                     {"journey", json::array()},
                     {"kernel", json::array()},
                     {"incomplete", json::array()},
                     {"conntrack", json::array()},
                     {"control", nullptr},
                     {"stopped", nullptr},
                     {"cause", nullptr},
                     {"causes", json::array()},
                     {"trace", trace.empty() ? json::value(nullptr) : json::value(trace)}};
  const auto count = [&](const char* of) { return verdict == of ? 1 : 0; };
  return json::serialize(json::object{{"schema", 1},
                                      {"plumbline", "1"},
                                      {"summary",
                                       {{"passed", count("pass")},
                                        {"failed", count("fail")},
                                        {"inconclusive", count("inconclusive")},
                                        {"skipped", count("skip")},
                                        {"errors", 0}}},
                                      {"duration_ms", 1},
                                      {"interrupted", false},
                                      {"repetitions", 1},
                                      {"differing", json::array()},
                                      {"scenarios",
                                       {{{"name", scenario},
                                         {"file", scenario + ".yaml"},
                                         {"setup", "native"},
                                         {"about", ""},
                                         {"host", host},
                                         {"build_ms", 1},
                                         {"checks_ms", 1},
                                         {"teardown_ms", 1},
                                         {"checks", {check}},
                                         {"changes", json::array()}}}}});
}

class CliReport : public ::testing::Test {
 protected:
  Folder folder_;
  const std::string web1_ = folder_.write("web1.json", report("web1", "pass"));
  const std::string web2_ = folder_.write("web2.json", report("web2", "fail"));
};

TEST_F(CliReport, HostsBecomeOneReport) {
  const Ran ran = plumbline({"report", web1_, web2_, "-q"});
  EXPECT_EQ(ran.status, 1) << "one failed; " << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("diy  diy.yaml  (setup native, host web2)"),
                             HasSubstr("across hosts: the verdict of 1 check differs; 1 check in common\n"),
                             HasSubstr("    pass on web1; fail on web2\n"),
                             HasSubstr("2 checks: 1 passed, 1 failed")));
  EXPECT_EQ(plumbline({"report", web1_}).status, 0);
}

TEST_F(CliReport, WhatChangedIsTold) {
  const std::string now = folder_.write("now.json", report("web1", "fail"));
  const Ran ran = plumbline({"report", now, "--baseline", web1_, "-q"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("of 1 check 1 changed\n"), HasSubstr("    was pass, is fail\n"),
                             HasSubstr("      reach a -> b ping\n")));
  EXPECT_EQ(plumbline({"report", web1_, "--baseline", now}).status, 0) << "what changed is not what counts";
}

TEST_F(CliReport, StandardInputIsAReportToo) {
  Start start{.arguments = {"report", "-", web2_, "--report", "json"}};
  const std::string path = web1_;
  start.prepare = [path] { ::dup2(::open(path.c_str(), O_RDONLY), STDIN_FILENO); };
  const Ran ran = run(start);
  EXPECT_EQ(ran.status, 1) << ran.err;
  EXPECT_EQ(json::parse(ran.out).at("scenarios").as_array().size(), 2U);
}

TEST_F(CliReport, AReportMayTakeThePlaceOfOneThatWasRead) {
  const Ran ran = plumbline({"report", web1_, web2_, "--report", "json=" + web1_, "-q"});
  EXPECT_EQ(ran.status, 1) << ran.err;
  EXPECT_EQ(json::parse(text_of(web1_)).at("scenarios").as_array().size(), 2U);
}

TEST_F(CliReport, WhatCannotBeWrittenLosesNothing) {
  const std::string before = text_of(web1_);
  const Ran ran =
      plumbline({"report", web1_, "--report", "json=" + web1_, "--report", "html=/proc/missing/x.html"});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("the html report: "), HasSubstr("No such file or directory"),
                             HasSubstr("--report html=FILE")));
  EXPECT_EQ(text_of(web1_), before);
  Start small{.arguments = {"report", web1_, "--report", "json=" + web1_}};
  small.prepare = [] {
    const rlimit limit{100, 100};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  };
  EXPECT_EQ(run(small).status, 5);
  EXPECT_EQ(text_of(web1_), before) << "the old one stands until the new one is whole";
}

TEST_F(CliReport, TheJobsSummaryIsNoOtherReportsFile) {
  const std::string summary = folder_.path("summary.md");
  const Ran ran =
      run({.arguments = {"report", web1_, "--report", "github", "--report", "markdown=" + summary},
           .environment = {{"GITHUB_STEP_SUMMARY", summary}}});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("two reports to " + summary));
}

TEST_F(CliReport, WhatIsNoReportIsSaidBeforeAnythingIsWritten) {
  const std::string out = folder_.path("out.html");
  const auto refused = [&](const std::string& text, const std::string& why) {
    const std::string file = folder_.write("other.json", text);
    const Ran ran = plumbline({"report", web1_, file, "--report", "html=" + out});
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.out, IsEmpty());
    EXPECT_THAT(ran.err, AllOf(HasSubstr(file + ": "), HasSubstr(why)));
    EXPECT_FALSE(std::filesystem::exists(out));
  };
  refused("", "line 1, column 1: this is no JSON");
  refused("{}", "'schema' is missing");
  refused("{\"schema\": 7}", "schema: expected 1");
  std::string other = report("web1", "pass");
  other.replace(other.find("\"ping\""), 6, "true");
  refused(other, "scenarios[0].checks[0].with: expected a text, found true");
}

TEST_F(CliReport, FilesThatCannotBeReadAreSaid) {
  const auto refused = [&](std::vector<std::string> arguments, const std::string& why) {
    arguments.insert(arguments.begin(), "report");
    const Ran ran = plumbline(arguments);
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.out, IsEmpty());
    EXPECT_THAT(ran.err, HasSubstr(why));
  };
  refused({"/nowhere/a.json"}, "read /nowhere/a.json: No such file or directory");
  refused({web1_, "--baseline", "/nowhere/a.json"}, "read /nowhere/a.json");
  refused({folder_.path("")}, "is a folder, no report");
  refused({web1_, web1_}, "is given twice");
  const std::string other_spec = folder_.write("other.json", [] {
    std::string text = report("web1", "fail");
    text.replace(text.find("\"diy.yaml\""), 10, "\"d/x.yaml\"");
    return text;
  }());
  refused({web1_, other_spec},
          "two specs of web1 have the name 'diy': diy.yaml in " + web1_ + ", and d/x.yaml in " + other_spec);
  refused({"-", "--baseline", "-"}, "standard input is a report already");
  refused({}, "FILE is required");
}

/// They are named as seen from where the run was; an artifact has them beside the report.
TEST_F(CliReport, TracesAreFoundBesideTheReport) {
  std::filesystem::create_directories(folder_.path("artifact/out"));
  folder_.write("artifact/out/a.pcapng", "");
  const std::string file = folder_.write("artifact/a.json", report("web1", "fail", "diy", "out/a.pcapng"));
  const std::string lost =
      folder_.write("artifact/b.json", report("web2", "fail", "diy", "elsewhere/a.pcapng"));
  const Ran ran = plumbline({"report", file, lost, "--report", "json"});
  const json::value value = json::parse(ran.out);
  EXPECT_EQ(value.at("scenarios").at(0).at("checks").at(0).at("trace").as_string(),
            folder_.path("artifact/out/a.pcapng"));
  EXPECT_EQ(value.at("scenarios").at(1).at("checks").at(0).at("trace"), "elsewhere/a.pcapng");
}

TEST_F(CliReport, EveryFormatTakesIt) {
  for (const char* format : {"console", "github", "html", "json", "junit", "markdown", "prometheus", "tap"}) {
    const Ran ran = plumbline({"report", web1_, web2_, "--baseline", web1_, "--report", format});
    EXPECT_EQ(ran.status, 1) << format << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("web2")) << format;
  }
}

TEST_F(CliReport, HelpSaysWhatItsStatusMeans) {
  EXPECT_THAT(plumbline({"report", "--help"}).out,
              AllOf(HasSubstr("--baseline"), HasSubstr("what changed or\ndiffers between hosts is told")));
}

}  // namespace
}  // namespace plumbline::cli::testing
