#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>

#include "harness/kernel/nftables/names.hpp"
#include "harness/proof/diagnosis/firewall.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof::firewall {
namespace {

enum class Dialect : std::uint8_t { nft, iptables_nft, iptables_legacy };

/// iptables-nft's tables have its names, and base chains in capitals.
Dialect dialect_of(Facts& facts, const RulePlace& place) {
  if (place.backend == RuleMet::Backend::iptables_legacy) return Dialect::iptables_legacy;
  if (place.family != "ip" && place.family != "ip6") return Dialect::nft;
  const bool capitals = std::ranges::any_of(facts.chains(place.node), [&](const Chain& chain) {
    const bool same = chain.family == place.family && chain.table == place.table;
    return same && chain.hook &&
           (chain.name == "FORWARD" || chain.name == "INPUT" || chain.name == "OUTPUT" ||
            chain.name == "PREROUTING" || chain.name == "POSTROUTING");
  });
  return capitals ? Dialect::iptables_nft : Dialect::nft;
}

std::string iptables(Dialect dialect, const RulePlace& place) {
  return fmt::format("{}-{}{}", place.family == "ip6" ? "ip6tables" : "iptables",
                     dialect == Dialect::iptables_nft ? "nft" : "legacy",
                     place.table == "filter" ? "" : " -t " + place.table);
}

std::string_view protocol_name(std::uint16_t protocol) {
  switch (protocol) {
    case IPPROTO_TCP:
      return "tcp";
    case IPPROTO_UDP:
      return "udp";
    case IPPROTO_ICMP:
      return "icmp";
    default:
      return "ipv6-icmp";
  }
}

std::string iptables_words(const Wanted& wanted) {
  std::string words;
  const auto add = [&](const std::string& option, const std::string& value) {
    words += fmt::format(" {} {}", option, value);
  };
  if (!wanted.iif.empty()) add("-i", wanted.iif);
  if (!wanted.oif.empty()) add("-o", wanted.oif);
  if (wanted.source) add("-s", wanted.source->to_string());
  if (wanted.destination) add("-d", wanted.destination->to_string());
  if (wanted.established) words += " -m conntrack --ctstate ESTABLISHED,RELATED";
  if (wanted.protocol) {
    add("-p", std::string(protocol_name(*wanted.protocol)));
    if (wanted.destination_port)
      add("--dport", std::to_string(*wanted.destination_port));
    else if (wanted.source_port)
      add("--sport", std::to_string(*wanted.source_port));
  }
  std::string target = wanted.verdict;
  for (char& c : target) c = static_cast<char>(c - 'a' + 'A');
  return words + " -j " + target;
}

/// From 1; 1 where it is there no more.
std::size_t position(Facts& facts, const RulePlace& place) {
  const Chain* chain = chain_of(facts, place);
  if (chain == nullptr) return 1;
  const auto found = std::ranges::find(chain->rules, place.number, &Chain::Rule::number);
  return found == chain->rules.end() ? 1 : static_cast<std::size_t>(found - chain->rules.begin()) + 1;
}

std::string nft_chain(const RulePlace& place) {
  return fmt::format("{} {} {}", place.family, place.table, place.chain);
}

Hook opposite(Hook hook) {
  return hook == Hook::input ? Hook::output : hook == Hook::output ? Hook::input : hook;
}

/// The packet's answer where it comes back to the node.
RulePacket answer_to(const RulePacket& packet) {
  RulePacket answer = packet;
  std::swap(answer.source, answer.destination);
  std::swap(answer.iif, answer.oif);
  std::swap(answer.source_port, answer.destination_port);
  answer.state = "established";
  return answer;
}

/// Whether rules at the place know which packets belong to a connection: a bridge's need not, and those
/// before conntrack's own hook cannot.
bool knows_connections(Facts& facts, const RulePlace& place, Hook hook) {
  constexpr int kConntrack = -200;
  if (place.family == "bridge" || place.family == "netdev") return false;
  if (hook != Hook::prerouting && hook != Hook::output) return true;
  const auto& chains = facts.chains(place.node);
  return std::ranges::none_of(chains, [&](const Chain& chain) {
    return chain.backend == place.backend && chain.family == place.family && chain.table == place.table &&
           chain.hook == hook && priority_of(chain) <= kConntrack;
  });
}

/// What lets an answer pass. By its connection, if `known`: by its port, whoever sends from that one would
/// come to any.
Wanted accepting(const RulePacket& packet, bool known) {
  Wanted wanted;
  if (known) {
    wanted.established = true;
  } else {
    wanted = like(packet);
    wanted.source = packet.source;
  }
  return wanted;
}

/// Accepts the packet of the stop's at `place`, of the same hook.
std::string accept_at(Facts& facts, const RulePlace& place, const Stop& stop) {
  const bool known = !stop.half && knows_connections(facts, place, stop.hook);
  return insert_command(facts, place,
                        stop.leg == Leg::forward ? like(stop.packet) : accepting(stop.packet, known));
}

/// The base chains at `hook` that see what the stop's chain sees.
std::vector<const Chain*> chains_beside(Facts& facts, const Stop& stop, Hook hook) {
  if (!stop.at_bridge())
    return base_chains(facts, stop.place.node, hook, stop.packet.source.family(), "filter");
  std::vector<const Chain*> chains;
  for (const Chain& chain : facts.chains(stop.place.node)) {
    if (chain.family == stop.place.family && chain.hook == hook) chains.push_back(&chain);
  }
  return chains;
}

}  // namespace

std::string nft_rule(const Wanted& wanted) {
  std::string words;
  const auto add = [&](const std::string& word) { words += word + " "; };
  const auto ip = [](const IpAddress& address) { return address.is_v4() ? "ip" : "ip6"; };
  if (!wanted.iif.empty()) add("iifname " + wanted.iif);
  if (!wanted.oif.empty()) add("oifname " + wanted.oif);
  if (wanted.source) add(fmt::format("{} saddr {}", ip(*wanted.source), wanted.source->to_string()));
  if (wanted.destination)
    add(fmt::format("{} daddr {}", ip(*wanted.destination), wanted.destination->to_string()));
  if (wanted.established) add("ct state established,related");
  if (wanted.protocol) {
    const std::string_view name = protocol_name(*wanted.protocol);
    if (wanted.destination_port)
      add(fmt::format("{} dport {}", name, *wanted.destination_port));
    else if (wanted.source_port)
      add(fmt::format("{} sport {}", name, *wanted.source_port));
    else
      add(fmt::format("meta l4proto {}", name));
  }
  return words + wanted.verdict;
}

std::vector<std::string> typed_on(const std::string& node, const Case& question,
                                  std::vector<std::string> commands) {
  if (node == question.host) return commands;
  for (std::string& command : commands) command = proof::typed_on(node, command);
  return commands;
}

std::string hook_name(Hook hook) {
  return kernel::nft::to_string(hook);
}

Wanted like(const RulePacket& packet) {
  Wanted wanted;
  wanted.iif = packet.iif;
  wanted.oif = packet.oif;
  wanted.destination = packet.destination;
  wanted.protocol = packet.protocol;
  wanted.source_port = packet.source_port;
  wanted.destination_port = packet.destination_port;
  return wanted;
}

std::string insert_command(Facts& facts, const RulePlace& place, const Wanted& wanted) {
  const Dialect dialect = dialect_of(facts, place);
  if (dialect == Dialect::nft) {
    if (place.policy) return fmt::format("nft add rule {} {}", nft_chain(place), nft_rule(wanted));
    return fmt::format("nft insert rule {} handle {} {}", nft_chain(place), place.number, nft_rule(wanted));
  }
  const std::string tool = iptables(dialect, place);
  if (place.policy) return fmt::format("{} -A {}{}", tool, place.chain, iptables_words(wanted));
  return fmt::format("{} -I {} {}{}", tool, place.chain, position(facts, place), iptables_words(wanted));
}

std::string head_command(Facts& facts, const RulePlace& place, const Wanted& wanted) {
  const Dialect dialect = dialect_of(facts, place);
  if (dialect == Dialect::nft)
    return fmt::format("nft insert rule {} {}", nft_chain(place), nft_rule(wanted));
  return fmt::format("{} -I {}{}", iptables(dialect, place), place.chain, iptables_words(wanted));
}

std::string delete_command(Facts& facts, const RulePlace& place) {
  const Dialect dialect = dialect_of(facts, place);
  if (dialect == Dialect::nft)
    return fmt::format("nft delete rule {} handle {}", nft_chain(place), place.number);
  return fmt::format("{} -D {} {}", iptables(dialect, place), place.chain, position(facts, place));
}

namespace {

/// The question and its answer, at each hook of the node that stops one of them.
std::vector<std::string> accept_discovery(Facts& facts, const Stop& stop) {
  std::vector<std::string> commands;
  Wanted wanted;
  wanted.protocol = stop.packet.protocol;
  RulePacket answer = stop.packet;
  std::swap(answer.source, answer.destination);
  std::swap(answer.iif, answer.oif);
  const auto accept = [&](Hook hook, const RulePacket& packet) {
    for (const Chain* chain : chains_beside(facts, stop, hook)) {
      const Decision decision = decide(facts.chains(stop.place.node), *chain, packet);
      if (!decision.stops()) continue;
      const RulePlace place = place_of(stop.place.node, decision);
      std::string command = packet.arp
                                ? fmt::format("nft insert rule {} ether type arp accept", nft_chain(place))
                                : head_command(facts, place, wanted);
      if (std::ranges::count(commands, command) == 0) commands.push_back(std::move(command));
    }
  };
  accept(stop.hook, stop.packet);
  accept(opposite(stop.hook), answer);
  return commands;
}

}  // namespace

std::vector<std::string> accept_commands(Facts& facts, const Stop& stop) {
  if (stop.leg == Leg::neighbour) return accept_discovery(facts, stop);
  const std::string& node = stop.place.node;
  std::vector<std::string> commands{accept_at(facts, stop.place, stop)};
  const auto& chains = facts.chains(node);
  for (const Chain* chain : chains_beside(facts, stop, stop.hook)) {
    const Decision decision = decide(chains, *chain, stop.packet);
    const bool same = chain->backend == stop.place.backend && chain->family == stop.place.family &&
                      chain->table == stop.place.table;
    if (!same && decision.stops()) {
      commands.push_back(accept_at(facts, place_of(node, decision), stop));
    }
  }
  if (stop.leg != Leg::forward) return commands;
  const RulePacket back = answer_to(stop.packet);
  const Hook hook = opposite(stop.hook);
  for (const Chain* chain : chains_beside(facts, stop, hook)) {
    const Decision decision = decide(chains, *chain, back);
    if (stop.at_bridge()) {  // which may know of no connections
      // Of what nothing was foreseen for on its way there, nothing is foreseen for the answer.
      const bool as_there = stop.place.policy && chain == chain_of(facts, stop.place) && !decision.certain();
      if (!as_there && !decision.stops()) continue;
      const RulePlace place = as_there ? stop.place : place_of(node, decision);
      commands.push_back(
          insert_command(facts, place, accepting(back, knows_connections(facts, place, hook))));
      continue;
    }
    if (!decision.stops()) continue;
    Wanted replies;
    replies.established = true;
    RulePlace head = place_of(node, decision);
    head.chain = chain->name;
    commands.push_back(head_command(facts, head, replies));
  }
  return commands;
}

}  // namespace plumbline::proof::firewall
