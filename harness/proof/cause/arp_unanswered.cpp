#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/firewall.hpp"
#include "harness/proof/diagnosis/plugging.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"

namespace plumbline::proof {
namespace {

using kernel::netlink::NeighbourState;

bool is_without_arp(Facts& facts, const Endpoint& at) {
  const auto link = facts.link(at.node, at.interface);
  return link && !link->loopback && !link->arp;
}

int setting(Facts& facts, const Endpoint& at, std::string_view leaf) {
  int most = 0;
  for (const std::string& which : {std::string("all"), at.interface}) {
    const auto text = facts.sysctl(at.node, fmt::format("net/ipv4/conf/{}/{}", which, leaf));
    int value = 0;
    if (text) std::from_chars(text->data(), text->data() + text->size(), value);
    most = std::max(most, value);
  }
  return most;
}

/// What the holder's arp_ignore makes of a question for `address` from `asker`.
bool ignores(Facts& facts, const Endpoint& at, const IpAddress& address, const IpAddress& asker, int ignore) {
  const network::Interface* interface = interface_at(facts, at);
  if (interface == nullptr) return false;
  if (ignore == 8) return true;
  if (ignore < 1 || ignore > 2) return false;
  for (const InterfaceAddress& held : interface->addresses) {
    if (held.address == address && (ignore == 1 || held.network().contains(asker))) return false;
  }
  return true;
}

struct Reason {
  std::string summary, evidence;
  std::vector<std::string> fix;
};

std::optional<Reason> switched_off(Facts& facts, const Endpoint& at) {
  if (!is_without_arp(facts, at)) return std::nullopt;
  return Reason{fmt::format("ARP is switched off on {}", place(at)),
                fmt::format("{} has NOARP", place(at)),
                {typed_on(at.node, fmt::format("ip link set {} arp on", at.interface))}};
}

std::optional<Reason> ignored(Facts& facts, const Hop& hop, const Endpoint& at) {
  const int ignore = hop.next.is_v4() ? setting(facts, at, "arp_ignore") : 0;
  if (!ignores(facts, at, hop.next, hop.source, ignore)) return std::nullopt;
  Reason reason;
  reason.summary = fmt::format("{} ignores ARP for {} on {} (arp_ignore {})", at.node, hop.next.to_string(),
                               at.interface, ignore);
  reason.evidence = fmt::format("arp_ignore of {} is {}", place(at), ignore);
  reason.fix = {typed_on(
      at.node,
      fmt::format("sysctl -w net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.{}.arp_ignore=0", at.interface))};
  return reason;
}

/// IPv4 checks whose question it answers: one whose way back is by another interface is not heard.
std::optional<Reason> filtered_by_its_source(Facts& facts, const Hop& hop, const Endpoint& at) {
  if (!hop.next.is_v4() || setting(facts, at, "rp_filter") != 1) return std::nullopt;
  // As it would answer: rules may lead what it sends from that address elsewhere.
  RouteQuestion back;
  back.to = hop.source;
  back.from = hop.next;
  RouteAnswer route = facts.route(at.node, back);
  if (!route.found()) {
    back.from.reset();
    route = facts.route(at.node, back);
  }
  if (!route.found() || route.dev.empty() || route.dev == at.interface) return std::nullopt;
  const std::string source = hop.source.to_string();
  const bool other_table = route.table != network::kMainTable && route.table != 0;
  const std::string table = other_table ? fmt::format(" table {}", route.table) : std::string();
  Reason reason;
  reason.summary =
      fmt::format("{} does not hear {} on {}: its route back is by {}{}, and rp_filter is strict", at.node,
                  source, at.interface, route.dev, table);
  reason.evidence = fmt::format("rp_filter of {} is 1, and {} routes {} by {}{}", place(at), at.node, source,
                                route.dev, table);
  const network::Interface* interface = interface_at(facts, at);
  std::string to = source;
  for (const InterfaceAddress& held :
       other_table&& interface != nullptr ? interface->addresses : std::vector<InterfaceAddress>{}) {
    if (held.network().contains(hop.source)) to = held.network().to_string();
  }
  reason.fix = {typed_on(at.node, fmt::format("ip route replace {} dev {}{}", to, at.interface, table))};
  return reason;
}

/// By two isolated ports of one bridge.
bool is_kept_apart(Facts& facts, const std::vector<Endpoint>& way) {
  const auto isolated = [&](const Endpoint& at) {
    const auto link = facts.link(at.node, at.interface);
    return link && link->port && link->port->isolated;
  };
  for (std::size_t i = 2; i < way.size(); ++i) {
    if (isolated(way[i - 2]) && isolated(way[i])) return true;
  }
  return false;
}

/// Chains that see the question or its answer, and may drop them.
std::optional<std::string> filter_of(Facts& facts, const std::vector<Endpoint>& way) {
  for (const Endpoint& at : way) {
    for (const Chain& chain : facts.chains(at.node)) {
      const bool sees = chain.family == "arp" || chain.family == "bridge" || chain.family == "netdev";
      if (!sees || chain.type.empty()) continue;
      const bool drops = chain.policy == "drop" || std::ranges::any_of(chain.rules, [](const Chain::Rule& r) {
                           return r.text.find("drop") != std::string::npos;
                         });
      if (drops) {
        return fmt::format("{}'s {} {} {} filters what crosses it and drops", at.node, chain.family,
                           chain.table, chain.name);
      }
    }
  }
  return std::nullopt;
}

/// A rule of the holder's that drops neighbour discovery where it comes in; what else it asks is not judged.
std::optional<firewall::RulePlace> drops_discovery(Facts& facts, const Endpoint& at) {
  for (const Chain& chain : facts.chains(at.node)) {
    const bool sees = (chain.family == "ip6" || chain.family == "inet") &&
                      (chain.hook == Hook::prerouting || chain.hook == Hook::input);
    if (!sees) continue;
    for (const Chain::Rule& rule : chain.rules) {
      const auto words = firewall::read_rule(chain.backend, rule.text);
      const bool here = !words.iif || (*words.iif)(at.interface);
      if (words.stops() && here && rule.text.find("nd-neighbor-solicit") != std::string::npos)
        return firewall::place_of(at.node, firewall::Decision{&chain, &rule, words.verdict, {}, {}});
    }
  }
  return std::nullopt;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto hop = broken_hop(question, facts);
  if (!hop || hop->holders.empty()) return std::nullopt;
  const auto way = hop->way();
  const Endpoint& holder = way.back();
  if (fault(facts, way) || is_tentative(facts, holder, hop->next)) return std::nullopt;
  // The entry may be gone by now: the kernel's table is one for all namespaces, and thrown out when it is
  // full.
  const bool never_asked = !hop->neighbour || hop->neighbour->state == NeighbourState::noarp;
  auto reason = never_asked ? switched_off(facts, hop->out()) : std::nullopt;
  if (!reason && !hop->unanswered()) return std::nullopt;
  if (!reason && hop->next.is_v4()) reason = switched_off(facts, holder);
  if (!reason) reason = ignored(facts, *hop, holder);
  if (!reason) reason = filtered_by_its_source(facts, *hop, holder);
  Finding finding;
  finding.evidence = {neighbour_text(*hop),
                      fmt::format("{} holds {} or answers for it, and the way is up: {}", place(holder),
                                  hop->next.to_string(), way_text(way))};
  for (std::string& line : questions_seen(question, *hop)) finding.evidence.push_back(std::move(line));
  if (reason) {
    finding.certainty = Certainty::proven;
    finding.summary =
        fmt::format("{}, so that {} cannot reach {}.", reason->summary, hop->node, hop->next.to_string());
    finding.evidence.push_back(reason->evidence);
    finding.fix = reason->fix;
    return finding;
  }
  if (is_kept_apart(facts, way) || twins(facts, *hop)) return std::nullopt;
  const char* protocol = hop->next.is_v4() ? "ARP" : "neighbour discovery";
  const auto filter = filter_of(facts, way);
  finding.certainty = Certainty::likely;
  finding.summary = fmt::format("{} asks for {} by {}, and {} does not answer.", hop->node,
                                hop->next.to_string(), protocol, place(holder));
  if (filter) finding.evidence.push_back(*filter);
  finding.fix = {typed_on(holder.node, "nft list ruleset"), typed_on(holder.node, "arptables-save"),
                 typed_on(holder.node, fmt::format("tcpdump -ni {} 'arp or icmp6'", holder.interface))};
  if (const auto rule = hop->next.is_v4() ? std::nullopt : drops_discovery(facts, holder)) {
    finding.evidence.push_back(rule->to_string());
    finding.fix = {typed_on(
        holder.node, fmt::format("nft -a list chain {} {} {}", rule->family, rule->table, rule->chain))};
  }
  return finding;
}

}  // namespace

CauseKind arp_unanswered_cause() {
  return {
      "arp-unanswered",
      "The next hop is there, but is not asked or does not answer.",
      "IPv4 finds a neighbour by ARP, IPv6 by neighbour solicitation. An interface with `NOARP` neither asks "
      "nor answers; `arp_ignore` (set by load balancers such as LVS and kube-proxy in IPVS mode with "
      "`strictARP`) makes a host answer only for addresses of the very interface, or not at all; and rules "
      "of the bridge, arp and netdev families (ebtables, arptables, libvirt's no-arp-spoofing) may drop the "
      "question or the answer, which no rule of the ip family shows.",
      "The node's neighbour entry is `INCOMPLETE`, `FAILED` or `NOARP` while an interface on its segment "
      "holds the address and all between is up. Proven where `NOARP`, `arp_ignore` or a strict `rp_filter` "
      "with another way back says why. `tcpdump -ni "
      "DEV arp` on both ends shows the question and its answer.",
      "```\nip link set DEV arp on\nsysctl -w net.ipv4.conf.all.arp_ignore=0\n```\nor take the rule out that "
      "drops it: `nft list ruleset`, `ebtables -L`, `arptables -L`. The larger of `all` and the "
      "interface's own arp_ignore counts.",
      recognise,
      CauseKind::Depth::link,
      reasons::any_of(
          {reasons::links(), reasons::frames(), reasons::steering(), reasons::rules(), {"martian-source"}})};
}

}  // namespace plumbline::proof
