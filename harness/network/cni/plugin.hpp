#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/kernel/netns/netns.hpp"

namespace plumbline::network::cni {

/// Where plugins are found and how they are run.
struct Site {
  const kernel::Netns* host = nullptr;             ///< the namespace that they are run in
  int mounts = -1;                                 ///< the mount namespace, as of kernel::Command
  std::vector<std::string> path;                   ///< folders, the first first: CNI_PATH
  std::map<std::string, std::string> environment;  ///< added to our own
  std::chrono::milliseconds timeout{30'000};       ///< of one call
};

/// A container's place in a network, as plugins are told.
struct Attachment {
  std::string container;  ///< CNI_CONTAINERID
  std::string netns;      ///< CNI_NETNS, a path
  std::string interface;  ///< CNI_IFNAME
  std::string arguments;  ///< CNI_ARGS: "KEY=VALUE;KEY=VALUE"
};

/// The program of that type; empty: it is in none of the folders.
std::string find_plugin(const std::vector<std::string>& path, const std::string& type);

/// The Debian package that has the plugin; empty: it is none of the standard ones.
std::string package_of(const std::string& type);

/// The standard ones: https://github.com/containernetworking/plugins.
std::span<const std::string_view> standard_plugins();

/// Calls a plugin and returns what it said on its standard output. Throws Error of kind setup, naming plugin
/// and command: with the plugin's own code, message and details, or with how it ended and what it said where
/// that is no error of CNI's kind.
/// What is referred to must outlive it.
boost::asio::awaitable<std::string> call(const Site& site, const std::string& type,
                                         const std::string& command, const boost::json::object& configuration,
                                         const Attachment& attachment);

}  // namespace plumbline::network::cni
