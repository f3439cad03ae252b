#include <fmt/format.h>

#include <algorithm>

#include "harness/base/text.hpp"
#include "harness/engine/inference/context.hpp"
#include "harness/proof/diagnosis/firewall.hpp"

// Ports that an engine publishes. They are tried from the host; what its rules do with a packet that comes in
// from outside is another matter, and told beside.
namespace plumbline::engine::detail {
namespace {

namespace firewall = proof::firewall;
using Verdict = firewall::RuleWords::Verdict;

constexpr int kDeepest = 16;  // jumps, as the kernel's own limit (NFT_JUMP_STACK_SIZE)

/// The rule of destination NAT below `chain` that may take the packet; empty: none does.
std::string leading(const std::vector<proof::Chain>& chains, const proof::Chain& chain,
                    const firewall::RulePacket& packet, std::string_view node, int depth = 0) {
  for (const proof::Chain::Rule& rule : chain.rules) {
    const firewall::RuleWords words = firewall::read_rule(chain.backend, rule.text);
    if (firewall::matches(words, packet) == firewall::Match::no) continue;
    if (words.translates_destination()) {
      firewall::Decision decision;
      decision.chain = &chain;
      decision.rule = &rule;
      return firewall::place_of(node, decision).to_string();
    }
    if ((words.verdict != Verdict::jump && words.verdict != Verdict::go_to) || depth >= kDeepest) continue;
    const auto next = std::ranges::find_if(chains, [&](const proof::Chain& each) {
      return each.backend == chain.backend && each.family == chain.family && each.table == chain.table &&
             each.name == words.target;
    });
    if (next == chains.end()) continue;
    std::string found = leading(chains, *next, packet, node, depth + 1);
    if (!found.empty()) return found;
  }
  return {};
}

/// The address of `node` that the host reaches by a segment, and that segment's interface.
const IpAddress* inner_address(const Context& context, const std::string& node, IpFamily family,
                               std::string& dev) {
  for (const Segment& segment : context.layout.segments) {
    for (const Member& member : segment.members) {
      if (member.node != node || member.address(family) == nullptr) continue;
      dev = segment.dev;
      return member.address(family);
    }
  }
  return nullptr;
}

/// What becomes of a connection to the port that comes in by the uplink, as far as rules tell.
std::string from_outside(const Context& context, const std::string& node, const network::PublishedPort& port,
                         const IpAddress& address) {
  constexpr std::uint16_t kTcp = 6;
  constexpr std::uint16_t kUdp = 17;
  if (address.is_loopback()) return "nobody else is led there";
  const auto uplink = default_uplink(context, address.family());
  if (!uplink || !uplink->gateway) return {};
  firewall::RulePacket packet = ping_packet(*uplink->gateway, address, uplink->dev, {});
  packet.protocol = port.tcp ? kTcp : kUdp;
  packet.destination_port = port.port;
  const std::string head = fmt::format("from outside, by {}: ", printable(uplink->dev));
  const RuleAnswer before = rules_at(context.facts, context.host.name, proof::Hook::prerouting, packet);
  if (before.stops()) return fmt::format("{}{} stops it", head, before.by);
  std::string lead;
  for (const proof::Chain* chain : firewall::base_chains(context.facts, context.host.name,
                                                         proof::Hook::prerouting, address.family(), "nat")) {
    if (lead.empty())
      lead = leading(context.facts.chains(context.host.name), *chain, packet, context.host.name);
  }
  if (lead.empty()) return head + "no rule leads it on, so that a proxy alone may";
  const IpAddress* inner = inner_address(context, node, address.family(), packet.oif);
  if (inner == nullptr) return {};
  packet.destination = *inner;
  packet.destination_port = port.inner;
  const RuleAnswer answer = rules_at(context.facts, context.host.name, proof::Hook::forward, packet);
  if (answer.stops()) return fmt::format("{}{} stops it", head, answer.by);
  if (answer.kind == RuleAnswer::Kind::unknown)
    return fmt::format("{}it cannot be told from {}", head, answer.by);
  return fmt::format("{}{} leads it on, and no rule stops it", head, lead);
}

}  // namespace

void promise_ports(const Context& context) {
  const auto uplink = default_uplink(context, IpFamily::v4);
  for (const network::FoundNode& node : context.view.nodes) {
    for (const network::PublishedPort& port : node.ports) {
      const char* protocol = port.tcp ? "tcp" : "udp";
      const auto address = port.address ? port.address : uplink ? uplink->address : std::nullopt;
      const std::string published = fmt::format(
          "{}:{}->{}/{}", port.address ? port.address->to_string() : "*", port.port, port.inner, protocol);
      if (!address) {
        context.remark("published ports",
                       fmt::format("{} publishes {}, but the host has no default route to take an address of",
                                   node.name, published));
        continue;
      }
      if (!context.fresh("port", address->to_string(), fmt::format("{}/{}", protocol, port.port))) continue;
      const std::string outside = from_outside(context, node.name, port, *address);
      context.promise(
          "published ports",
          fmt::format("{} publishes {}; as the host itself sees it{}", node.name, published,
                      outside.empty() ? "" : "; " + outside),
          fmt::format("published: {{from: {}, to: {}, with: {}/{}, at: {}, port: {}}}", context.host.name,
                      word(address->to_string()), protocol, port.port, word(node.name), port.inner));
    }
  }
}

}  // namespace plumbline::engine::detail
