#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/ip.hpp"
#include "harness/engine/mutation/mutant.hpp"

/// Private to this folder: one function for each part of a node that can be mutated.
namespace plumbline::engine::mutation {

/// Mutants as they are found. An id that is taken gets a number.
class Collector {
 public:
  explicit Collector(std::string node) : node_(std::move(node)) {}

  /// `operation` "widen 10.0.0.0/8"; its id is made of that, node and line.
  void add(std::string_view operation, Mutant mutant);
  std::vector<Mutant> take() { return std::move(mutants_); }

 private:
  std::string node_;
  std::set<std::string, std::less<>> ids_;
  std::vector<Mutant> mutants_;
};

/// Rules, verdicts, policies and sets' elements of `nft -sa list ruleset`.
void add_nft(Collector& into, std::string_view listing);
/// Of `iptables-legacy-save`; `tool` is iptables-legacy or ip6tables-legacy.
void add_iptables_legacy(Collector& into, const std::string& tool, std::string_view saved);
/// Routes and rules of one family.
void add_routing(Collector& into, IpFamily family, std::string_view routes, std::string_view rules);
void add_sysctls(Collector& into, const std::vector<SysctlState>& sysctls);

/// Whether anything can come of it if two neighbouring rules of nft's change places. Not if they have the
/// same verdict, or no packet meets both.
bool order_matters(std::string_view first, std::string_view second);

}  // namespace plumbline::engine::mutation
