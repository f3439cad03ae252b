#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "harness/engine/spec/words.hpp"
#include "harness/engine/spec/world.hpp"

namespace plumbline::spec {
namespace {

std::string owner_text(const Held& held) {
  return fmt::format("{} of {} (line {})", held.interface, held.node, held.mark.line);
}

void check_addresses(const DraftWorld& world) {
  std::map<IpAddress, const Held*> owners;
  for (const Held& held : world.held) {
    const auto [before, fresh] = owners.emplace(held.address.address, &held);
    if (fresh) continue;
    throw SpecError(held.mark, fmt::format("{} is already the address of {}",
                                           held.address.address.to_string(), owner_text(*before->second)));
  }
}

/// One network, one segment: else it would depend on the node which of the two a packet takes.
void check_networks(const DraftWorld& world) {
  std::map<std::pair<std::string, Prefix>, const Held*> networks;
  for (const Held& held : world.held) {
    if (!held.segment.empty()) networks.emplace(std::pair(held.segment, held.address.network()), &held);
  }
  for (auto one = networks.begin(); one != networks.end(); ++one) {
    for (auto two = networks.begin(); two != one; ++two) {
      const auto& [segment, network] = one->first;
      const auto& [other_segment, other] = two->first;
      if (segment == other_segment || !network.overlaps(other)) continue;
      const bool later = std::pair(one->second->mark.line, one->second->mark.column) >
                         std::pair(two->second->mark.line, two->second->mark.column);
      const auto& [at, against] = later ? std::pair(one, two) : std::pair(two, one);
      throw SpecError(at->second->mark, fmt::format("{} on segment {} overlaps {} on segment {} ({})",
                                                    at->first.second.to_string(), at->first.first,
                                                    against->first.second.to_string(), against->first.first,
                                                    owner_text(*against->second)));
    }
  }
}

/// The networks that `node` is connected to; only those by `dev`, where it is named.
std::vector<Prefix> connected(const network::Node& node, const std::string& dev) {
  std::vector<Prefix> networks;
  for (const network::Interface& interface : node.interfaces) {
    if (!dev.empty() && interface.name != dev) continue;
    for (const InterfaceAddress& address : interface.addresses) networks.push_back(address.network());
  }
  return networks;
}

std::string listed(const std::vector<Prefix>& networks) {
  std::vector<std::string> texts;
  for (const Prefix& network : networks) texts.push_back(network.to_string());
  return texts.empty() ? "none" : fmt::format("{}", fmt::join(texts, ", "));
}

void check_router(const network::Node& node, const std::string& dev, const IpAddress& router,
                  std::string_view key, const Mark& mark) {
  if (router.is_link_local() && !router.is_v4() && !dev.empty()) return;
  const auto networks = connected(node, dev);
  const std::string place = dev.empty() ? node.name : fmt::format("{} of {}", dev, node.name);
  const auto holds = [&](const Prefix& network) { return network.contains(router); };
  if (!std::any_of(networks.begin(), networks.end(), holds)) {
    throw SpecError(mark, fmt::format("'{}' {} is outside every network of {} ({})", key, router.to_string(),
                                      place, listed(networks)));
  }
  for (const network::Interface& interface : node.interfaces) {
    for (const InterfaceAddress& own : interface.addresses) {
      if (own.address == router) {
        throw SpecError(mark, fmt::format("'{}' {} is {}'s own address", key, router.to_string(), node.name));
      }
    }
  }
}

void check_source(const network::Node& node, const DraftRoute& draft) {
  if (!draft.route.source) return;
  for (const network::Interface& interface : node.interfaces) {
    for (const InterfaceAddress& own : interface.addresses) {
      if (own.address == *draft.route.source) return;
    }
  }
  throw SpecError(draft.mark, fmt::format("'source' {} is not an address of {}",
                                          draft.route.source->to_string(), node.name));
}

void check_routes(const DraftNode& draft) {
  std::map<std::tuple<Prefix, std::uint32_t, std::uint32_t>, std::size_t> lines;
  for (const DraftRoute& each : draft.routes) {
    const network::Route& route = each.route;
    if (route.via) check_router(draft.node, route.dev, *route.via, "via", each.via_mark);
    check_source(draft.node, each);
    const auto [before, fresh] =
        lines.emplace(std::tuple(route.to, route.table, route.metric), each.mark.line);
    if (fresh) continue;
    throw SpecError(each.mark,
                    fmt::format("{} has a route to {} already (line {}): give one another metric or table",
                                draft.node.name, route.to.to_string(), before->second));
  }
}

/// A local range that held a connected network would swallow everything sent to that network.
void check_locals(const DraftNode& draft) {
  for (const Placed<Prefix>& local : draft.locals) {
    for (const network::Interface& interface : draft.node.interfaces) {
      if (interface.kind == network::LinkKind::loopback) continue;
      for (const InterfaceAddress& address : interface.addresses) {
        if (!local.value.overlaps(address.network())) continue;
        throw SpecError(local.mark,
                        fmt::format("the local range {} overlaps {} of {}, which could then not be reached",
                                    local.value.to_string(), address.to_string(), interface.name));
      }
    }
  }
}

void check_ranges_once(const DraftWorld& world) {
  std::map<Prefix, std::string> owners;
  for (const DraftNode& draft : world.nodes) {
    for (const Placed<Prefix>& local : draft.locals) {
      const auto [before, fresh] = owners.emplace(local.value, draft.node.name);
      if (fresh) continue;
      throw SpecError(local.mark, fmt::format("{} is already a local range of {}", local.value.to_string(),
                                              before->second));
    }
  }
}

/// A segment of one or many plugs is a node of its own, named after it.
void check_segments(const DraftWorld& world) {
  for (const auto& [segment, members] : world.segments) {
    if (members.size() == 2 && members[0].node == members[1].node) {
      throw SpecError(members[1].mark,
                      fmt::format("segment {} joins {} only with itself", segment, members[0].node));
    }
    if (members.size() == 2) continue;
    for (const DraftNode& draft : world.nodes) {
      if (draft.node.name != segment) continue;
      throw SpecError(
          members.front().mark,
          fmt::format("the segment {} has the name of a node (line {}), and becomes a node itself: "
                      "name one of them differently",
                      segment, draft.mark.line));
    }
  }
}

}  // namespace

void check_world(const DraftWorld& world) {
  const auto is_host = [](const DraftNode& draft) { return draft.node.role == network::Role::host; };
  if (std::none_of(world.nodes.begin(), world.nodes.end(), is_host)) {
    throw SpecError(world.mark, "a world needs a node named 'host': the host under test");
  }
  check_segments(world);
  check_addresses(world);
  check_networks(world);
  for (const DraftNode& draft : world.nodes) {
    for (const auto& [interface, gateway] : draft.gateways) {
      check_router(draft.node, interface, gateway.value, "gateway", gateway.mark);
    }
    check_routes(draft);
    check_locals(draft);
  }
  check_ranges_once(world);
}

}  // namespace plumbline::spec
