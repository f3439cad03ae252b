#include <fmt/format.h>

#include <algorithm>

#include "harness/base/text.hpp"
#include "harness/engine/inference/context.hpp"

// Names that a container's own resolver knows: other containers', and those that somebody asks for.
namespace plumbline::engine::detail {
namespace {

struct Known {
  const network::FoundNode* node;
  const network::Membership* membership;
};

const IpAddress& docker_own() {
  static const IpAddress kDocker = *IpAddress::parse("127.0.0.11");
  return kDocker;
}

const std::vector<IpAddress>& resolvers_of(const Context& context, const std::string& name) {
  static const std::vector<IpAddress> kNone;
  const network::Node* node = context.view.topology.find(name);
  return node == nullptr ? kNone : node->resolvers;
}

/// Podman's own DNS, at an address of a network that knows names. aardvark-dns has not always answered over
/// TCP.
bool is_podman_own(const Context& context, const IpAddress& resolver) {
  return std::ranges::any_of(context.view.networks, [&](const network::NamedNetwork& network) {
    return network.names && network.owner == "podman" &&
           std::ranges::any_of(network.subnets,
                               [&](const Prefix& subnet) { return subnet.contains(resolver); });
  });
}

/// Whether it knows the names of an engine's networks: Docker's own DNS is in the container itself.
bool is_engine_own(const Context& context, const IpAddress& resolver) {
  return resolver == docker_own() || is_podman_own(context, resolver);
}

/// How a promise about an engine's names is to be asked. Programs ask the first resolver, and those behind it
/// only where that is silent: these need not know such names.
std::string asked_how(const Context& context, const std::vector<IpAddress>& resolvers) {
  return std::string(resolvers.size() == 1 ? "" : ", resolvers: first") +
         (is_podman_own(context, resolvers.front()) ? ", with: udp" : "");
}

std::vector<Known> known_in(const Context& context, const network::NamedNetwork& network) {
  std::vector<Known> known;
  for (const network::FoundNode& node : context.view.nodes) {
    for (const network::Membership& membership : node.memberships) {
      const bool here = membership.owner == network.owner && membership.network == network.name;
      if (here && !node.hostnames.empty() && !membership.addresses.empty())
        known.push_back({&node, &membership});
    }
  }
  return known;
}

/// Of a node whose first resolver is nobody who knows the network's names.
std::string not_asked(const Context& context, const std::string& name, const network::NamedNetwork& network) {
  const std::vector<IpAddress>& resolvers = resolvers_of(context, name);
  const std::string which = fmt::format("{} network {} by name", network.owner, printable(network.name));
  if (resolvers.empty()) return fmt::format("{} knows no containers of {}: it has no resolver", name, which);
  const auto own = std::ranges::find_if(
      resolvers, [&](const IpAddress& resolver) { return is_engine_own(context, resolver); });
  return fmt::format(
      "{} need not know the containers of {}: its resolv.conf names {} first, which is not {}'s{}", name,
      which, resolvers.front().to_string(), network.owner,
      own == resolvers.end() ? ""
                             : fmt::format(", and {} is asked where that one is silent", own->to_string()));
}

void promise_in(const Context& context, const network::NamedNetwork& network) {
  const std::vector<Known> known = known_in(context, network);
  for (std::size_t i = 0; known.size() > 1 && i < known.size(); ++i) {
    const Known& asker = known[i];
    const Known& other = known[(i + 1) % known.size()];
    const std::vector<IpAddress>& resolvers = resolvers_of(context, asker.node->name);
    if (!context.fresh("name", asker.node->name, other.node->hostnames.front())) continue;
    if (resolvers.empty() || !is_engine_own(context, resolvers.front())) {
      context.remark("names", not_asked(context, asker.node->name, network));
      continue;
    }
    std::vector<std::string> addresses;
    for (const IpAddress& address : other.membership->addresses) addresses.push_back(address.to_string());
    context.promise(
        "names",
        fmt::format("{} network {} knows its containers by name", network.owner, printable(network.name)),
        fmt::format("resolve: {{from: {}, name: {}, expect: {}{}}}", word(asker.node->name),
                    word(other.node->hostnames.front()), words(addresses), asked_how(context, resolvers)));
  }
}

/// Whether all its networks are internal: names of the outside are no promise there.
bool is_shut_in(const Context& context, const std::string& name) {
  const auto found = std::ranges::find(context.view.nodes, name, &network::FoundNode::name);
  if (found == context.view.nodes.end() || found->memberships.empty()) return false;
  return std::ranges::all_of(found->memberships, [&](const network::Membership& membership) {
    return std::ranges::any_of(context.view.networks, [&](const network::NamedNetwork& network) {
      return network.internal && network.owner == membership.owner && network.name == membership.network;
    });
  });
}

}  // namespace

void promise_names(const Context& context) {
  for (const network::NamedNetwork& network : context.view.networks) {
    if (network.names) promise_in(context, network);
  }
  // A question over TCP is asked only where somebody hears it.
  std::vector<std::string> askers;
  std::vector<std::string> over_udp;
  for (const network::Node& node : context.view.topology.nodes) {
    const bool plugged = std::ranges::find(context.layout.alone, node.name) == context.layout.alone.end();
    const bool may_ask = plugged && !node.resolvers.empty() && !is_shut_in(context, node.name);
    if (&node == &context.host || !may_ask) continue;
    const bool podman = std::ranges::any_of(
        node.resolvers, [&](const IpAddress& resolver) { return is_podman_own(context, resolver); });
    (podman ? over_udp : askers).push_back(node.name);
  }
  const char* comment = "as --name says, by each container's own resolver";
  for (const std::string& name : context.options.names) {
    if (!askers.empty()) {
      context.promise("names", comment,
                      fmt::format("resolve: {{from: {}, name: {}}}", words(askers), word(name)));
    }
    if (!over_udp.empty()) {
      context.promise("names", fmt::format("{}; Podman's own hears UDP alone", comment),
                      fmt::format("resolve: {{from: {}, name: {}, with: udp}}", words(over_udp), word(name)));
    }
  }
}

}  // namespace plumbline::engine::detail
