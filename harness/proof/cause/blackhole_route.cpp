#include <fmt/format.h>

#include <cerrno>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"
#include "harness/proof/diagnosis/routing.hpp"

namespace plumbline::proof {
namespace {

/// What the kernel answers where it meets such a route.
int refusal(network::RouteType type) {
  switch (type) {
    case network::RouteType::blackhole:
      return EINVAL;
    case network::RouteType::prohibit:
      return EACCES;
    case network::RouteType::unreachable:
      return EHOSTUNREACH;
    case network::RouteType::unicast:
    case network::RouteType::local:
      break;
  }
  return 0;
}

/// What it does to a packet there.
std::string_view deed(network::RouteType type) {
  if (type == network::RouteType::blackhole) return "dropped without a word";
  return type == network::RouteType::prohibit ? "refused as prohibited" : "refused as unreachable";
}

const network::Route* refusing_route(const network::Node& node, const IpAddress& to, int error) {
  for (const network::Route& route : node.routes) {
    if (refusal(route.type) == error && best_route(node, to, route.table) == &route) return &route;
  }
  return nullptr;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto packet = stranded(question, facts);
  const network::Node* node = packet ? facts.node(packet->node) : nullptr;
  if (node == nullptr) return std::nullopt;
  RouteAnswer answer = route_of(facts, *packet);
  auto looked_up = *packet;
  if (answer.found() && answer.source && packet->came == nullptr && packet->iif.empty()) {
    // What a node sends itself is looked up again with the source that was chosen for it.
    looked_up.source = *answer.source;
    answer = route_of(facts, looked_up);
  }
  if (answer.found()) return std::nullopt;
  const network::Route* route = refusing_route(*node, packet->destination, answer.error);
  if (route == nullptr) return std::nullopt;
  const char* what = packet->leg == Leg::reply ? "the answer to" : "what goes to";
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format("By {}'s route `{}`, {} {} is {}.", packet->node, to_text(*route), what,
                                packet->destination.to_string(), deed(route->type));
  finding.evidence = {
      packet->came != nullptr
          ? fmt::format("{} > {} came in by {}, and nothing left {}", packet->source.to_string(),
                        packet->destination.to_string(), place(*packet->came), packet->node)
          : fmt::format("{} sent nothing to {}", packet->node, packet->destination.to_string()),
      fmt::format("the kernel of {} refuses a route to {}, and its longest one is: {}", packet->node,
                  packet->destination.to_string(), to_text(*route))};
  const char* ip = route->to.family() == IpFamily::v4 ? "ip" : "ip -6";
  finding.fix = {on(packet->node, question, fmt::format("{} route del {}", ip, to_text(*route)))};
  return finding;
}

}  // namespace

CauseKind blackhole_route_cause() {
  return {
      "blackhole-route",
      "A blackhole, unreachable or prohibit route swallows the packet.",
      "Such routes lead nowhere on purpose: `blackhole` drops in silence, `unreachable` answers with an "
      "ICMP error, `prohibit` with one that says that it is forbidden. Calico, Cilium and others add a "
      "blackhole for the node's own block of container addresses, so that what is for a container that is "
      "gone does not run in circles; VPN clients and kill switches add them for everything that is not to "
      "leave. One stays behind where the more specific route, which was to win, was lost: with its "
      "interface, or because it stands in another table.",
      "The packet ended at a node whose kernel, asked for a route, refuses with the error of that kind of "
      "route (EINVAL, EHOSTUNREACH, EACCES), and the longest route of one of its tables that holds for the "
      "target is of that kind.",
      "Look with `ip route get ADDRESS` and `ip route show table all type blackhole` (also `unreachable`, "
      "`prohibit`).\n```\nip route del blackhole 203.0.113.0/24\n```\n"
      "Where it is there on purpose, give the network the more specific route that is missing instead.",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of({reasons::links(), reasons::frames(), reasons::steering(), reasons::translation()})};
}

}  // namespace plumbline::proof
