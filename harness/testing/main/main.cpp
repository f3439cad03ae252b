#include "harness/testing/main.hpp"

PLUMBLINE_GTEST_MAIN();
