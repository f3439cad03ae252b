#include "harness/engine/check/stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <tuple>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/network/service/service.hpp"
#include "harness/proof/journey/observer.hpp"
#include "harness/traffic/capture/capture.hpp"

namespace plumbline::engine {
namespace {

using boost::asio::awaitable;

/// All rings together; the kernel allocates them at once, so this is real memory.
constexpr std::size_t kRingBudget = 64U << 20U;
constexpr std::size_t kLeastRing = 256U << 10U;
constexpr std::size_t kLargestRing = 4U << 20U;

std::size_t ring_size(std::size_t taps, std::size_t asked) {
  if (asked != 0) return asked;
  return std::clamp(kRingBudget / std::max<std::size_t>(taps, 1), kLeastRing, kLargestRing);
}

/// Cables from `source` to every other node, in the order of `network.nodes()`.
std::vector<unsigned> distances(const network::Topology& topology, const network::LiveNetwork& network,
                                const std::string& source) {
  std::map<std::string, unsigned, std::less<>> hops{{source, 0}};
  std::deque<std::string> open{source};
  while (!open.empty()) {
    const std::string name = open.front();
    open.pop_front();
    const network::Node* node = topology.find(name);
    if (node == nullptr) continue;
    for (const network::Interface& interface : node->interfaces) {
      if (!interface.peer || hops.contains(interface.peer->node)) continue;
      hops[interface.peer->node] = hops[name] + 1;
      open.push_back(interface.peer->node);
    }
  }
  std::vector<unsigned> by_tap;
  for (const auto& [name, netns] : network.nodes()) {
    const auto found = hops.find(name);
    by_tap.push_back(found == hops.end() ? static_cast<unsigned>(hops.size()) : found->second);
  }
  return by_tap;
}

bool serves(const network::Node& node, const Service& service) {
  return std::ranges::any_of(node.services, [&](const network::Service& declared) {
    if (declared.port != service.port) return false;
    return service.protocol == traffic::Protocol::tcp || declared.kind != network::Service::Kind::http;
  });
}

bool serves_dns(const network::Topology& topology, const Target& target, const Service& service) {
  const network::Node* node = topology.find(target.node);
  return node != nullptr && std::ranges::any_of(node->services, [&](const network::Service& declared) {
           return declared.kind == network::Service::Kind::dns && declared.port == service.port;
         });
}

/// The addresses that a node is known by: what it holds on its loopback beyond 127.0.0.0/8 (a router's or a
/// server's own) before what its interfaces have.
std::vector<InterfaceAddress> known_addresses(const network::Node& node, IpFamily family) {
  std::vector<InterfaceAddress> own;
  std::vector<InterfaceAddress> others;
  for (const network::Interface& interface : node.interfaces) {
    for (const InterfaceAddress& held : interface.addresses) {
      const bool usable =
          !held.address.is_loopback() && !(held.address.is_link_local() && !held.address.is_v4());
      if (held.address.family() != family || !usable) continue;
      (interface.kind == network::LinkKind::loopback ? own : others).push_back(held);
    }
  }
  own.insert(own.end(), others.begin(), others.end());
  return own;
}

}  // namespace

class Stage::Impl {
 public:
  Impl(boost::asio::any_io_executor executor, const network::LiveNetwork& network, network::Topology topology,
       const std::vector<Need>& needs, const StageOptions& options)
      : executor_(std::move(executor)), network_(network), topology_(std::move(topology)), options_(options) {
    start_declared_servers();
    for (const Need& need : needs) plant(need);
    open_taps();
  }

  const network::Topology& topology() const noexcept { return topology_; }

  Target target(std::string_view from, const std::string& to) const {
    if (const auto address = IpAddress::parse(to)) {
      const network::Node* owner = topology_.owner_of(*address);
      return {to, *address, owner == nullptr ? std::string() : owner->name};
    }
    const network::Node* node = topology_.find(to);
    if (node == nullptr) throw Error(fmt::format("there is no node '{}' in this network", to));
    if (const auto address = shared_address(from, *node)) return {to, *address, to};
    throw Error(fmt::format("node {} has no IPv4 address that {} could name it by", to, from));
  }

  awaitable<Evidence> exchange(std::string from, Target to, Service with) {
    traffic::ProbeRequest request;
    request.from = &network_.netns(from);
    request.protocol = with.protocol;
    request.to = to.address;
    request.port = with.port;
    request.nonce = traffic::next_nonce();
    request.timeout = options_.timeout;
    request.exchange = !serves_dns(topology_, to, with);
    std::optional<proof::WatchId> watch;
    const std::function<void(const traffic::ProbeIdentity&)> ready =
        [&](const traffic::ProbeIdentity& identity) { watch = observer_.watch(key_for(request, identity)); };
    Evidence evidence;
    evidence.outcome = co_await traffic::probe(request, ready);
    evidence.journey = journey(watch, from);
    evidence.delivered = delivered(to.node, request.nonce);
    evidence.from = std::move(from);
    evidence.to = std::move(to);
    evidence.with = with;
    co_return evidence;
  }

  awaitable<DnsEvidence> resolve(std::string from, Target server, std::string name, bool tcp) {
    traffic::DnsRequest request;
    request.from = &network_.netns(from);
    request.server = server.address;
    request.name = mix_case(name);
    request.aaaa = false;
    request.id = static_cast<std::uint16_t>(random_());
    request.transport = tcp ? traffic::DnsTransport::tcp : traffic::DnsTransport::udp;
    request.timeout = options_.timeout;
    std::optional<proof::WatchId> watch;
    const std::function<void(const traffic::ProbeIdentity&)> ready = [&](const traffic::ProbeIdentity&
                                                                             identity) {
      if (tcp) {
        watch = observer_.watch(proof::TcpKey{identity.source_port, request.port, request.server});
      } else {
        watch = observer_.watch(proof::DnsKey{request.id, request.name, identity.source_port, request.port});
      }
    };
    DnsEvidence evidence;
    evidence.outcome = co_await traffic::ask(request, ready);
    evidence.journey = journey(watch, from);
    evidence.from = std::move(from);
    evidence.server = std::move(server);
    evidence.name = std::move(name);
    co_return evidence;
  }

 private:
  static proof::Key key_for(const traffic::ProbeRequest& request, const traffic::ProbeIdentity& identity) {
    if (request.protocol == traffic::Protocol::tcp) {
      return proof::TcpKey{identity.source_port, request.port, request.to};
    }
    return proof::NonceKey{request.nonce, identity.source_port, request.port};
  }

  std::optional<IpAddress> shared_address(std::string_view from, const network::Node& node) const {
    const auto candidates = known_addresses(node, IpFamily::v4);
    const network::Node* source = topology_.find(from);
    if (source != nullptr && source != &node) {
      for (const InterfaceAddress& near : known_addresses(*source, IpFamily::v4)) {
        for (const InterfaceAddress& candidate : candidates) {
          if (candidate.prefix_length < 32 && near.network() == candidate.network()) return candidate.address;
        }
      }
    }
    if (candidates.empty()) return std::nullopt;
    return candidates.front().address;
  }

  void start_declared_servers() {
    for (const network::Node& node : topology_.nodes) {
      const kernel::Netns& netns = network_.netns(node.name);
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

  void plant(const Need& need) {
    if (need.service.protocol == traffic::Protocol::ping) return;  // the kernel itself answers
    const auto address = IpAddress::parse(need.to);
    const network::Node* node = address ? topology_.owner_of(*address) : topology_.find(need.to);
    if (node == nullptr || !node->plant || serves(*node, need.service)) return;
    if (!planted_.emplace(node->name, need.service).second) return;
    const kernel::Netns& netns = network_.netns(node->name);
    try {
      servers_[node->name].push_back(need.service.protocol == traffic::Protocol::tcp
                                         ? network::serve_tcp_echo(executor_, netns, need.service.port)
                                         : network::serve_udp_echo(executor_, netns, need.service.port));
    } catch (const Error& error) {
      throw error.within(fmt::format("planting a listener in node {}", node->name));
    }
  }

  void open_taps() {
    std::vector<traffic::TapSource> taps;
    for (const auto& [name, netns] : network_.nodes()) taps.push_back({name, &netns});
    traffic::CaptureOptions options;
    options.buffer_bytes = ring_size(taps.size(), options_.tap_buffer_bytes);
    options.snap_length = options_.tap_snap_length;
    capture_.emplace(executor_, std::move(taps), options, [this](const traffic::Frame& frame) {
      observer_.see(frame.tap, capture_->node(frame.tap),
                    capture_->interface_name(frame.tap, frame.interface), frame.time_ns, frame.bytes,
                    frame.original_length, traffic::LinkType::linux_sll2);
    });
  }

  proof::Journey journey(std::optional<proof::WatchId> watch, const std::string& from) {
    capture_->drain();
    proof::Journey journey;
    if (watch) journey = observer_.journey(*watch, distance_from(from));
    journey.complete = capture_->dropped() == 0;
    return journey;
  }

  const std::vector<unsigned>& distance_from(const std::string& node) {
    const auto found = distances_.find(node);
    if (found != distances_.end()) return found->second;
    return distances_.emplace(node, distances(topology_, network_, node)).first->second;
  }

  bool delivered(const std::string& node, traffic::Nonce nonce) const {
    const auto servers = servers_.find(node);
    if (servers == servers_.end()) return false;
    const std::string text = traffic::nonce_text(nonce);
    std::string bytes;
    for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(nonce >> shift & 0xFFU));
    return std::ranges::any_of(servers->second, [&](const auto& server) {
      return std::ranges::any_of(server->requests(), [&](const network::ServiceRequest& request) {
        return request.text.find(bytes) != std::string::npos || request.text.find(text) != std::string::npos;
      });
    });
  }

  std::string mix_case(std::string name) {
    for (char& letter : name) {
      const auto code = static_cast<unsigned char>(letter);
      if (std::isalpha(code) == 0) continue;
      letter = static_cast<char>((random_() & 1U) != 0 ? std::toupper(code) : std::tolower(code));
    }
    return name;
  }

  boost::asio::any_io_executor executor_;
  const network::LiveNetwork& network_;
  network::Topology topology_;
  StageOptions options_;
  std::mt19937 random_{std::random_device{}()};
  std::map<std::string, std::vector<std::unique_ptr<network::Server>>, std::less<>> servers_;
  std::set<std::pair<std::string, Service>> planted_;
  std::map<std::string, std::vector<unsigned>, std::less<>> distances_;
  proof::Observer observer_;
  std::optional<traffic::Capture> capture_;
};

Stage::Stage(boost::asio::any_io_executor executor, const network::LiveNetwork& network,
             network::Topology topology, const std::vector<Need>& needs, const StageOptions& options)
    : impl_(std::make_unique<Impl>(std::move(executor), network, std::move(topology), needs, options)) {}

Stage::~Stage() = default;

const network::Topology& Stage::topology() const noexcept {
  return impl_->topology();
}

Target Stage::target(std::string_view from, const std::string& to) const {
  return impl_->target(from, to);
}

awaitable<Evidence> Stage::exchange(std::string from, Target to, Service with) {
  return impl_->exchange(std::move(from), std::move(to), with);
}

awaitable<DnsEvidence> Stage::resolve(std::string from, Target server, std::string name, bool tcp) {
  return impl_->resolve(std::move(from), std::move(server), std::move(name), tcp);
}

}  // namespace plumbline::engine
