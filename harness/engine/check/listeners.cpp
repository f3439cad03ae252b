#include "harness/engine/check/listeners.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "harness/base/error.hpp"

namespace plumbline::engine {
namespace {

bool serves(const network::Node& node, const Service& service) {
  return std::ranges::any_of(node.services, [&](const network::Service& declared) {
    if (declared.port != service.port) return false;
    return service.protocol == traffic::Protocol::tcp || declared.kind != network::Service::Kind::http;
  });
}

network::ServerPlan::Kind kind_of(network::Service::Kind kind) {
  using Declared = network::Service::Kind;
  using Kind = network::ServerPlan::Kind;
  switch (kind) {
    case Declared::echo:
      return Kind::echo;
    case Declared::http:
      return Kind::http;
    case Declared::dns:
      return Kind::dns;
  }
  return Kind::echo;
}

}  // namespace

bool serves_dns(const network::Topology& topology, const Target& target, const Service& service) {
  const network::Node* node = topology.find(target.node);
  return node != nullptr && std::ranges::any_of(node->services, [&](const network::Service& declared) {
           return declared.kind == network::Service::Kind::dns && declared.port == service.port;
         });
}

void Listeners::start_declared(const network::Topology& topology) {
  for (const network::Node& node : topology.nodes) {
    if (servers_.contains(node.name)) continue;
    const kernel::Netns& netns = network_.netns(node.name);
    served_[node.name] = netns.inode();
    servers_[node.name];
    for (const network::Service& service : node.services) {
      network::ServerPlan plan;
      plan.kind = kind_of(service.kind);
      plan.port = service.port;
      plan.names = service.names;
      start(node.name, plan);
    }
  }
}

void Listeners::plant(const Need& need, const network::Topology& topology) {
  if (need.service.protocol == traffic::Protocol::ping) return;  // the kernel itself answers
  const auto address = IpAddress::parse(need.to);
  const bool own = address && address->is_loopback();
  const network::Node* node = own       ? topology.find(need.from)
                              : address ? topology.owner_of(*address)
                                        : topology.find(need.to);
  if (node == nullptr || !node->plant || serves(*node, need.service)) return;
  if (!planted_.emplace(node->name, Service{need.service.protocol, need.service.port}).second) return;
  network::ServerPlan plan;
  plan.port = need.service.port;
  plan.manner.over =
      need.service.protocol == traffic::Protocol::tcp ? network::Transports::tcp : network::Transports::udp;
  try {
    start(node->name, plan);
  } catch (const Error& error) {
    // A server of the setup's own has the port, or one that a change has started: the probe is for that one.
    if (error.error_number() == EADDRINUSE) return;
    throw error.within(fmt::format("planting a listener in node {}", node->name));
  }
}

void Listeners::start(const std::string& node, const network::ServerPlan& plan) {
  auto& servers = servers_[node];
  for (network::Serving& each : network::serve(executor_, network_.netns(node), plan)) {
    servers.push_back(std::move(each));
  }
}

void Listeners::stop(const std::string& node, std::uint16_t port, network::Transports over) {
  for (const bool tcp : {false, true}) {
    if (over == (tcp ? network::Transports::udp : network::Transports::tcp)) continue;
    planted_.insert({node, {tcp ? traffic::Protocol::tcp : traffic::Protocol::udp, port}});
    std::erase_if(servers_[node], [&](const auto& each) { return each.port == port && each.tcp == tcp; });
  }
}

void Listeners::serve(const std::string& node, const network::ServerPlan& plan) {
  stop(node, plan.port, plan.manner.over);
  served_[node] = network_.netns(node).inode();
  start(node, plan);
}

void Listeners::let_go() {
  const auto gone = [this](const auto& served) {
    const auto found = network_.nodes().find(served.first);
    return found == network_.nodes().end() || found->second.inode() != served.second;
  };
  for (const auto& served : served_) {
    if (!gone(served)) continue;
    servers_.erase(served.first);
    std::erase_if(planted_, [&](const auto& each) { return each.first == served.first; });
  }
  std::erase_if(served_, gone);
}

std::string Listeners::delivered_to(traffic::Nonce nonce) const {
  const std::string text = traffic::nonce_text(nonce);
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(nonce >> shift & 0xFFU));
  const auto holds_nonce = [&](const network::ServiceRequest& request) {
    return request.text.find(bytes) != std::string::npos || request.text.find(text) != std::string::npos;
  };
  for (const auto& [node, servers] : servers_) {
    for (const network::Serving& each : servers) {
      if (std::ranges::any_of(each.server->requests(), holds_nonce)) return node;
    }
  }
  return {};
}

}  // namespace plumbline::engine
