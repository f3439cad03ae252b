#include "harness/proof/diagnosis/publishing.hpp"

#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof::firewall {
namespace {

std::optional<std::uint16_t> port_in(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (problem != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return port;
}

/// The word behind `word`, which stands alone; empty: it is not there.
std::string_view behind(std::string_view text, std::string_view word) {
  const std::size_t at = text.find(word);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = text.substr(at + word.size());
  return rest.substr(0, rest.find(' '));
}

bool leads_to(const Lead& lead, Facts& facts, const std::string& server) {
  const network::Node* node = facts.node(server);
  if (node == nullptr || !lead.address) return false;
  const auto held = network::known_addresses(*node, lead.address->family());
  return std::ranges::find(held, *lead.address, &InterfaceAddress::address) != held.end();
}

/// Every readable rule of destination NAT of the node's.
struct Publication {
  const Chain* chain = nullptr;
  const Chain::Rule* rule = nullptr;
  RuleWords words;
  Lead lead;
};
std::vector<Publication> publications(Facts& facts, const std::string& node, IpFamily family) {
  std::vector<Publication> found;
  for (const Chain& chain : facts.chains(node)) {
    if (chain.family == (family == IpFamily::v4 ? "ip6" : "ip")) continue;
    for (const Chain::Rule& rule : chain.rules) {
      RuleWords words = read_rule(chain.backend, rule.text);
      if (words.translates_destination())
        found.push_back({&chain, &rule, std::move(words), lead_of(rule.text)});
    }
  }
  return found;
}

RulePlace place_of(const std::string& node, const Publication& known) {
  return firewall::place_of(node, Decision{known.chain, known.rule, known.words.verdict, {}, {}});
}

std::string names(const RuleWords::Names& allowed) {
  return allowed.ranges.size() == 1 && allowed.ranges.front().first == allowed.ranges.front().second
             ? allowed.ranges.front().first
             : std::string();
}

std::string network(const Allowed<IpAddress>& allowed) {
  if (allowed.ranges.size() != 1) return {};
  const auto& [first, last] = allowed.ranges.front();
  return first == last ? first.to_string() : fmt::format("{} to {}", first.to_string(), last.to_string());
}

bool is_loopback(const Allowed<IpAddress>& allowed) {
  return !allowed.inverted && !allowed.ranges.empty() &&
         std::ranges::all_of(allowed.ranges, [](const auto& range) { return range.first.is_loopback(); });
}

std::string protocol_name(std::uint16_t protocol) {
  return protocol == IPPROTO_TCP ? "TCP" : protocol == IPPROTO_UDP ? "UDP" : fmt::format("{}", protocol);
}

/// All that keeps the rule from taking the packet, a phrase each; those that cannot be worded are empty.
std::vector<std::string> differences(const Publication& known, const RulePacket& packet) {
  const RuleWords& rule = known.words;
  std::vector<std::string> all;
  const auto differs = [&](const std::string& what, bool inverted, std::string_view phrase) {
    if (what.empty())
      all.emplace_back();
    else
      all.push_back(fmt::format("it takes {} {}{}", inverted ? "all but" : "only", phrase, what));
  };
  if (known.chain->hook == Hook::output) differs("what the node itself sends", false, "");
  if (rule.protocol && packet.protocol && !(*rule.protocol)(*packet.protocol))
    differs(rule.protocol->ranges.size() == 1 ? protocol_name(rule.protocol->ranges.front().first)
                                              : std::string(),
            rule.protocol->inverted, "");
  if (rule.destination && !(*rule.destination)(packet.destination))
    differs(network(*rule.destination), rule.destination->inverted, "what is for ");
  if (rule.source && !(*rule.source)(packet.source))
    differs(network(*rule.source), rule.source->inverted, "what comes from ");
  if (rule.iif && !(*rule.iif)(packet.iif))
    differs(names(*rule.iif), rule.iif->inverted, "what comes in by ");
  return all;
}

}  // namespace

Lead lead_of(std::string_view text) {
  std::string_view to = behind(text, "--to-destination ");
  if (to.empty() && (text.find("dnat ") != std::string_view::npos || text.starts_with("redirect ") ||
                     text.find(" redirect ") != std::string_view::npos)) {
    const std::size_t verb = std::min(text.find("dnat "), text.find("redirect "));
    to = behind(text.substr(verb), " to ");
  }
  Lead lead;
  if (to.empty()) return lead;
  lead.address = IpAddress::parse(to);
  if (lead.address) return lead;
  const std::size_t colon = to.rfind(':');
  if (colon == std::string_view::npos) return lead;
  std::string_view address = to.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  lead.address = IpAddress::parse(address);
  if (lead.address || address.empty()) lead.port = port_in(to.substr(colon + 1));
  lead.some_port = !lead.port;
  return lead;
}

std::vector<std::string> lead_commands(Facts& facts, const RulePlace& rule, const Lead& lead,
                                       const RulePacket& packet) {
  if (!lead.address || !lead.port || !packet.destination_port) return {};
  if (packet.protocol != IPPROTO_TCP && packet.protocol != IPPROTO_UDP) return {};
  const char* protocol = packet.protocol == IPPROTO_TCP ? "tcp" : "udp";
  const bool v4 = packet.destination.is_v4();
  const auto bases = base_chains(facts, rule.node, Hook::prerouting, packet.destination.family(), "nat");
  const Chain* own = chain_of(facts, rule);
  if (own == nullptr) return {};
  RulePlace place = rule;
  if (own->hook && own->hook != Hook::prerouting) {
    if (bases.empty()) return {};
    place.backend = bases.front()->backend;
    place.family = bases.front()->family;
    place.table = bases.front()->table;
    place.chain = bases.front()->name;
  }
  const std::string to =
      fmt::format(fmt::runtime(v4 ? "{}:{}" : "[{}]:{}"), lead.address->to_string(), *lead.port);
  // As the words of deleting a rule there, so those of making one.
  const std::string deletes = delete_command(facts, place);
  if (deletes.starts_with("nft ")) {
    return {fmt::format("nft insert rule {} {} {} {} daddr {} {} dport {} dnat {}to {}", place.family,
                        place.table, place.chain, v4 ? "ip" : "ip6", packet.destination.to_string(), protocol,
                        *packet.destination_port, place.family == "inet" ? (v4 ? "ip " : "ip6 ") : "", to)};
  }
  return {fmt::format("{} -I {} -d {} -p {} --dport {} -j DNAT --to-destination {}",
                      deletes.substr(0, deletes.find(" -D ")), place.chain, packet.destination.to_string(),
                      protocol, *packet.destination_port, to)};
}

bool is_engines(std::string_view chain) {
  constexpr std::array<std::string_view, 4> stems{"DOCKER", "NETAVARK", "CNI-", "KUBE-"};
  return std::ranges::any_of(stems, [&](std::string_view stem) { return chain.starts_with(stem); });
}

std::vector<std::string> look_commands(const RulePlace& rule, const std::string& server) {
  if (!server.empty() && rule.chain.starts_with("DOCKER")) return {"docker port " + server};
  if (!server.empty() && rule.chain.starts_with("NETAVARK")) return {"podman port " + server};
  if (rule.backend == RuleMet::Backend::iptables_legacy) {
    return {fmt::format("{}-legacy -t {} -S {}", rule.family == "ip6" ? "ip6tables" : "iptables", rule.table,
                        rule.chain)};
  }
  return {fmt::format("nft -a list chain {} {} {}", rule.family, rule.table, rule.chain)};
}

std::optional<NearMiss> near_miss(const Case& question, Facts& facts, const std::string& node,
                                  const std::string& server, const RulePacket& came) {
  std::optional<NearMiss> nearest;
  std::size_t least = 3;
  for (const Publication& known : publications(facts, node, question.family())) {
    const bool port = known.words.destination_port && (*known.words.destination_port)(question.port);
    if (!port || known.words.doubt || !leads_to(known.lead, facts, server)) continue;
    const auto differing = differences(known, came);
    if (differing.empty() || differing.size() >= least || std::ranges::count(differing, std::string()) != 0)
      continue;
    least = differing.size();
    nearest.emplace();
    nearest->rule = place_of(node, known);
    nearest->lead = known.lead;
    nearest->differs = fmt::format("{}", fmt::join(differing, ", and "));
    nearest->loopback = known.words.destination && is_loopback(*known.words.destination);
  }
  if (!nearest) return std::nullopt;
  if (is_engines(nearest->rule.chain))
    nearest->fix = look_commands(nearest->rule, server);
  else
    nearest->fix = lead_commands(facts, nearest->rule, nearest->lead, came);
  if (nearest->fix.empty()) nearest->fix = look_commands(nearest->rule, server);
  return nearest;
}

std::optional<RulePlace> leads_there(const Case& question, Facts& facts, const RulePlace& rule,
                                     const std::string& server) {
  RulePacket packet = packet_of(question, Leg::forward, question.outcome.identity.source, question.to);
  for (const Publication& known : publications(facts, rule.node, question.family())) {
    const RulePlace place = place_of(rule.node, known);
    const bool same = place.backend == rule.backend && place.family == rule.family &&
                      place.table == rule.table && place.chain == rule.chain && place.number == rule.number;
    if (same || !leads_to(known.lead, facts, server)) continue;
    if (matches_but_for_interfaces(known.words, packet) == Match::yes) return place;
  }
  return std::nullopt;
}

}  // namespace plumbline::proof::firewall
