#pragma once

/// Container networks in GoogleTest cases: https://google.github.io/googletest/ with docs/writing-tests.md.
#include "harness/testing/arrangement.hpp"
#include "harness/testing/fixture.hpp"
#include "harness/testing/main.hpp"
#include "harness/testing/matchers.hpp"
#include "harness/testing/network.hpp"
