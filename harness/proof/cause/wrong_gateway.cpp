#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/hop.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"
#include "harness/proof/diagnosis/routing.hpp"

namespace plumbline::proof {
namespace {

using kernel::netlink::NeighbourState;

/// What the node itself knows of its next router.
const NeighbourFact* neighbour(const std::vector<NeighbourFact>& all, const IpAddress& address) {
  const auto found = std::ranges::find(all, address, &NeighbourFact::address);
  return found == all.end() ? nullptr : &*found;
}

bool fails(const NeighbourFact& known) {
  return !known.mac || known.state == NeighbourState::failed || known.state == NeighbourState::incomplete;
}

/// The route with its router replaced.
std::string replace_route(const Case& question, Facts& facts, const std::string& name, const IpAddress& to,
                          const RouteAnswer& answer, const std::optional<IpAddress>& router) {
  const network::Node* node = facts.node(name);
  const network::Route* route = node == nullptr ? nullptr : best_route(*node, to, answer.table);
  if (route == nullptr || !router) return {};
  network::Route right = *route;
  right.via = router;
  right.metric = to.is_v4() ? right.metric : 0;
  const char* ip = to.is_v4() ? "ip" : "ip -6";
  return on(name, question, fmt::format("{} route replace {}", ip, to_text(right)));
}

std::optional<IpAddress> right_router(const Case& question, Facts& facts, const Stranded& packet,
                                      const std::string& dev) {
  const IpFamily family = packet.destination.family();
  if (auto named = named_gateway(facts, packet.node, dev, family)) return named;
  const std::string& goal = packet.leg == Leg::forward ? question.to_node : question.from;
  auto hop = first_hop(facts, packet.node, goal.empty() ? question.host : goal, family, dev);
  return hop ? hop->via : std::nullopt;
}

/// The one whose address it is may just be down.
bool somebody_is_down(Facts& facts, const std::vector<network::Endpoint>& members) {
  return std::ranges::any_of(members, [&](const network::Endpoint& member) {
    const auto link = facts.link(member.node, member.interface);
    return link && !(link->up && link->running);
  });
}

/// The host's interface on that link, where it lacks the address that it is known by there.
std::optional<network::Endpoint> bare_interface(const Case& question, Facts& facts,
                                                const std::vector<network::Endpoint>& members,
                                                IpFamily family) {
  const network::Node* host = facts.node(question.host);
  for (const network::Endpoint& member : members) {
    const network::Interface* own =
        host == nullptr || member.node != question.host ? nullptr : host->find_interface(member.interface);
    if (own == nullptr) continue;
    const bool addressed = std::ranges::any_of(own->addresses, [&](const InterfaceAddress& held) {
      return held.address.family() == family && (held.address.is_v4() || !held.address.is_link_local());
    });
    if (!addressed) return member;
  }
  return std::nullopt;
}

/// With the length of the network that `node` has it in.
std::string with_length(Facts& facts, const std::string& name, const std::string& dev,
                        const IpAddress& address) {
  const network::Node* node = facts.node(name);
  const network::Interface* own = node == nullptr ? nullptr : node->find_interface(dev);
  if (own != nullptr) {
    for (const InterfaceAddress& held : own->addresses) {
      if (held.network().contains(address)) return InterfaceAddress{address, held.prefix_length}.to_string();
    }
  }
  return InterfaceAddress{address, address.bits()}.to_string();
}

/// It was seen asking, though its kernel has thrown the entry out since, as it does where all namespaces
/// together have many.
bool asked_in_vain(const Case& question, Facts& facts, const Stranded& packet, const IpAddress& router) {
  const auto hop = broken_hop(question, facts);
  return hop && hop->node == packet.node && hop->next == router && hop->unanswered();
}

/// A router that is not there.
std::optional<Finding> nobody(const Case& question, Facts& facts) {
  const auto packet = stranded(question, facts);
  if (!packet) return std::nullopt;
  const RouteAnswer answer = route_of(facts, *packet);
  if (!answer.found() || !answer.via || answer.dev.empty()) return std::nullopt;
  const network::Endpoint end{packet->node, answer.dev};
  const auto link = facts.link(packet->node, answer.dev);
  const bool works = !link || (link->up && link->running);
  const auto members = on_the_link_of(facts, end);
  if (!works || members.empty() || somebody_is_down(facts, members)) return std::nullopt;
  if (holder_on_link(facts, end, *answer.via)) {
    return std::nullopt;
  }
  const auto all = facts.neighbours(packet->node);
  const NeighbourFact* known = neighbour(all, *answer.via);
  if (known != nullptr && !fails(*known)) return std::nullopt;
  Finding finding;
  const bool in_vain = known != nullptr || asked_in_vain(question, facts, *packet, *answer.via);
  finding.certainty = in_vain ? Certainty::proven : Certainty::likely;
  const std::string via = answer.via->to_string();
  const auto router = right_router(question, facts, *packet, answer.dev);
  const auto bare = router ? std::nullopt : bare_interface(question, facts, members, answer.via->family());
  finding.summary =
      fmt::format("{} sends what goes to {} to the router {}, which nobody on the link of {} is{}.",
                  packet->node, packet->destination.to_string(), via, answer.dev,
                  router ? fmt::format("; the router there is {}", router->to_string())
                  : bare ? fmt::format("; {}:{} has no address of that network", bare->node, bare->interface)
                         : std::string());
  finding.evidence = {fmt::format("the kernel of {} routes it {}", packet->node, to_text(answer)),
                      fmt::format("no node on the link of {}:{} has {}", packet->node, answer.dev, via)};
  if (in_vain) {
    finding.evidence.push_back(fmt::format("{} asks for {} on {} in vain", packet->node, via, answer.dev));
  }
  const std::string fix = replace_route(question, facts, packet->node, packet->destination, answer, router);
  if (!fix.empty()) finding.fix = {fix};
  if (bare) {
    const std::string address = with_length(facts, packet->node, answer.dev, *answer.via);
    finding.fix = {on(bare->node, question, fmt::format("ip addr add {} dev {}", address, bare->interface))};
  }
  return finding;
}

/// A node that is there, but no router.
std::optional<Finding> somebody(const Case& question, Facts& facts) {
  const auto astray = gone_astray(question, facts);
  if (!astray) return std::nullopt;
  const IpFamily family = astray->destination.family();
  const bool passes = forwards(facts, astray->node, family);
  Finding finding;
  finding.certainty = passes ? Certainty::likely : Certainty::proven;
  const std::string via = astray->route.via->to_string();
  finding.summary = fmt::format("{} sends what goes to {} to {}, which is {}{}{}.", astray->sender,
                                astray->destination.to_string(), via, astray->node,
                                passes ? ", not the router there" : " and forwards nothing",
                                astray->router ? "; the router is " + astray->router->to_string() : "");
  finding.evidence = {fmt::format("the kernel of {} routes it {}", astray->sender, to_text(astray->route)),
                      fmt::format("it came to {} and went no further", astray->node)};
  if (!passes) finding.evidence.push_back(fmt::format("{} does not forward", astray->node));
  const std::string fix =
      replace_route(question, facts, astray->sender, astray->destination, astray->route, astray->router);
  if (!fix.empty()) finding.fix = {fix};
  return finding;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  auto finding = somebody(question, facts);
  return finding ? finding : nobody(question, facts);
}

}  // namespace

CauseKind wrong_gateway_cause() {
  return {
      "wrong-gateway",
      "A route leads to a router that is not there, or to a node that is none.",
      "The kernel takes any address of a connected network as a gateway, and does not ask who it is. A "
      "digit mistyped, a bridge whose address was changed after its containers were started, or a router "
      "that has moved leave routes to an address that nobody answers for: ARP or neighbour discovery is "
      "asked in vain, and after a few seconds senders hear \"No route to host\". Where the address belongs "
      "to some other machine, that one gets the packets and, as it does not forward, drops them.",
      "The kernel's own lookup gives a gateway that no node on that link holds, and (then it is proven) the "
      "node asks for its hardware address in vain; or the packet was seen coming in at the gateway, which "
      "neither forwards nor is the router that the world names or that leads on.",
      "Look with `ip route get ADDRESS` for the gateway that is used, and with `ip neigh` for whether it "
      "answers (FAILED, INCOMPLETE: it does not).\n"
      "```\nip route replace default via 192.168.99.1 dev eth0\n```\n"
      "Then mend it where the network is configured: `--gateway` of `docker network create`, `gateway` in a "
      "CNI list, `Gateway=` of systemd-networkd.",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of({reasons::links(), reasons::frames(), reasons::steering(), reasons::translation()})};
}

}  // namespace plumbline::proof
