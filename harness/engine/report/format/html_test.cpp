#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <string>

#include "harness/engine/report/format/format.hpp"
#include "harness/engine/report/format/testing.hpp"
#include "harness/engine/report/testing/sample_run.hpp"

// What the page makes of its data is tested in a browser: browser/.
namespace plumbline::engine {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

std::string nonce_of(const std::string& page) {
  std::smatch found;
  return std::regex_search(page, found, std::regex("<script nonce=\"([^\"]+)\">")) ? found[1].str() : "";
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(Html, OnlyThePagesOwnScriptAndStyleMayAct) {
  const std::string page = testing::rendered("html", samples::everything());
  const std::string nonce = nonce_of(page);
  EXPECT_EQ(nonce.size(), 22U);
  EXPECT_EQ(count(page, "nonce-" + nonce), 2U);
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  EXPECT_THAT(page, Not(HasSubstr("unsafe")));
  EXPECT_THAT(page, Not(HasSubstr("@NONCE@")));
  EXPECT_NE(nonce_of(testing::rendered("html", samples::everything())), nonce);
}

TEST(Html, DataEndsNoElement) {
  const std::string clean = testing::rendered("html", samples::sample_run());
  const std::string hostile = testing::rendered("html", samples::hostile_run());
  const auto tags = [](const std::string& page) {
    return count(page, "<script") - count(page, "id=\"scenario-");
  };
  EXPECT_EQ(tags(hostile), tags(clean));
  EXPECT_EQ(count(hostile, "</script>"), count(hostile, "<script"));
}

TEST(Html, AsksNobodyForAnything) {
  const std::string page = testing::rendered("html", samples::everything());
  std::string rest = std::regex_replace(page, std::regex("http://www\\.w3\\.org/2000/svg"), "");
  EXPECT_THAT(rest, Not(ContainsRegex("https?:")));
  EXPECT_THAT(rest, Not(HasSubstr(" src=")));
}

}  // namespace
}  // namespace plumbline::engine
