#include "harness/engine/report/place.hpp"

#include <gtest/gtest.h>

namespace plumbline::engine {
namespace {

TEST(PlaceOf, TakesLineAndColumnOffTheEnd) {
  EXPECT_EQ(place_of("scenarios/diy.yaml:41:5"), (Place{"scenarios/diy.yaml", "41", "5"}));
  EXPECT_EQ(place_of("a:b.yaml:7"), (Place{"a:b.yaml", "7", ""}));
}

TEST(PlaceOf, TakesWhatHasNoNumbersAsTheFile) {
  EXPECT_EQ(place_of(""), Place{});
  EXPECT_EQ(place_of("a.yaml"), (Place{"a.yaml", "", ""}));
  EXPECT_EQ(place_of("a.yaml:"), (Place{"a.yaml:", "", ""}));
  EXPECT_EQ(place_of(":1:2"), (Place{":1", "2", ""}));
}

TEST(PlaceIn, IsWhatTheMessageBeginsWith) {
  EXPECT_EQ(place_in("a.yaml", "a.yaml:5:3: starting x.sh: it fails"), "a.yaml:5:3");
  for (const char* other :
       {"b.yaml:5:3: it fails", "it fails: a.yaml:5:3: so", "a.yaml: it fails", "a.yaml:5:3", ""})
    EXPECT_EQ(place_in("a.yaml", other), "a.yaml") << other;
}

}  // namespace
}  // namespace plumbline::engine
