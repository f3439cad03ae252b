#include "harness/engine/mutation/mutant.hpp"

#include <fmt/format.h>

#include <utility>

#include "harness/engine/mutation/operators.hpp"
#include "harness/engine/mutation/words.hpp"

namespace plumbline::engine::mutation {

void Collector::add(std::string_view operation, Mutant mutant) {
  mutant.node = node_;
  const std::string id = fmt::format("{} {} {}", operation, node_, mutant.line);
  mutant.id = id;
  for (int number = 2; !ids_.insert(mutant.id).second; ++number)
    mutant.id = fmt::format("{} ({})", id, number);
  mutants_.push_back(std::move(mutant));
}

std::vector<Mutant> mutants_of(const NodeState& state) {
  Collector mutants(state.node);
  add_nft(mutants, state.nft);
  add_iptables_legacy(mutants, "iptables-legacy", state.iptables_legacy);
  add_iptables_legacy(mutants, "ip6tables-legacy", state.ip6tables_legacy);
  add_routing(mutants, IpFamily::v4, state.routes4, state.rules4);
  add_routing(mutants, IpFamily::v6, state.routes6, state.rules6);
  add_sysctls(mutants, state.sysctls);
  return mutants.take();
}

std::string program_of(const Mutant& mutant, const std::string& host) {
  std::string program;
  for (const std::string& test : mutant.unless_changed) {
    program += fmt::format("{} || {{ echo {} >&2; exit 1; }}\n", test,
                           shell_quoted(kNotAsRead + squeezed(mutant.line)));
  }
  for (const std::string& command : mutant.commands) program += command + "\n";
  if (mutant.node == host) return program;
  return fmt::format("exec ip netns exec {} /bin/sh -euc {}\n", shell_quoted(mutant.node),
                     shell_quoted(program));
}

}  // namespace plumbline::engine::mutation
