#include "harness/network/setup/native_rules.hpp"

#include <fmt/format.h>

namespace plumbline::network {
namespace {

namespace nft = kernel::nft;

constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::int32_t kSourceNatPriority = 100;  // NF_IP_PRI_NAT_SRC

nft::Rule rule(std::vector<nft::Match> matches, nft::Verdict verdict, std::string comment) {
  nft::Rule made;
  made.matches = std::move(matches);
  made.verdict = verdict;
  made.comment = std::move(comment);
  return made;
}

void add_exception(const std::string& bridge, const NativeSetup::Exception& exception,
                   std::vector<nft::Rule>& rules) {
  const nft::InputInterface from{bridge};
  const nft::Destination to{exception.to};
  const std::string target = exception.to.to_string();
  if (exception.ports.empty()) rules.push_back(rule({from, to}, nft::Accept{}, "exception: " + target));
  for (const auto& port : exception.ports) {
    rules.push_back(rule({from, to, nft::Protocol{port.tcp ? kTcp : kUdp}, nft::DestinationPort{port.number}},
                         nft::Accept{},
                         fmt::format("exception: {} {}/{}", target, port.tcp ? "tcp" : "udp", port.number)));
  }
}

void add_denials(const std::string& bridge, const NativeSetup::Forward& forward,
                 std::vector<nft::Rule>& rules) {
  for (const Prefix& prefix : forward.deny) {
    nft::Verdict verdict = nft::Reject{};
    if (forward.drop) verdict = nft::Drop{};
    rules.push_back(rule({nft::InputInterface{bridge}, nft::Destination{prefix}}, verdict,
                         "containers stay out of " + prefix.to_string()));
  }
}

nft::Chain forward_chain(const NativeSetup& setup) {
  const NativeSetup::Forward& forward = *setup.forward;
  nft::Chain chain;
  chain.name = "forward";
  chain.base = nft::BaseChain{nft::ChainType::filter, nft::Hook::forward, 0, nft::Policy::drop};
  std::vector<nft::Rule>& rules = chain.rules;
  if (!forward.log.empty()) rules.push_back(rule({}, nft::Log{forward.log}, "whatever is forwarded"));
  nft::ConntrackState known;
  known.established = true;
  known.related = true;
  nft::ConntrackState invalid;
  invalid.invalid = true;
  rules.push_back(rule({known}, nft::Accept{}, "replies to what was let through"));
  rules.push_back(rule({invalid}, nft::Drop{}, "belongs to no connection"));
  for (const NativeSetup::Bridge& bridge : setup.bridges) {
    // br_netfilter sends frames between two ports of one bridge through this chain too
    // (net.bridge.bridge-nf-call-iptables is 1 by default), so its policy would part containers of the same
    // bridge.
    rules.push_back(rule({nft::InputInterface{bridge.name}, nft::OutputInterface{bridge.name}}, nft::Accept{},
                         fmt::format("containers of {} to each other", bridge.name)));
  }
  for (const NativeSetup::Bridge& bridge : setup.bridges) {
    for (const NativeSetup::Exception& exception : forward.except)
      add_exception(bridge.name, exception, rules);
    add_denials(bridge.name, forward, rules);
    for (const std::string& uplink : forward.allow) {
      rules.push_back(rule({nft::InputInterface{bridge.name}, nft::OutputInterface{uplink}}, nft::Accept{},
                           fmt::format("{} may leave by {}", bridge.name, uplink)));
    }
  }
  return chain;
}

nft::Chain masquerade_chain(const NativeSetup& setup) {
  nft::Chain chain;
  chain.name = "postrouting";
  chain.base =
      nft::BaseChain{nft::ChainType::nat, nft::Hook::postrouting, kSourceNatPriority, nft::Policy::accept};
  for (const NativeSetup::Bridge& bridge : setup.bridges) {
    for (const InterfaceAddress& address : bridge.addresses) {
      for (const std::string& uplink : setup.masquerade_for(address.address.family())) {
        chain.rules.push_back(
            rule({nft::Source{address.network()}, nft::OutputInterface{uplink}}, nft::Masquerade{},
                 fmt::format("{} leaves by {} with the host's address", bridge.name, uplink)));
      }
    }
  }
  return chain;
}

}  // namespace

kernel::nft::Ruleset native_rules(const NativeSetup& setup) {
  nft::Ruleset ruleset;
  if (setup.forward) ruleset.tables.push_back({nft::Family::inet, "filter", {forward_chain(setup)}});
  nft::Chain nat = masquerade_chain(setup);
  if (!nat.rules.empty()) ruleset.tables.push_back({nft::Family::inet, "nat", {std::move(nat)}});
  return ruleset;
}

}  // namespace plumbline::network
