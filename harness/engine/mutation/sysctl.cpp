#include <fmt/format.h>

#include "harness/engine/mutation/operators.hpp"
#include "harness/engine/mutation/words.hpp"

namespace plumbline::engine::mutation {
namespace {

/// What changes nothing for the interfaces that are there, and what is another name of a setting.
bool is_idle(std::string_view name) {
  const auto has = [&](std::string_view part) { return name.find(part) != std::string_view::npos; };
  if (has(".default.") || has("/default/")) return true;
  // net.ipv4.ip_forward is the same one.
  if (name == "net.ipv4.conf.all.forwarding") return true;
  // ip6_forward() asks for that of "all" alone; an interface's own decides about router advertisements.
  const bool of_ipv6 = name.starts_with("net.ipv6.conf.") || name.starts_with("net/ipv6/conf/");
  return of_ipv6 && name != "net.ipv6.conf.all.forwarding" && name.ends_with("forwarding");
}

}  // namespace

void add_sysctls(Collector& into, const std::vector<SysctlState>& sysctls) {
  for (const SysctlState& sysctl : sysctls) {
    if (is_idle(sysctl.name) || sysctl.value == sysctl.fresh) continue;
    Mutant mutant;
    mutant.line = squeezed(fmt::format("sysctl: {} = {}", sysctl.name, sysctl.value));
    mutant.becomes = squeezed(fmt::format("sysctl: {} = {}", sysctl.name, sysctl.fresh));
    mutant.unless_changed = {fmt::format(R"sh([ "$(sysctl -n {})" = {} ])sh", sysctl.name, shell_quoted(sysctl.value))};
    mutant.commands = {fmt::format("sysctl -qw {}={}", sysctl.name, shell_quoted(sysctl.fresh))};
    into.add("reset", std::move(mutant));
  }
}

}  // namespace plumbline::engine::mutation
