#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "harness/testing/network.hpp"

namespace plumbline::testing {

/// The base of a test fixture that has a network. Each test gets a fresh one, unless the fixture hands in one
/// that it made in SetUpTestSuite().
///
///   class Seed : public NetworkTest {
///    protected:
///     Seed() : NetworkTest(scenario("seed.yaml")) {}
///   };
class NetworkTest : public ::testing::Test {
 protected:
  /// Builds it. Where that fails, every test of the fixture fails, and the message holds the kernel's text
  /// and the remedy. Where a setup's script lacks something here (Unavailable), they are skipped.
  explicit NetworkTest(spec::Spec arrangement, const NetworkOptions& options = {});
  /// Uses one that outlives the test.
  explicit NetworkTest(Network& shared) : network_(&shared) {}

  Network& network() noexcept { return *network_; }

  Source from(Names nodes, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return network_->from(std::move(nodes), file, line);
  }

 private:
  std::unique_ptr<Network> own_;
  Network* network_;
};

}  // namespace plumbline::testing
