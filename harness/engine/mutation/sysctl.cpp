#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/engine/mutation/operators.hpp"
#include "harness/engine/mutation/words.hpp"

namespace plumbline::engine::mutation {
namespace {

/// What changes nothing for the interfaces that are there, and what is another's shadow.
bool is_idle(std::string_view name) {
  constexpr std::array<std::string_view, 5> when_added{"accept_dad", "dad_transmits", "addr_gen_mode",
                                                       "router_solicitations", "ndisc_notify"};
  constexpr std::array<std::string_view, 3> limits{"net.ipv4.icmp_ratemask", "net.ipv4.icmp_ratelimit",
                                                   "net.ipv6.icmp.ratelimit"};
  const auto has = [&](std::string_view part) { return name.find(part) != std::string_view::npos; };
  if (has(".default.") || has("/default/")) return true;
  // Done when an interface comes up or gets an address, never later.
  if (std::ranges::any_of(when_added, [&](std::string_view end) { return name.ends_with(end); })) return true;
  // Our own, in every node: many probes are refused at once.
  if (std::ranges::find(limits, name) != limits.end()) return true;
  // net.ipv4.ip_forward is the first, and the kernel sets the second by it (inet_forward_change).
  if (name == "net.ipv4.conf.all.forwarding" || name == "net.ipv4.conf.all.accept_redirects") return true;
  // What is sent to lo stays here.
  if (has(".conf.lo.") && name.ends_with("forwarding")) return true;
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
    mutant.unless_changed = {
        fmt::format(R"sh([ "$(sysctl -n {})" = {} ])sh", sysctl.name, shell_quoted(sysctl.value))};
    mutant.commands = {fmt::format("sysctl -qw {}={}", sysctl.name, shell_quoted(sysctl.fresh))};
    into.add("reset", std::move(mutant));
  }
}

}  // namespace plumbline::engine::mutation
