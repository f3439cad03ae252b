#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/engine/spec/words.hpp"
#include "harness/engine/spec/world.hpp"

namespace plumbline::spec {
namespace {

using network::Interface;
using network::LinkKind;

constexpr std::string_view kBridge = "bridge";

Interface& plug(network::Topology& topology, const Member& member) {
  return *topology.find(member.node)->find_interface(member.interface);
}

void join(network::Topology& topology, const Member& one, const Member& two) {
  plug(topology, one).peer = network::Endpoint{two.node, two.interface};
  plug(topology, two).peer = network::Endpoint{one.node, one.interface};
}

/// A port is named after the node at its other end, as far as 15 characters and uniqueness allow.
std::string port_name(const std::string& node, std::set<std::string, std::less<>>& taken) {
  std::string name = node.substr(0, kLongestInterfaceName);
  for (unsigned number = 2; !taken.insert(name).second; ++number) {
    const std::string suffix = fmt::format("-{}", number);
    name = node.substr(0, kLongestInterfaceName - suffix.size()) + suffix;
  }
  return name;
}

/// A switch: a node that is nothing but a bridge.
void add_switch(network::Topology& topology, const std::string& segment, const std::vector<Member>& members) {
  network::Node node;
  node.name = segment;
  node.plant = false;
  Interface bridge;
  bridge.name = kBridge;
  bridge.kind = LinkKind::bridge;
  node.interfaces.push_back(bridge);
  std::set<std::string, std::less<>> taken{std::string(kBridge), "lo", "all", "default"};
  for (const Member& member : members) {
    Interface port;
    port.name = port_name(member.node, taken);
    port.peer = network::Endpoint{member.node, member.interface};
    port.master = kBridge;
    Interface& end = plug(topology, member);
    port.mtu = end.mtu;
    end.peer = network::Endpoint{segment, port.name};
    node.interfaces.push_back(std::move(port));
  }
  topology.nodes.push_back(std::move(node));
}

/// The kernel looks into the table `local` before any other, so a local range would win over a longer route
/// in `main`. A route of the node inside one of its ranges therefore stands in `local` too.
void place_routes(DraftNode& draft) {
  network::Node& node = draft.node;
  for (DraftRoute& each : draft.routes) {
    network::Route& route = each.route;
    const auto holds = [&](const Placed<Prefix>& local) { return local.value.contains(route.to); };
    const bool inside = std::any_of(draft.locals.begin(), draft.locals.end(), holds);
    if (inside && route.table == network::kMainTable) route.table = network::kLocalTable;
    node.routes.push_back(std::move(route));
  }
  for (const Placed<Prefix>& local : draft.locals) {
    network::Route route;
    route.to = local.value;
    route.dev = "lo";
    route.table = network::kLocalTable;
    route.type = network::RouteType::local;
    node.routes.push_back(std::move(route));
  }
}

}  // namespace

network::Topology finish_world(DraftWorld world) {
  network::Topology topology;
  for (DraftNode& draft : world.nodes) {
    place_routes(draft);
    topology.nodes.push_back(std::move(draft.node));
  }
  for (const auto& [segment, members] : world.segments) {
    if (members.size() == 2) {
      join(topology, members[0], members[1]);
    } else {
      add_switch(topology, segment, members);
    }
  }
  return topology;
}

}  // namespace plumbline::spec
