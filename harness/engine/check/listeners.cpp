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
    auto& servers = servers_[node.name];
    for (const network::Service& service : node.services) {
      switch (service.kind) {
        case network::Service::Kind::echo:
          servers.push_back(network::serve_udp_echo(executor_, netns, service.port));
          servers.push_back(network::serve_tcp_echo(executor_, netns, service.port));
          break;
        case network::Service::Kind::http:
          servers.push_back(network::serve_http(executor_, netns, service.port));
          break;
        case network::Service::Kind::dns:
          servers.push_back(network::serve_dns(executor_, netns, service.port, service.names));
          break;
      }
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
  const kernel::Netns& netns = network_.netns(node->name);
  try {
    servers_[node->name].push_back(need.service.protocol == traffic::Protocol::tcp
                                       ? network::serve_tcp_echo(executor_, netns, need.service.port)
                                       : network::serve_udp_echo(executor_, netns, need.service.port));
  } catch (const Error& error) {
    // A server of the setup's own has the port, or one that a change has started: the probe is for that one.
    if (error.error_number() == EADDRINUSE) return;
    throw error.within(fmt::format("planting a listener in node {}", node->name));
  }
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
    for (const auto& server : servers) {
      if (std::ranges::any_of(server->requests(), holds_nonce)) return node;
    }
  }
  return {};
}

}  // namespace plumbline::engine
