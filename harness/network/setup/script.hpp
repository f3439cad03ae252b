#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "harness/network/topology/model.hpp"

namespace plumbline::network {

/// A user's own program or text, and how it is run.
struct Script {
  std::string path;   ///< of an executable file, found; empty where `shell` is given
  std::string shell;  ///< text for /bin/sh -eu
  std::vector<std::string> arguments;
  std::map<std::string, std::string> env;  ///< beside what script_environment gives
  std::chrono::milliseconds timeout{60'000};
  std::string where;      ///< file:line:column of the spec that names it, for errors
  std::string directory;  ///< where it starts; empty: beside the file `path`, of a text ours
};

/// What `setup: script:` says.
struct ScriptSetup : Script {
  struct Container {
    std::string name;
    std::vector<IpAddress> addresses;  ///< that it will hold
  };
  std::vector<Container> expected;   ///< what it must leave behind
  std::vector<IpAddress> resolvers;  ///< the containers'; empty: the host's own
};

/// The nodes that the setup will leave behind, as far as they are known beforehand: containers with their
/// resolvers, and their addresses on one interface of unknown (empty) name, without prefix lengths. Pure.
/// Throws Error of kind usage for names and addresses that are taken.
Topology expected_of(const ScriptSetup& setup, const Topology& world);

using Environment = std::map<std::string, std::string>;

/// What scripts find in their environment, from the host of `world`: PLUMBLINE_SETUP, PLUMBLINE_HOST,
/// PLUMBLINE_RESOLVERS, PLUMBLINE_UPLINKS (its interfaces that have gateways) and for each uplink
/// PLUMBLINE_NAME_ADDRESSES and PLUMBLINE_NAME_GATEWAYS, its name in upper case, with _ for whatever is
/// neither letter nor digit; and PATH with the folders of system programs, which an unprivileged user's often
/// lacks. `resolvers`: the containers'; empty: the host's own. Pure but for PATH.
Environment script_environment(const std::string& setup_name, const Topology& world,
                               const std::vector<IpAddress>& resolvers = {});

}  // namespace plumbline::network
