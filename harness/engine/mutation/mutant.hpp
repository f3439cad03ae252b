#pragma once

#include <string>
#include <vector>

namespace plumbline::engine::mutation {

/// One line of a network's configuration, changed: does a check notice?
struct Mutant {
  std::string id;       ///< what is done, where, to which line: "delete host inet filter forward: ..."
  std::string node;     ///< on which it is made
  std::string line;     ///< as it was, in the words of the tool that lists it, behind where it stands
  std::string becomes;  ///< the same; empty: it is gone
  /// Shell commands that succeed as long as the line is as it was read.
  std::vector<std::string> unless_changed;
  /// What makes the mutant, as typed at a shell on that node.
  std::vector<std::string> commands;

  friend bool operator==(const Mutant&, const Mutant&) = default;
};

struct SysctlState {
  std::string name;   ///< dotted; with slashes where an interface's name holds a dot
  std::string value;  ///< as it is
  std::string fresh;  ///< as a new namespace has it

  friend bool operator==(const SysctlState&, const SysctlState&) = default;
};

/// A node as its tools list it.
struct NodeState {
  std::string node;
  std::string nft;                                ///< `nft -sa list ruleset`
  std::string routes4, routes6;                   ///< `ip -o -4 route show table all`
  std::string rules4, rules6;                     ///< `ip -4 rule`
  std::string iptables_legacy, ip6tables_legacy;  ///< `iptables-legacy-save`; empty: it has no such table
  std::vector<SysctlState> sysctls;               ///< that differ

  friend bool operator==(const NodeState&, const NodeState&) = default;
};

/// All mutants of a node, no two of one id. Pure.
std::vector<Mutant> mutants_of(const NodeState& state);

/// By this a mutant's program says that the line is no longer what was read.
inline constexpr const char* kNotAsRead = "this is not as it was read: ";

/// The program, for /bin/sh -eu in the namespace of `host`, that makes it.
std::string program_of(const Mutant& mutant, const std::string& host);

}  // namespace plumbline::engine::mutation
