#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/hop.hpp"
#include "harness/proof/diagnosis/packet_size.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"
#include "harness/proof/diagnosis/routing.hpp"

namespace plumbline::proof {
namespace {

using network::Endpoint;
using traffic::Direction;

/// A link takes frames of a VLAN tag more than its MTU from its other end.
constexpr std::size_t kTag = 4;

/// A packet that may not be fragmented, where it was last seen.
struct Large {
  const Sighting* last = nullptr;
  std::size_t bytes = 0;
};

std::optional<Large> last_large(const Journey& journey) {
  Large found;
  for (const Leg leg : {Leg::forward, Leg::reply}) {
    for (const Sighting& sighting : journey.sightings) {
      if (sighting.leg == leg && sighting.packet.ip) found.last = &sighting;
    }
  }
  if (found.last == nullptr) return std::nullopt;
  const traffic::IpHeader& ip = *found.last->packet.ip;
  if (ip.source.is_v4() && !ip.dont_fragment) return std::nullopt;
  found.bytes = ip.total_length;
  return found;
}

std::string kind_of(IpFamily family) {
  return family == IpFamily::v4 ? "\"fragmentation needed\"" : "\"packet too big\"";
}

/// Lets the error through ahead of the rule that stopped it.
std::string accept_errors(const Stopper& stopped, IpFamily family) {
  const RuleMet& rule = *stopped.rule;
  const bool v4 = family == IpFamily::v4;
  const bool legacy = rule.backend == RuleMet::Backend::iptables_legacy;
  static constexpr std::array<std::string_view, 5> kBuiltIn{"INPUT", "FORWARD", "OUTPUT", "PREROUTING",
                                                            "POSTROUTING"};
  const bool iptables = legacy || (std::ranges::count(kBuiltIn, rule.chain) != 0 &&
                                   (rule.family == "ip" || rule.family == "ip6"));
  if (iptables) {
    return fmt::format("{}tables{} -t {} -I {} -p {} -j ACCEPT", v4 ? "ip" : "ip6", legacy ? "-legacy" : "",
                       rule.table, rule.chain,
                       v4 ? "icmp --icmp-type fragmentation-needed" : "icmpv6 --icmpv6-type packet-too-big");
  }
  return fmt::format(
      "nft insert rule {} {} {} {} accept", rule.family, rule.table, rule.chain,
      v4 ? "icmp type destination-unreachable icmp code frag-needed" : "icmpv6 type packet-too-big");
}

bool drops_errors(std::string_view rule, IpFamily family) {
  const auto has = [&](std::string_view word) { return rule.find(word) != std::string_view::npos; };
  if (!has("drop") && !has("DROP")) return false;
  if (has("l4proto icmp") || has("protocol icmp") || has("nexthdr ipv6-icmp") || has("l4proto ipv6-icmp"))
    return true;
  return family == IpFamily::v4 ? has("destination-unreachable") || has("frag-needed") ||
                                      has("fragmentation-needed") || has("-p icmp")
                                : has("packet-too-big") || has("-p ipv6-icmp") || has("-p icmpv6");
}

/// A rule where the error was last seen that would drop it, for kernels that do not report on errors.
struct Suspect {
  std::string place;  ///< "rule of host's inet hole forward (handle 3): …"
  std::string remedy;
};
std::optional<Suspect> suspect(const Case& question, Facts& facts, const std::string& node) {
  for (const Chain& chain : facts.chains(node)) {
    if (chain.type != "filter" || !chain.hook) continue;
    const bool other = chain.family == (question.to.is_v4() ? "ip6" : "ip");
    const auto found = std::ranges::find_if(
        chain.rules, [&](const Chain::Rule& rule) { return drops_errors(rule.text, question.family()); });
    if (other || found == chain.rules.end()) continue;
    Passage passage;
    passage.node = node;
    RuleMet rule;
    rule.backend = chain.backend;
    rule.family = chain.family;
    rule.table = chain.table;
    rule.chain = chain.name;
    rule.number = found->number;
    rule.text = found->text;
    return Suspect{rule_text(passage, rule),
                   on(node, question, accept_errors(Stopper{&passage, &rule}, question.family()))};
  }
  return std::nullopt;
}

const Drop* error_dropped(const KernelPath& kernel) {
  const auto found = std::ranges::find(kernel.drops, Leg::error, &Drop::leg);
  return found == kernel.drops.end() ? nullptr : &*found;
}

/// The error was made, and did not come to who had to hear it.
std::optional<Finding> error_lost(const Case& question, Facts& facts, const Large& large) {
  const auto error = too_big(question.journey);
  Stopper stopped = stopper(question.kernel, Leg::error);
  if (!error && !stopped) return std::nullopt;
  const bool heard = error && error->reached != nullptr && !stopped;
  if (heard) return std::nullopt;
  Finding finding;
  const std::string maker = error ? error->made_by : stopped.passage->node;
  if (stopped) {
    finding.certainty = Certainty::proven;
    finding.summary =
        fmt::format("Large packets vanish: {} drops the ICMP error {} that would tell the sender.",
                    stopped.passage->node, kind_of(question.family()));
    finding.evidence.push_back("dropped by the " + rule_text(*stopped.passage, *stopped.rule));
    finding.fix = {on(stopped.passage->node, question, accept_errors(stopped, question.family()))};
  } else {
    finding.summary =
        fmt::format("Large packets vanish: {}'s ICMP error {} came as far as {} and no further.", maker,
                    kind_of(question.family()), place(*error->last));
  }
  if (const Drop* drop = error_dropped(question.kernel)) {
    finding.certainty = Certainty::proven;
    finding.evidence.push_back(fmt::format("the kernel of {} dropped it: {}", drop->node, drop->reason));
  }
  if (const auto rule = stopped ? std::nullopt : suspect(question, facts, error->last->node)) {
    finding.evidence.push_back("such errors are dropped by the " + rule->place);
    finding.fix = {rule->remedy};
  }
  if (error) {
    finding.evidence.push_back(fmt::format("{} said at {} that at most {} bytes pass; the packet is of {}",
                                           error->made_by, place(*error->first), error->mtu, large.bytes));
  }
  return finding;
}

/// A router that cannot send it on, and says nothing.
std::optional<Finding> router_is_silent(const Case& question, Facts& facts, const Large& large) {
  const auto packet = stranded(question, facts);
  if (!packet || packet->came != large.last) return std::nullopt;
  const std::string dev = route_of(facts, *packet).dev;
  const auto link = facts.link(packet->node, dev);
  if (!link || !link->up || link->mtu == 0 || link->mtu >= large.bytes) return std::nullopt;
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format(
      "Large packets vanish: {}:{} has an MTU of {}, the packet is of {} bytes, and {} did not say so.",
      packet->node, dev, link->mtu, large.bytes, packet->node);
  finding.evidence = {fmt::format("{} bytes came in by {}, not to be fragmented, and went no further",
                                  large.bytes, place(*large.last)),
                      fmt::format("the MTU of {}:{} is {}", packet->node, dev, link->mtu),
                      fmt::format("no ICMP error {} was seen", kind_of(question.family()))};
  finding.fix = raise_mtu(question, facts, {packet->node, dev}, large.bytes);
  return finding;
}

/// The end of a cable, or a bridge's port, that takes no frame so large: nobody there speaks IP.
std::optional<Endpoint> narrow_end(Facts& facts, const Large& large) {
  const network::Node* node = facts.topology().find(large.last->node);
  const network::Interface* at = node == nullptr ? nullptr : node->find_interface(large.last->interface);
  if (at == nullptr) return std::nullopt;
  const auto narrow = [&](const Endpoint& end) {
    const auto link = facts.link(end.node, end.interface);
    return link && link->up && link->mtu != 0 && link->mtu + kTag < large.bytes;
  };
  if (large.last->packet.direction == Direction::out && at->kind == network::LinkKind::bridge) {
    // The host's own, on its way out by one of the bridge's ports.
    for (const Way& way : segment(facts, {node->name, at->name})) {
      const auto ends = holders(facts, large.last->packet.ip->destination);
      if (std::ranges::count(ends, way.end()) == 0) continue;
      for (const Endpoint& end : way.over) {
        if (end.interface != at->name && narrow(end)) return end;
      }
    }
    return std::nullopt;
  }
  if (large.last->packet.direction == Direction::out) {
    return at->peer && narrow(*at->peer) ? at->peer : std::nullopt;
  }
  if (at->master.empty()) return std::nullopt;
  std::optional<Endpoint> only;
  for (const network::Interface& port : node->interfaces) {
    if (port.master != at->master || port.name == at->name || !narrow({node->name, port.name})) continue;
    if (only) return std::nullopt;
    only = Endpoint{node->name, port.name};
  }
  return only;
}

/// What a bridge passes on is for another on its segment: the node itself does not route it.
bool is_bridged(Facts& facts, const Large& large) {
  if (large.last->packet.direction == Direction::out) return true;
  const network::Node* node = facts.node(large.last->node);
  if (node == nullptr) return false;
  const bool routes = is_connected(*node, large.last->packet.ip->destination.family());
  const Endpoint end{node->name, large.last->interface};
  return !routes || holder_on_link(facts, end, large.last->packet.ip->destination).has_value();
}

std::optional<Finding> link_is_narrow(const Case& question, Facts& facts, const Large& large) {
  const auto end = is_bridged(facts, large) ? narrow_end(facts, large) : std::nullopt;
  if (!end) return std::nullopt;
  const auto mtu = facts.link(end->node, end->interface)->mtu;
  Finding finding;
  finding.certainty = Certainty::likely;
  finding.summary = fmt::format(
      "Large packets vanish at {}:{}, whose MTU is {}, smaller than that of the link's other "
      "side; the packet is of {} bytes.",
      end->node, end->interface, mtu, large.bytes);
  finding.evidence = {
      fmt::format("{} bytes were last seen at {}", large.bytes, place(*large.last)),
      fmt::format("the MTU of {}:{} is {}; what is larger is dropped there without an ICMP error", end->node,
                  end->interface, mtu)};
  finding.fix = raise_mtu(question, facts, *end, large.bytes);
  return finding;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  using Status = traffic::ProbeOutcome::Status;
  const Status status = question.outcome.status;
  // A cable that lost it tells its sender so, and nobody else.
  const bool lost = status == Status::local_error && question.outcome.error_number == ENOBUFS;
  if (status != Status::timeout && status != Status::no_answer && !lost) return std::nullopt;
  const auto large = last_large(question.journey);
  if (!large || stopper(question.kernel)) return std::nullopt;
  if (auto finding = error_lost(question, facts, *large)) return finding;
  if (auto finding = router_is_silent(question, facts, *large)) return finding;
  return link_is_narrow(question, facts, *large);
}

}  // namespace

CauseKind pmtu_black_hole_cause() {
  return {
      "pmtu-black-hole",
      "Large packets vanish without an error: the path is smaller than the sender believes.",
      "A packet that must not be fragmented and does not fit is answered by the router with an ICMP error, "
      "by "
      "which the sender learns the path's MTU (PMTU discovery). Where a firewall drops all ICMP, that word "
      "is "
      "lost: handshakes and small requests work, and the connection hangs with the first full packet. It is "
      "the same where no router is to speak at all: two ends of one cable or the ports of one bridge with "
      "different MTUs drop what is too large in silence, as when a VXLAN, a bridge or one veth's end was "
      "given "
      "1450 and the container still has 1500.",
      "The probe timed out, and its packet, not to be fragmented, is larger than the link where it was last "
      "seen would pass; and a rule was met that drops \"fragmentation needed\" or \"packet too big\", or "
      "that "
      "error was not seen at whom it is for, or not at all. With `size:` a `reach` sends such packets.",
      "Look with `tracepath ADDRESS`, or `ping -M do -s 1472 ADDRESS` against a smaller size. Let the errors "
      "pass, whatever else of ICMP is dropped:\n"
      "```\nnft insert rule inet filter forward icmp type destination-unreachable accept\n"
      "nft insert rule inet filter forward icmpv6 type packet-too-big accept\n```\n"
      "Give all interfaces of one link the same MTU. For TCP alone, a clamp helps where the error cannot be "
      "had: `nft add rule inet filter forward tcp flags syn tcp option maxseg size set rt mtu`.",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of({reasons::links(), reasons::frames(), reasons::steering(), {"forwarding-disabled"}})};
}

}  // namespace plumbline::proof
