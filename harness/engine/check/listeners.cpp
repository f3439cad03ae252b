#include "harness/engine/check/listeners.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
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

/// The first request that holds it; null: there is none.
const network::ServiceRequest* with_nonce(const std::vector<network::Serving>& servers,
                                          traffic::Nonce nonce) {
  const std::string text = traffic::nonce_text(nonce);
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(nonce >> shift & 0xFFU));
  const auto holds = [&](const network::ServiceRequest& request) {
    return request.text.find(bytes) != std::string::npos || request.text.find(text) != std::string::npos;
  };
  for (const network::Serving& each : servers) {
    const auto& requests = each.server->requests();
    const auto found = std::ranges::find_if(requests, holds);
    if (found != requests.end()) return &*found;
  }
  return nullptr;
}

}  // namespace

class Listeners::Loan {
 public:
  Loan(std::string node, std::vector<network::Serving> servers,
       std::weak_ptr<boost::asio::steady_timer> returned)
      : node_(std::move(node)), servers_(std::move(servers)), returned_(std::move(returned)) {}
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;
  /// Who waits goes on from the event loop, when the ports are free.
  ~Loan() {
    if (const auto timer = returned_.lock()) timer->cancel();
  }

  const std::string& node() const noexcept { return node_; }
  const std::vector<network::Serving>& servers() const noexcept { return servers_; }

 private:
  std::string node_;
  std::vector<network::Serving> servers_;
  std::weak_ptr<boost::asio::steady_timer> returned_;
};

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

namespace {

/// A link-local address says not on which of the node's links: its server listens everywhere.
bool is_everywhere(const IpAddress& address) {
  return address.is_link_local() || address.is_unspecified();
}

}  // namespace

boost::asio::awaitable<Listeners::Lent> Listeners::lend(Target target, Service service) {
  if (target.node.empty()) co_return nullptr;
  service.payload_bytes = 0;
  while (true) {
    bool in_use = false;
    Lent lent = try_to_lend(target, service, in_use);
    if (lent != nullptr || !in_use || !has_lent(target.node, service)) co_return lent;
    boost::system::error_code returned;
    co_await returned_->async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, returned));
  }
}

bool Listeners::has_lent(const std::string& node, const Service& service) const {
  return std::ranges::any_of(lent_, [&](const auto& each) {
    const auto& [at, address, lent_service] = each.first;
    return at == node && lent_service == service && !each.second.expired();
  });
}

Listeners::Lent Listeners::try_to_lend(const Target& target, const Service& service, bool& in_use) {
  std::erase_if(lent_, [](const auto& each) { return each.second.expired(); });
  static const IpAddress kEverywhere = *IpAddress::parse("::");
  const std::tuple everywhere(target.node, kEverywhere, service);
  const std::tuple key(target.node, is_everywhere(target.address) ? kEverywhere : target.address, service);
  for (const auto& suitable : {everywhere, key}) {
    if (const auto known = lent_.find(suitable); known != lent_.end()) return known->second.lock();
  }
  network::ServerPlan plan;
  plan.port = service.port;
  plan.manner.over =
      service.protocol == traffic::Protocol::tcp ? network::Transports::tcp : network::Transports::udp;
  if (!is_everywhere(target.address)) plan.manner.listen = target.address;
  try {
    auto lent = std::make_shared<const Loan>(
        target.node, network::serve(executor_, network_.netns(target.node), plan), returned_);
    lent_.emplace(key, lent);
    return lent;
  } catch (const Error& error) {
    in_use = error.error_number() == EADDRINUSE;
    if (in_use || error.error_number() == EADDRNOTAVAIL) return nullptr;
    throw error.within(fmt::format("listening in node {}", target.node));
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

Listeners::Taken Listeners::taken(traffic::Nonce nonce) const {
  for (const auto& [node, servers] : servers_) {
    if (const network::ServiceRequest* request = with_nonce(servers, nonce)) return {node, request->client};
  }
  for (const auto& [key, loan] : lent_) {
    const Lent lent = loan.lock();
    const network::ServiceRequest* request = lent == nullptr ? nullptr : with_nonce(lent->servers(), nonce);
    if (request != nullptr) return {lent->node(), request->client};
  }
  return {};
}

std::string Listeners::delivered_to(traffic::Nonce nonce) const {
  return taken(nonce).node;
}

std::optional<IpAddress> Listeners::delivered_from(traffic::Nonce nonce) const {
  return taken(nonce).client;
}

}  // namespace plumbline::engine
