#include <netinet/in.h>

#include <algorithm>
#include <array>

#include "harness/proof/diagnosis/firewall.hpp"
#include "harness/proof/diagnosis/hop.hpp"

namespace plumbline::proof::firewall {
namespace {

/// To which a question for `address` goes: ff02::1:ffXX:XXXX.
IpAddress solicited(const IpAddress& address) {
  std::array<std::uint8_t, 16> bytes{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};
  const auto own = address.bytes();
  std::copy(own.begin() + 13, own.begin() + 16, bytes.begin() + 13);
  return IpAddress::v6(bytes);
}

/// As rules see it: conntrack never follows it.
RulePacket frame(const IpAddress& source, const IpAddress& destination) {
  RulePacket packet;
  packet.source = source;
  packet.destination = destination;
  packet.arp = source.is_v4();
  if (!packet.arp) packet.protocol = std::uint16_t{IPPROTO_ICMPV6};
  packet.state = "untracked";
  return packet;
}

/// The question for the next hop's hardware address, and the answer to it: on their way through the rules of
/// whoever is between the two.
class Discovery {
 public:
  Discovery(const Hop& hop, Facts& facts)
      : hop_(hop),
        facts_(facts),
        way_(hop.way()),
        question_(frame(hop.source, hop.next.is_v4() ? hop.next : solicited(hop.next))),
        answer_(frame(hop.next, hop.source)) {}

  std::optional<Stop> stop() {
    const Endpoint asker = hop_.out();
    const Endpoint& holder = way_.back();
    const bool v6 = !hop_.next.is_v4();  // of ARP IP's hooks see nothing
    std::optional<Stop> found;
    if (v6) found = by_ip(asker, Hook::output, question_);
    for (std::size_t i = 0; !found && i < way_.size(); ++i) {
      found = by_frames(i);
      if (!found && v6) found = by_bridged_packets(way_[i]);
    }
    if (!found && v6) found = by_ip(holder, Hook::input, question_);
    if (!found && v6) found = by_ip(holder, Hook::output, answer_);
    if (!found && v6) found = by_ip(asker, Hook::input, answer_);
    return found;
  }

 private:
  Stop stop_at(const std::string& node, Hook hook, const RulePacket& packet, const Decision& decision) {
    Stop stop;
    stop.place = place_of(node, decision);
    stop.leg = Leg::neighbour;
    stop.hook = hook;
    stop.packet = packet;
    return stop;
  }

  std::optional<Stop> by_ip(const Endpoint& where, Hook hook, RulePacket packet) {
    if (hook != Hook::output) packet.iif = where.interface;
    if (hook != Hook::input) packet.oif = where.interface;
    const auto decision = stopped_by_rules(facts_, where.node, hook, packet);
    return decision ? std::optional(stop_at(where.node, hook, packet, *decision)) : std::nullopt;
  }

  bool is_bridge(const Endpoint& at) {
    const network::Interface* interface = interface_at(facts_, at);
    return interface != nullptr && interface->kind == network::LinkKind::bridge;
  }

  /// A bridge between them, which shows its frames to the IP rules of its node as if they were routed.
  std::optional<Stop> by_bridged_packets(const Endpoint& between) {
    if (between.node == hop_.node || between.node == way_.back().node || !is_bridge(between))
      return std::nullopt;
    if (facts_.sysctl(between.node, "net/bridge/bridge-nf-call-ip6tables") != "1") return std::nullopt;
    if (auto found = by_ip(between, Hook::forward, question_)) return found;
    return by_ip(between, Hook::forward, answer_);
  }

  std::optional<Stop> by_chains(const std::string& node, Hook hook, RulePacket packet, const std::string& iif,
                                const std::string& oif) {
    packet.iif = iif;
    packet.oif = oif;
    const Decision decision = decide_frame(facts_, node, hook, packet);
    return decision.stops() ? std::optional(stop_at(node, hook, packet, decision)) : std::nullopt;
  }

  /// A bridge's own rules about frames, by its ports before and behind it on the way.
  std::optional<Stop> by_frames(std::size_t at) {
    const Endpoint& bridge = way_[at];
    if (!is_bridge(bridge)) return std::nullopt;
    const std::string& node = bridge.node;
    const std::string from = at == 0 ? std::string() : way_[at - 1].interface;
    const std::string to = at + 1 == way_.size() ? std::string() : way_[at + 1].interface;
    const Hook there = from.empty() ? Hook::output : to.empty() ? Hook::input : Hook::forward;
    const Hook back = from.empty() ? Hook::input : to.empty() ? Hook::output : Hook::forward;
    if (auto found = by_chains(node, there, question_, from, to)) return found;
    return by_chains(node, back, answer_, to, from);
  }

  const Hop& hop_;
  Facts& facts_;
  std::vector<Endpoint> way_;
  RulePacket question_, answer_;
};

}  // namespace

std::optional<Stop> stopped_discovery(const Case& question, Facts& facts) {
  const auto hop = broken_hop(question, facts);
  if (!hop || !hop->unanswered() || hop->holders.empty()) return std::nullopt;
  if (fault(facts, hop->way())) return std::nullopt;
  return Discovery(*hop, facts).stop();
}

}  // namespace plumbline::proof::firewall
