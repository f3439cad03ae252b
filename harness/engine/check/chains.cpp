#include "harness/engine/check/chains.hpp"

#include <optional>
#include <utility>

#include "harness/kernel/nftables/listing.hpp"
#include "harness/kernel/nftables/names.hpp"
#include "harness/kernel/nftables/trace.hpp"

namespace plumbline::engine {
namespace {

using proof::Chain;
using proof::Hook;

std::optional<Hook> hook_named(std::string_view name) {
  for (const Hook hook : {Hook::prerouting, Hook::input, Hook::forward, Hook::output, Hook::postrouting}) {
    if (kernel::nft::to_string(hook) == name) return hook;
  }
  return std::nullopt;
}

/// iptables' built-in chains are named after their hooks.
std::optional<Hook> built_in_hook(std::string_view chain) {
  if (chain == "PREROUTING") return Hook::prerouting;
  if (chain == "INPUT") return Hook::input;
  if (chain == "FORWARD") return Hook::forward;
  if (chain == "OUTPUT") return Hook::output;
  if (chain == "POSTROUTING") return Hook::postrouting;
  return std::nullopt;
}

}  // namespace

void add_nft_listing(std::vector<Chain>& chains, std::string_view listing) {
  for (kernel::nft::TextChain& text : kernel::nft::parse_chains(listing)) {
    if (kernel::nft::Trace::is_own(text.family, text.table)) continue;
    Chain& chain = chains.emplace_back();
    chain.family = std::move(text.family);
    chain.table = std::move(text.table);
    chain.name = std::move(text.name);
    chain.type = std::move(text.type);
    if (chain.family != "netdev") chain.hook = hook_named(text.hook);
    chain.priority = std::move(text.priority);
    chain.policy = std::move(text.policy);
    chain.devices = std::move(text.devices);
    for (kernel::nft::TextRule& rule : text.rules) {
      chain.rules.push_back({rule.handle, std::move(rule.text), std::move(rule.comment), rule.packets});
    }
  }
}

void add_legacy_table(std::vector<Chain>& chains, IpFamily family, const std::string& name,
                      const kernel::iptables::Table& table) {
  for (const auto& [chain_name, held] : table) {
    Chain& chain = chains.emplace_back();
    chain.backend = proof::RuleMet::Backend::iptables_legacy;
    chain.family = family == IpFamily::v4 ? "ip" : "ip6";
    chain.table = name;
    chain.name = chain_name;
    chain.policy = held.policy;
    if (!held.policy.empty()) {
      chain.hook = built_in_hook(chain_name);
      chain.type = name == "nat" ? "nat" : "filter";
      chain.priority = name;
    }
    for (std::size_t i = 0; i < held.rules.size(); ++i) {
      chain.rules.push_back({i + 1, held.rules[i].text, {}, std::nullopt});
    }
  }
}

}  // namespace plumbline::engine
