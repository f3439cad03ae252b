#include "harness/engine/report/markup.hpp"

#include <gtest/gtest.h>

namespace plumbline::engine {
namespace {

TEST(Markup, LeavesNothingThatMeansSomething) {
  EXPECT_EQ(markup("</script><b a=\"x\" b='y'>&amp;"),
            "&lt;/script&gt;&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;");
}

TEST(Markup, HoldsOnlyCharactersThatXmlHas) {
  EXPECT_EQ(markup("a\x1b[2J\n\xff"), "a\\x1b[2J\\n\\xff");
  EXPECT_EQ(markup("\xef\xbf\xbe|\xef\xbf\xbf|\xef\xbf\xbd"), "\xef\xbf\xbd|\xef\xbf\xbd|\xef\xbf\xbd");
}

TEST(Markup, KeepsLineEndsWhereAsked) {
  EXPECT_EQ(markup_lines("a<\nb\n\n c\n"), "a&lt;\nb\n\n c");
}

}  // namespace
}  // namespace plumbline::engine
