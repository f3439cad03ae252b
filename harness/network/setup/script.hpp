#pragma once
#include <chrono>
#include <map>
#include <string>
#include <vector>
#include "harness/network/topology/model.hpp"
namespace plumbline::network {
struct ScriptSetup {
  struct Container {
    std::string name;
    std::vector<IpAddress> addresses;
  };
  std::string path;
  std::string shell;
  std::vector<std::string> arguments;
  std::map<std::string, std::string> env;
  std::vector<Container> expected;
  std::chrono::milliseconds timeout{60'000};
  std::vector<IpAddress> resolvers;
  std::string where;
};
inline Topology expected_of(const ScriptSetup&, const Topology&) { return {}; }
}  // namespace plumbline::network
