#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/firewall.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {

using namespace firewall;

namespace {

using traffic::Direction;

/// A device of the guard's on which a macvlan lies that sent the probe, or took it in.
struct Device {
  std::string name;
  std::string above;      ///< "container-one:eth0 is a macvlan on host:ens4: what container-one sends"
  bool comes_in = false;  ///< else it only leaves there
};

std::optional<Device> device_below(const Case& question, Facts& facts, const Sighting& at, bool sent) {
  // As it was read back with all others: only so it is known whose device a macvlan lies on.
  const network::Node* node = facts.topology().find(at.node);
  const network::Interface* by = node == nullptr ? nullptr : node->find_interface(at.interface);
  if (by == nullptr || !by->lower || by->lower->node != question.guard) return std::nullopt;
  Device device;
  device.name = by->lower->interface;
  device.above = fmt::format("{}:{} is a {} on {}:{}: what {} {}", at.node, at.interface, by->kind_name,
                             question.guard, device.name, at.node, sent ? "sends" : "gets");
  // A macvlan's frames to another of the same device come in there again.
  device.comes_in = std::ranges::any_of(question.journey.sightings, [&](const Sighting& each) {
    return each.leg == Leg::forward && each.node == question.guard && each.interface == device.name &&
           each.packet.direction != Direction::out;
  });
  return device;
}

/// A device's own chain meets also what IP does not see.
std::vector<std::string> device_chain(const Device& device, const Case& question) {
  const std::string_view hook = device.comes_in ? "ingress" : "egress";
  const std::string chain = fmt::format("{}-{}", hook, device.name);
  Wanted deny = like(packet_of(question, Leg::forward, question.outcome.identity.source, question.to));
  deny.source = question.outcome.identity.source;
  deny.verdict = question.how == "reject" ? "reject" : "drop";
  return {
      "nft add table netdev guard",
      fmt::format("nft add chain netdev guard {} '{{ type filter hook {} device \"{}\" priority filter; }}'",
                  chain, hook, device.name),
      fmt::format("nft add rule netdev guard {} {}", chain, nft_rule(deny))};
}

Finding past_ip(const Device& device, const Case& question, const std::string& seen) {
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format("{} goes through {} and meets no rule of {}'s IP.", device.above, device.name,
                                question.guard);
  finding.evidence = {seen, fmt::format("{} took none of it in", question.guard)};
  if (device.comes_in || question.how != "reject") {
    finding.fix = typed_on(question.guard, question, device_chain(device, question));
    return finding;
  }
  finding.evidence.push_back(
      fmt::format("what leaves by {} its chains can drop, not reject: for that, {} must route it",
                  device.name, question.guard));
  finding.fix = {fmt::format("ip -d link show  # on {}", question.from)};
  return finding;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto seen = went_past(question, facts);
  const Sighting* left = seen ? question.journey.left(question.from) : nullptr;
  if (left == nullptr) return std::nullopt;
  const Sighting* arrived = question.to_node.empty() ? nullptr : question.journey.arrived(question.to_node);
  auto device = device_below(question, facts, *left, true);
  if (!device && arrived != nullptr) device = device_below(question, facts, *arrived, false);
  if (device) return past_ip(*device, question, *seen);
  const bool seen_there = std::ranges::any_of(question.journey.sightings, [&](const Sighting& each) {
    return each.leg == Leg::forward && each.node == question.guard;
  });
  // The guard's silence counts only where its kernel would have told.
  if (seen_there || !question.journey.complete || question.kernel.blind(question.guard)) return std::nullopt;
  Finding finding;
  finding.summary = fmt::format("{} is not on the way from {} to {}.", question.guard, question.from,
                                question.to.to_string());
  finding.evidence = {*seen, fmt::format("it left {} by {}, and was at no interface and no hook of {}",
                                         question.from, left->interface, question.guard)};
  finding.fix = {fmt::format("ip route get {}  # on {}", question.to.to_string(), question.from)};
  return finding;
}

}  // namespace

CauseKind firewall_bypassed_cause() {
  return {
      "firewall-bypassed",
      "The packet's way leads past the firewall that is to stop it.",
      "A firewall stops what its host routes, takes in or sends. A container on a `macvlan`, an `ipvlan` in "
      "mode "
      "L2, an SR-IOV function or a second network of its own sends its frames straight to the link: to its "
      "host they are no packets but somebody's frames on the wire, and neither FORWARD nor DOCKER-USER nor "
      "ufw "
      "ever sees them. So do containers with a network card of their own, and whatever is on the LAN itself. "
      "What looks like a firewall that leaks is one that nobody asks.",
      "The probe came to its target or was answered, and the guard took none of it in. Where it was sent, or "
      "taken "
      "in, by a macvlan on the guard's own device, that is why; else the guard's kernel must have listened, "
      "and told of no hook. To look oneself: `ip -d link show eth0` in the container.",
      "A chain of the device itself meets these frames. What containers send to the link is at its hook "
      "egress "
      "(Linux 5.16), which can drop, not reject; what comes in from there, and what macvlans of one device "
      "send to "
      "each other, at its hook ingress:\n"
      "```\nnft add table netdev guard\n"
      "nft add chain netdev guard egress-ens4 '{ type filter hook egress device \"ens4\" priority filter; "
      "}'\n"
      "nft add rule netdev guard egress-ens4 ip saddr 192.168.16.21 ip daddr 10.0.0.0/8 drop\n```\n"
      "Or filter where the packets do pass: on the LAN's router; or give the container a bridge that its "
      "host "
      "routes, instead of a macvlan. A rule within the container's own network namespace holds as long as "
      "nobody "
      "in it may change it.",
      recognise,
      CauseKind::Depth::network,
      {"not-on-bridge", "wrong-uplink", "destination-translated"}};
}

}  // namespace plumbline::proof
