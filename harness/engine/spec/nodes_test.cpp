#include "harness/engine/spec/nodes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace plumbline::spec {
namespace {

using network::Locator;
using ::testing::HasSubstr;

Value nodes_of(const std::string& text) {
  return parse_yaml("nodes: " + text + "\n", "live.yaml").entries.at(0).value;
}

std::string refused(const std::string& text) {
  try {
    read_named_nodes(nodes_of(text));
  } catch (const SpecError& error) {
    return error.what();
  }
  return "it was taken";
}

TEST(SpecNodes, EachSaysWhereItIsFound) {
  const auto nodes =
      read_named_nodes(nodes_of("{web: {docker: web.1}, db: {podman: 3f2a}, x: {netns: x}, p: {netns: "
                                "/proc/7/ns/net}, y: {pid: 123}}"));
  ASSERT_EQ(nodes.size(), 5U);
  EXPECT_EQ(nodes[0].name, "web");
  EXPECT_EQ(nodes[0].locator, (Locator{Locator::Kind::docker, "web.1"}));
  EXPECT_EQ(nodes[1].locator, (Locator{Locator::Kind::podman, "3f2a"}));
  EXPECT_EQ(nodes[2].locator, (Locator{Locator::Kind::netns, "x"}));
  EXPECT_EQ(nodes[3].locator, (Locator{Locator::Kind::netns, "/proc/7/ns/net"}));
  EXPECT_EQ(nodes[4].locator, (Locator{Locator::Kind::pid, "123"}));
  EXPECT_EQ(nodes[4].mark.line, 1U);
}

TEST(SpecNodes, TheHostNeedsNoPlace) {
  EXPECT_TRUE(read_named_nodes(nodes_of("{host: {netns: self}}")).empty());
  // `ip netns add` takes any file's name, and discovery prints it.
  const auto odd =
      read_named_nodes(nodes_of(R"({a: {netns: "a b"}, x: {netns: "x:y"}, t: {netns: "a\x0ab"}})"));
  EXPECT_EQ(odd.at(0).locator.value, "a b");
  EXPECT_EQ(odd.at(1).locator.value, "x:y");
  EXPECT_EQ(odd.at(2).locator.value, "a\nb");
  EXPECT_TRUE(read_named_nodes(nodes_of("{}")).empty());
  EXPECT_THAT(refused("{host: {netns: other}}"), HasSubstr("the namespace that plumbline is started in"));
}

TEST(SpecNodes, WhatIsWrongIsSaidWithItsPlace) {
  EXPECT_THAT(refused("[web]"), HasSubstr("live.yaml:1:8: nodes must be a mapping"));
  EXPECT_THAT(refused("{web: web}"), HasSubstr("as in `web: {docker: web}`"));
  EXPECT_THAT(refused("{web: {dokcer: web}}"), HasSubstr("did you mean 'docker'?"));
  EXPECT_THAT(refused("{web: {docker: web, pid: 1}}"), HasSubstr("one key"));
  EXPECT_THAT(refused("{web: {pid: 0}}"), HasSubstr("a whole number from 1"));
  EXPECT_THAT(refused("{web: {docker: ../web}}"), HasSubstr("not a path"));
  EXPECT_THAT(refused("{web: {netns: a/b}}"), HasSubstr("or an absolute path: 'a/b'"));
  EXPECT_THAT(refused("{10.0.0.1: {pid: 3}}"), HasSubstr("like an address"));
  EXPECT_THAT(refused("{a: {pid: 3}, b: {pid: 3}}"), HasSubstr("pid 3 is a already"));
}

}  // namespace
}  // namespace plumbline::spec
