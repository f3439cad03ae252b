#include "harness/engine/selftest/fault.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>

#include "harness/engine/run/data.hpp"

namespace plumbline::engine::selftest {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kGood = R"(version: 1
about: The host's end of a cable is down.
class: link
scenario: diy
change:
  - set-link: {dev: veth1, up: false}
expect:
  - {checks: ["reach host -> container-one *", "reach container-one *"], cause: link-down}
  - {checks: "deny container-one *", verdict: [fail, inconclusive], cause: [no-carrier, link-down], indistinct: both are}
  - {checks: "egress *", except: "egress * ipv6", verdict: inconclusive}
)";

class FaultFile : public ::testing::Test {
 protected:
  FaultFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "plumbline-fault-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = pattern;
  }
  FaultFile(const FaultFile&) = delete;
  FaultFile& operator=(const FaultFile&) = delete;
  ~FaultFile() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& text) const {
    std::string file = folder_ + "/cable-down.yaml";
    std::ofstream(file) << text;
    return file;
  }
  std::vector<Fault> load(const std::string& text) const {
    return load_fault(write(text), shipped_load_options());
  }
  std::string folder_;
};

TEST_F(FaultFile, IsItsScenarioWithTheChangeBeforeTheFirstCheck) {
  const std::vector<Fault> faults = load(kGood);
  ASSERT_EQ(faults.size(), 1U);
  const Fault& fault = faults.front();
  EXPECT_EQ(fault.id, "link/cable-down");
  EXPECT_EQ(fault.kind, "link");
  EXPECT_EQ(fault.spec.name, "cable-down");
  EXPECT_EQ(fault.spec.setup->name, "native");
  EXPECT_EQ(fault.spec.checks.front().kind, "set-link");
  EXPECT_TRUE(fault.spec.checks.front().change);
  EXPECT_TRUE(fault.spec.checks.front().fault);
  EXPECT_FALSE(fault.spec.checks.at(1).change);
  ASSERT_EQ(fault.expected.size(), 3U);
  EXPECT_THAT(fault.expected[0].verdicts, ElementsAre(Verdict::fail));
  EXPECT_THAT(fault.expected[0].causes, ElementsAre("link-down"));
  EXPECT_THAT(fault.expected[1].verdicts, ElementsAre(Verdict::fail, Verdict::inconclusive));
  EXPECT_THAT(fault.expected[1].causes, ElementsAre("no-carrier", "link-down"));
  EXPECT_THAT(fault.expected[2].verdicts, ElementsAre(Verdict::inconclusive));
  EXPECT_TRUE(fault.expected[0].is_about("reach container-one -> host ping"));
  EXPECT_FALSE(fault.expected[0].is_about("reach host -> container-two ping"));
  EXPECT_TRUE(fault.expected[2].is_about("egress container-one -> internet ping via ens4"));
  EXPECT_FALSE(fault.expected[2].is_about("egress container-one -> internet ping via ens4 ipv6"));
}

TEST_F(FaultFile, IsTriedWithEachSetupThatItNames) {
  const std::vector<Fault> faults = load(kGood + "setup: [script-nft, native]\n");
  ASSERT_EQ(faults.size(), 2U);
  EXPECT_EQ(faults[0].spec.setup->name, "script-nft");
  EXPECT_EQ(faults[1].spec.setup->name, "native");
}

struct Wrong {
  const char* from;
  const char* to;
  const char* said;
};

void PrintTo(const Wrong& wrong, std::ostream* out) {
  *out << wrong.to;
}

class WrongFault : public FaultFile, public ::testing::WithParamInterface<Wrong> {};

TEST_P(WrongFault, IsRefusedWithItsPlace) {
  std::string text = kGood;
  const auto at = text.find(GetParam().from);
  ASSERT_NE(at, std::string::npos) << GetParam().from;
  text.replace(at, std::string(GetParam().from).size(), GetParam().to);
  try {
    load(text);
    FAIL() << "nothing was refused";
  } catch (const spec::SpecError& error) {
    EXPECT_THAT(error.what(), HasSubstr("cable-down.yaml:"));
    EXPECT_THAT(error.what(), HasSubstr(GetParam().said));
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongFault,
    ::testing::Values(Wrong{"class: link", "class: lnik", "did you mean 'link'"},
                      Wrong{"class: link", "class: healthy", "unknown"},
                      Wrong{"scenario: diy", "scenario: dyi", "did you mean 'diy'"},
                      Wrong{"scenario: diy\n", "", "'scenario'"},
                      Wrong{"change:\n  - set-link: {dev: veth1, up: false}\n", "", "'change'"},
                      Wrong{"set-link:", "set-lnik:", "did you mean 'set-link'"},
                      Wrong{"{dev: veth1, up: false}", "{dev: veth1, down: true}", "'down'"},
                      Wrong{"cause: link-down", "cause: link-donw", "did you mean 'link-down'"},
                      Wrong{", cause: link-down}", "}", "must name a 'cause'"},
                      Wrong{", indistinct: both are", "", "'indistinct'"},
                      Wrong{"checks: \"egress *\"", "checks: \"egres *\"", "'egres *' is about no check of"},
                      Wrong{"checks: \"egress *\"", "checks: []", "names nothing"},
                      Wrong{"except: \"egress * ipv6\"", "except: \"egress * ipv5\"",
                            "'egress * ipv5' is about no check of"},
                      Wrong{"verdict: inconclusive", "verdict: pass", "'verdict'"},
                      Wrong{"scenario: diy", "scenario: diy\nsetup: script-ntf", "did you mean 'script-nft'"},
                      Wrong{"about: ", "abuot: ", "did you mean 'about'"}));

TEST(Catalogue, EveryFileThatShipsIsRightAndItsNameIsItsOwn) {
  for (const std::string& file : shipped_faults())
    EXPECT_NO_THROW(load_fault(file, shipped_load_options())) << file;
  for (const std::string& file : shipped_healthy())
    EXPECT_NO_THROW(load_healthy(file, shipped_load_options())) << file;
}

}  // namespace
}  // namespace plumbline::engine::selftest
