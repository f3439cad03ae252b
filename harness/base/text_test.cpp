#include "harness/base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plumbline {
namespace {

using ::testing::ElementsAre;

TEST(Text, ValidTextStaysAsItIs) {
  EXPECT_EQ(valid_utf8("Grüße → 日本 😀"), "Grüße → 日本 😀");
  EXPECT_EQ(printable("Grüße → 日本 😀"), "Grüße → 日本 😀");
  EXPECT_EQ(printable(""), "");
}

TEST(Text, InvalidBytesAreReplacedOneByOne) {
  EXPECT_EQ(valid_utf8("a\xff"
                       "b"),
            "a\xef\xbf\xbd"
            "b");
  EXPECT_EQ(printable("\xc3"), "\\xc3");                             // truncated
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");                    // overlong '/'
  EXPECT_EQ(printable("\xe0\x80\x80"), "\\xe0\\x80\\x80");           // overlong NUL
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // surrogate
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // beyond U+10FFFF
  EXPECT_EQ(printable("\xf0\x9f\x98"), "\\xf0\\x9f\\x98");
}

TEST(Text, NothingSteersTheTerminal) {
  EXPECT_EQ(printable("a\x1b[2Jb\r\n\tc\x7f"), "a\\x1b[2Jb\\r\\n\\tc\\x7f");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\x9b31m");  // C1 CSI
  EXPECT_EQ(printable("\xe2\x80\xae"
                      "evil"),
            "\\u202eevil");                                 // right-to-left override
  EXPECT_EQ(printable("\xe2\x80\xa8"), "\\u2028");          // line separator
  EXPECT_EQ(printable("\xf3\xa0\x81\x81"), "\\U000e0041");  // tag
}

TEST(Text, LinesAreSplitAndEachIsPrintable) {
  EXPECT_THAT(printable_lines("a\n\nb\x1b\n"), ElementsAre("a", "", "b\\x1b"));
  EXPECT_TRUE(printable_lines("").empty());
}

TEST(Text, CountsColumnsByCodePoint) {
  EXPECT_EQ(columns("µs →"), 4U);
  EXPECT_EQ(columns(""), 0U);
  EXPECT_EQ(columns("網路"), 4U);
  EXPECT_EQ(columns("e\u0301"), 1U) << "an accent of its own takes no cell";
}

TEST(Text, WrapsAtSpacesAndCutsLongWords) {
  EXPECT_THAT(wrap("one two three", 7), ElementsAre("one two", "three"));
  EXPECT_THAT(wrap("one two three", 8), ElementsAre("one two", "three"));
  EXPECT_THAT(wrap("abcdefgh", 3), ElementsAre("abc", "def", "gh"));
  EXPECT_THAT(wrap("→→→→", 3), ElementsAre("→→→", "→"));
  EXPECT_THAT(wrap("網路網", 5), ElementsAre("網路", "網"));
  EXPECT_THAT(wrap("網路", 1), ElementsAre("網", "路"));
  EXPECT_THAT(wrap("", 10), ElementsAre(""));
  EXPECT_THAT(wrap("ab", 0), ElementsAre("a", "b"));
  EXPECT_THAT(wrap("fits", 4), ElementsAre("fits"));
}

TEST(Text, TellsHostNames) {
  for (const char* good : {"www.example.test", "a", "_dns.x-1.", "1.2.3.4"})
    EXPECT_TRUE(is_host_name(good)) << good;
  const std::string label(63, 'a');
  EXPECT_TRUE(is_host_name(label + "." + label));
  EXPECT_FALSE(is_host_name(label + "a"));
  EXPECT_FALSE(is_host_name(label + "." + label + "." + label + "." + label));
  for (const char* bad : {"", ".", "..", ".a", "a..b", "bad name", "a/b", "\xc3\xa4", "a\n"})
    EXPECT_FALSE(is_host_name(bad)) << bad;
}

TEST(Glob, StarStandsForAnyText) {
  EXPECT_TRUE(glob_matches("reach * ping", "reach a -> b ping"));
  EXPECT_TRUE(glob_matches("*", ""));
  EXPECT_TRUE(glob_matches("a*b*c", "a-b-b-c"));
  EXPECT_TRUE(glob_matches("ping", "ping"));
  EXPECT_FALSE(glob_matches("reach * ping", "reach a -> b ping ipv6"));
  EXPECT_FALSE(glob_matches("ping", "ping ipv6"));
  EXPECT_FALSE(glob_matches("", "ping"));
  EXPECT_FALSE(glob_matches("a*b*c", "a-c-b"));
  EXPECT_FALSE(glob_matches(std::string(2000, '*') + "x", std::string(2000, 'a')));
}

}  // namespace
}  // namespace plumbline
