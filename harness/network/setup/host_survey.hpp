#pragma once

#include <string>
#include <vector>

#include "harness/kernel/netns/confined_mounts.hpp"
#include "harness/kernel/netns/netns.hpp"

namespace plumbline::network {

/// One thing that a host holds, in words.
struct HostEntry {
  std::string text;        ///< "route 10.88.0.2/32 dev veth1", "rule of nft ip nat POSTROUTING: ip saddr …"
  std::string chain;       ///< of a rule or a chain: the chain's name
  std::string table = {};  ///< of anything in a table of nft or iptables-legacy: "ip nat", "legacy nat"
  std::string rule = {};   ///< of a rule: its own text
  std::string link = {};   ///< of a link, an address, a route, a neighbour: the link's name
  std::string peer = {};   ///< of a veth whose other end is in the host too: that one's name
  std::string removal = {};  ///< the command that takes it away; empty: none of its own does
  std::string file = {};     ///< of a file: its path
  bool automatic = false;    ///< a route that the kernel made, and takes away with its link or address
};

/// All that a namespace holds of the kernel's: links, addresses, routes, rules, permanent neighbours (what it
/// learned by itself ages out by itself), IPsec's policies and states, nft and iptables-legacy in full.
/// Throws Error.
std::vector<HostEntry> survey(const kernel::Netns& host);

/// Files that are looked at.
struct FileTree {
  std::string folder;  ///< where they lie
  std::string shown;   ///< what the folder is called; empty: so
};
/// The files below `trees`, by name and content (of each its first bytes and its length). Trees that are not
/// there hold none; what another file system is mounted on in them is left out. Throws Error, of kind setup,
/// where they are too many to be told.
std::vector<HostEntry> survey_files(const std::vector<FileTree>& trees);

/// The names in /run/netns.
std::vector<HostEntry> survey_names();
/// What is mounted there, but for those names.
std::vector<HostEntry> survey_mounts(const kernel::ConfinedMounts& mounts);

}  // namespace plumbline::network
