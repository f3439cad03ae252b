#include <fmt/format.h>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"
#include "harness/proof/diagnosis/routing.hpp"

namespace plumbline::proof {
namespace {

std::string path_of(IpFamily family, std::string_view interface) {
  return fmt::format("net/ipv{}/conf/{}/forwarding", version(family), interface);
}

/// The kernel forwards by the setting of the interface that the packet came in by.
std::optional<Finding> recognise(const Case& question, Facts& facts) {
  auto dead = died_inside(question);
  if (!dead || dead->came == nullptr || stopper(question.kernel)) return std::nullopt;
  if (dead->leg == Leg::reply) dead->destination = translated_back(question, *dead);
  const network::Node* node = facts.node(dead->node);
  if (node == nullptr || takes(facts, dead->node, dead->destination)) return std::nullopt;
  // The end of the way forwards nothing, and need not: it should hold the address.
  const bool nobodys = facts.topology().owner_of(dead->destination) == nullptr;
  if (nobodys && node->role != network::Role::host && dead->node != question.host) return std::nullopt;
  std::string interface = dead->came->interface;
  const network::Interface* came_by = node->find_interface(interface);
  const bool bridged = came_by != nullptr && !came_by->master.empty() &&
                       dead->came->packet.direction == traffic::Direction::other_host;
  // A node that is no router need not forward: whoever sent it there is wrong.
  if (bridged || gone_astray(question, facts)) return std::nullopt;
  if (came_by != nullptr && !came_by->master.empty()) interface = came_by->master;
  // Where it would go back the way it came, the packet was sent there by mistake.
  const RouteAnswer onward = facts.route(dead->node, {dead->destination, std::nullopt, {}, 0});
  if (dead->node != question.host && onward.found() && onward.dev == interface) return std::nullopt;
  const IpFamily family = dead->destination.family();
  const std::string path = path_of(family, interface);
  if (facts.sysctl(dead->node, path) != "0") return std::nullopt;
  const std::string all = path_of(family, "all");
  const bool everywhere = facts.sysctl(dead->node, all) == "0";
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = everywhere ? fmt::format("{} does not forward IPv{}.", dead->node, version(family))
                               : fmt::format("{} does not forward IPv{} that comes in by {}.", dead->node,
                                             version(family), interface);
  finding.evidence = {fmt::format("{} > {} came in by {} and never left", dead->source.to_string(),
                                  dead->destination.to_string(), place(*dead->came)),
                      fmt::format("{} of {} is 0", everywhere ? all : path, dead->node)};
  finding.fix = {on(dead->node, question, fmt::format("sysctl -w {}=1", everywhere ? all : path))};
  finding.opens = {dead->node, false};
  return finding;
}

}  // namespace

CauseKind forwarding_disabled_cause() {
  return {"forwarding-disabled",
          "A node on the way does not forward.",
          "A Linux host passes packets from one interface to another only where forwarding is on. It is off "
          "until somebody turns it on: by hand, by a container runtime, or by a file in /etc/sysctl.d. There "
          "is a switch for each family and for each interface; `all` sets those of all interfaces.",
          "The packet came in for somebody else, no rule dropped it, it never left, and the `forwarding` "
          "setting of the interface by which it came in is 0.",
          "```\nsysctl -w net.ipv4.conf.all.forwarding=1\nsysctl -w net.ipv6.conf.all.forwarding=1\n```\n"
          "To keep it over a reboot, put the setting into a file in /etc/sysctl.d.",
          recognise,
          CauseKind::Depth::network,
          reasons::any_of({reasons::links(), reasons::frames(), reasons::steering(), {"wrong-gateway"}})};
}

}  // namespace plumbline::proof
