#include <gmock/gmock.h>

#include "harness/engine/report/format/testing.hpp"
#include "harness/engine/report/testing/sample_run.hpp"

namespace plumbline::engine {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::rendered;

class Junit : public ::testing::Test {
 protected:
  void SetUp() override { testing::require_program(folder_, "xmllint", "libxml2-utils"); }
  /// What xmllint says against; empty: it accepts it.
  std::string refused(const std::string& xml) const {
    const std::string path = folder_.write("report.xml", xml);
    return folder_.run("xmllint --noout --nonet --schema " PLUMBLINE_SOURCE_DIR
                       "/fixtures/reports/junit.xsd " +
                       path) == 0
               ? ""
               : folder_.said();
  }
  /// The value of an XPath expression.
  std::string at(const std::string& xml, const std::string& path) const {
    const std::string file = folder_.write("report.xml", xml);
    folder_.run("xmllint --nonet --xpath 'string(" + path + ")' " + file);
    std::string said = folder_.said();
    if (!said.empty() && said.back() == '\n') said.pop_back();
    return said;
  }
  testing::Folder folder_;
};

TEST_F(Junit, KeepsToTheSchema) {
  EXPECT_EQ(refused(rendered("junit", samples::sample_run())), "");
  EXPECT_EQ(refused(rendered("junit", samples::everything())), "");
  EXPECT_EQ(refused(rendered("junit", samples::merged_run())), "");
  EXPECT_EQ(refused(rendered("junit", RunResult{})), "");
}

TEST_F(Junit, TheSchemaRefusesWhatIsNot) {
  EXPECT_NE(refused("<testsuites><testcase/></testsuites>"), "");
  std::string other = rendered("junit", samples::sample_run());
  other.replace(other.find("<failure"), 8, "<trouble");
  EXPECT_NE(refused(other), "");
}

TEST_F(Junit, NothingFromPacketsOrSpecsIsMarkup) {
  const std::string xml = rendered("junit", samples::hostile_run());
  EXPECT_EQ(refused(xml), "");
  EXPECT_THAT(xml, AllOf(Not(HasSubstr("</script>")), Not(HasSubstr("\x1b"))));
}

TEST_F(Junit, CountsAndExplains) {
  const std::string xml = rendered("junit", samples::sample_run());
  EXPECT_EQ(at(xml, "/testsuites/@tests"), "6");
  EXPECT_EQ(at(xml, "/testsuites/@failures"), "1");
  EXPECT_EQ(at(xml, "/testsuites/@errors"), "3") << "an inconclusive check, one in error, and a scenario";
  EXPECT_EQ(at(xml, "/testsuites/@skipped"), "1");
  EXPECT_EQ(at(xml, "/testsuites/testsuite[1]/@name"), "two-uplinks.native");
  EXPECT_THAT(at(xml, "//failure/@message"), HasSubstr("deny-rule-missing: no rule of host rejects"));
  EXPECT_THAT(at(xml, "//failure"), AllOf(HasSubstr("expected  rejected by host"), HasSubstr("journey"),
                                          HasSubstr("nft insert rule ip filter FORWARD")));
  EXPECT_EQ(at(xml, "//testcase[failure]/properties/property[@name=\"trace\"]/@value"),
            "plumbline-out/two-uplinks.native/deny-container-one-10.1.2.3-tcp-80.pcapng");
  EXPECT_EQ(at(xml, "//error[@type=\"inconclusive\"]/@message"),
            "nothing came back, but neither did it for the control");
  EXPECT_EQ(at(xml, "//testcase[failure]/@line"), "12");
}

TEST_F(Junit, HostsAreToldApart) {
  const std::string xml = rendered("junit", samples::merged_run());
  EXPECT_EQ(at(xml, "/testsuites/testsuite[5]/@hostname"), "web2");
  EXPECT_EQ(at(xml, "/testsuites/testsuite[5]/@name"), "web2: two-uplinks.native (repetition 1)");
  EXPECT_EQ(at(xml, "/testsuites/testsuite[5]/testcase[1]/@classname"),
            "web2: two-uplinks.native (repetition 1)");
  EXPECT_EQ(at(rendered("junit", samples::everything()), "/testsuites/testsuite[1]/@name"),
            "two-uplinks.native (repetition 1)");
}

TEST_F(Junit, AnInterruptedRunIsNoGoodOne) {
  RunResult run = samples::sample_run();
  run.scenarios.resize(1);
  run.scenarios[0].checks.resize(1);
  run.interrupted = true;
  const std::string xml = rendered("junit", run);
  EXPECT_EQ(refused(xml), "");
  EXPECT_EQ(at(xml, "/testsuites/@errors"), "1");
  EXPECT_THAT(at(xml, "//error/@message"), HasSubstr("interrupted"));
}

}  // namespace
}  // namespace plumbline::engine
