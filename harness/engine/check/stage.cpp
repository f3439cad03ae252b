#include "harness/engine/check/stage.hpp"

#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cctype>
#include <deque>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <sstream>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/engine/check/next_hop.hpp"
#include "harness/network/discovery/discover.hpp"
#include "harness/network/service/service.hpp"
#include "harness/proof/journey/observer.hpp"
#include "harness/proof/witness/kernel_trace.hpp"
#include "harness/traffic/capture/capture.hpp"

namespace plumbline::engine {
namespace {

using boost::asio::awaitable;

/// How long a living neighbour may take to answer when it is asked for: generous on a simulated cable.
constexpr std::chrono::milliseconds kNeighbourAnswers{100};

/// All rings together; the kernel allocates and clears them at once, so this is real memory and real time:
/// with the largest budget a third of all that a run of some hundred checks takes. That many lose nothing
/// with a fiftieth of what they get.
constexpr std::size_t kRingBudget = 96U << 20U;
constexpr std::size_t kLeastRingBudget = 8U << 20U;
constexpr std::size_t kRingBudgetOfACheck = 128U << 10U;
constexpr std::size_t kLeastRing = 128U << 10U;
constexpr std::size_t kLargestRing = 32U << 20U;

/// What probes are made of and what answers them. On a bridge with N ports each ARP request is N frames, and
/// N containers ask at once: without this the rings fill with what no verdict rests on. ICMPv6 from type 130
/// on is neighbour and multicast discovery.
constexpr const char* kFilter = "icmp or tcp or udp or (icmp6 and ip6[40] < 130)";

/// A node's share of the budget. What its one tap sees grows with its interfaces (a host with a hundred
/// bridge ports sees a hundred times what each container does), and with its being on everybody's way, as
/// routers and switches are.
std::size_t weight(const network::Node& node) {
  constexpr std::size_t on_the_way = 16;
  return node.interfaces.size() + (node.role == network::Role::container ? 0 : on_the_way);
}

std::size_t ring_budget(std::size_t checks) {
  if (checks == 0) return kRingBudget;
  return std::clamp(checks * kRingBudgetOfACheck, kLeastRingBudget, kRingBudget);
}

std::size_t ring_size(std::size_t share, std::size_t all_shares, const StageOptions& options) {
  if (options.tap_buffer_bytes != 0) return options.tap_buffer_bytes;
  const std::size_t budget = ring_budget(options.checks);
  return std::clamp(budget / std::max<std::size_t>(all_shares, 1) * share, kLeastRing, kLargestRing);
}

/// Whose tap it is. A namespace cannot come back under another's number while its tap is open.
struct Tapped {
  std::string node;
  std::uint64_t inode = 0;  // of its namespace
  bool stale = false;       // the node is gone, or its name now means another namespace: of no concern
};

/// Cables from `source` to every other node, in the order of `tapped`.
std::vector<unsigned> distances(const network::Topology& topology, const std::vector<Tapped>& tapped,
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
  for (const Tapped& tap : tapped) {
    const auto found = hops.find(tap.node);
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

}  // namespace

class Stage::Impl {
 public:
  Impl(boost::asio::any_io_executor executor, const network::LiveNetwork& network, network::Topology topology,
       const std::vector<Need>& needs, const StageOptions& options)
      : executor_(std::move(executor)),
        network_(network),
        topology_(std::move(topology)),
        options_(options),
        watches_(executor_, network_) {
    start_declared_servers();
    plant(needs);
    open_taps();
    open_traces();
  }

  void plant(const std::vector<Need>& needs) {
    for (const Need& need : needs) plant(need);
  }

  void update(network::Topology topology, const std::vector<Need>& needs) {
    topology_ = std::move(topology);
    distances_.clear();
    let_go();
    watches_.note_changes();
    start_declared_servers();
    plant(needs);
    open_taps();
    open_traces();
  }

  const network::Topology& topology() const noexcept { return topology_; }
  const network::LiveNetwork& network() const noexcept { return network_; }

  network::Node look_at(std::string_view node) const {
    return network::discover_node(network_, node, topology_);
  }

  void watch(const std::vector<FrameWatch>& watches) { watches_.open(watches, topology_); }
  WatchRecord watched(const FrameWatch& watch) { return watches_.record(watch); }

  Target target(std::string_view from, const std::string& to, IpFamily family) const {
    if (const auto address = IpAddress::parse(to)) {
      if (address->is_loopback()) return {to, *address, std::string(from)};  // everybody has their own
      const network::Node* owner = topology_.owner_of(*address);
      return {to, *address, owner == nullptr ? std::string() : owner->name};
    }
    const network::Node* node = topology_.find(to);
    if (node == nullptr) throw Error(fmt::format("there is no node '{}' in this network", to));
    if (const auto address = shared_address(from, *node, family)) return {to, *address, to};
    throw Error(
        fmt::format("node {} has no {} address that {} could name it by", to, family_name(family), from));
  }

  awaitable<std::string> unresolved_neighbour(std::string node, const Evidence& evidence) {
    const std::set<Unresolved> first = unresolved_on_the_way(node, evidence);
    if (first.empty()) co_return std::string();
    // Another check's probe may be asking right now; living neighbours answer well within this.
    boost::asio::steady_timer later(executor_, kNeighbourAnswers);
    co_await later.async_wait(boost::asio::use_awaitable);
    for (const Unresolved& neighbour : unresolved_on_the_way(node, evidence)) {
      if (first.contains(neighbour)) co_return neighbour.address.to_string();
    }
    co_return std::string();
  }

  awaitable<Evidence> exchange(std::string from, Target to, Service with) {
    // A DNS server answers questions, not echoes.
    if (with.protocol == traffic::Protocol::udp && serves_dns(topology_, to, with)) {
      return exchange_question(std::move(from), std::move(to), with);
    }
    return exchange_probe(std::move(from), std::move(to), with);
  }

  awaitable<DnsEvidence> resolve(std::string from, Target server, std::string name, bool tcp,
                                 IpFamily family) {
    traffic::DnsRequest request;
    request.from = &network_.netns(from);
    request.server = server.address;
    request.name = mix_case(name);
    request.aaaa = family == IpFamily::v6;
    request.id = static_cast<std::uint16_t>(random_());
    request.transport = tcp ? traffic::DnsTransport::tcp : traffic::DnsTransport::udp;
    request.timeout = options_.timeout;
    DnsEvidence evidence;
    evidence.journey = co_await ask(request, from, evidence.outcome, evidence.kernel);
    evidence.from = std::move(from);
    evidence.server = std::move(server);
    evidence.name = std::move(name);
    co_return evidence;
  }

 private:
  std::set<Unresolved> unresolved_on_the_way(const std::string& node, const Evidence& evidence) const {
    auto socket = kernel::netlink::Socket::open(network_.netns(node));
    const std::set<Unresolved> all = unresolved_neighbours(socket);
    std::set<Unresolved> found;
    for (const Unresolved& each : all) {
      if (each.address.family() == evidence.to.address.family()) found.insert(each);
    }
    if (found.size() == all.size()) return found;
    for (const kernel::netlink::RouteLookup& lookup : lookups(node, evidence)) {
      if (const auto next = unresolved_next_hop(socket, lookup, all)) found.insert(*next);
    }
    return found;
  }

  /// What `node` may have asked its routes about the probe: as the packet that came in there, by each
  /// interface that saw it (a bridge and its port), or as one of its own.
  std::vector<kernel::netlink::RouteLookup> lookups(const std::string& node, const Evidence& evidence) const {
    std::vector<kernel::netlink::RouteLookup> lookups;
    const auto inside = network_.netns(node).enter();
    for (const proof::Sighting& seen : evidence.journey.sightings) {
      if (!seen.is(proof::Leg::forward, node, traffic::Direction::in) || !seen.packet.ip) continue;
      const unsigned iif = ::if_nametoindex(seen.interface.c_str());
      if (iif == 0) continue;
      kernel::netlink::RouteLookup& lookup = lookups.emplace_back();
      lookup.to = seen.packet.ip->destination;
      lookup.from = seen.packet.ip->source;
      lookup.iif = iif;
    }
    if (evidence.from == node) {
      kernel::netlink::RouteLookup& own = lookups.emplace_back();
      own.to = evidence.to.address;
      own.oif = evidence.to.scope;
    }
    return lookups;
  }

  awaitable<Evidence> exchange_probe(std::string from, Target to, Service with) {
    traffic::ProbeRequest request;
    request.from = &network_.netns(from);
    request.protocol = with.protocol;
    request.to = to.address;
    request.port = with.port;
    request.scope = to.scope;
    request.nonce = traffic::next_nonce();
    request.timeout = options_.timeout;
    if (with.payload_bytes != 0) {
      request.payload_bytes = with.payload_bytes;
      request.whole = true;
    }
    request.exchange = !serves_dns(topology_, to, with);
    std::optional<proof::WatchId> watch;
    const std::function<void(const traffic::ProbeIdentity&)> ready =
        [&](const traffic::ProbeIdentity& identity) { watch = observer_.watch(key_for(request, identity)); };
    const std::uint64_t lost_before = frames_lost();
    const proof::KernelTrace::Mark traced_before = trace_mark();
    Evidence evidence;
    evidence.outcome = co_await traffic::probe(request, ready);
    evidence.journey = journey(watch, from, lost_before);
    evidence.kernel = kernel_path(watch, from, traced_before);
    evidence.delivered_to = delivered_to(request.nonce);
    if (evidence.delivered_to.empty()) evidence.delivered_to = half_open_at(with, evidence);
    evidence.from = std::move(from);
    evidence.to = std::move(to);
    evidence.with = with;
    co_return evidence;
  }

  /// A UDP probe to a DNS server: a question whose name is the nonce. Any response to it is the server's
  /// answer.
  awaitable<Evidence> exchange_question(std::string from, Target to, Service with) {
    using Dns = traffic::DnsOutcome::Status;
    using Status = traffic::ProbeOutcome::Status;
    const traffic::Nonce nonce = traffic::next_nonce();
    traffic::DnsRequest request;
    request.from = &network_.netns(from);
    request.server = to.address;
    request.port = with.port;
    request.name = traffic::nonce_text(nonce) + ".plumbline.test";
    request.id = static_cast<std::uint16_t>(random_());
    request.timeout = options_.timeout;
    traffic::DnsOutcome answer;
    Evidence evidence;
    evidence.journey = co_await ask(request, from, answer, evidence.kernel);
    const bool no_response = answer.status == Dns::timeout;
    evidence.outcome.status = answer.status == Dns::icmp_error    ? Status::icmp_error
                              : answer.status == Dns::local_error ? Status::local_error
                              : no_response                       ? Status::timeout
                                                                  : Status::replied;
    evidence.outcome.identity = answer.identity;
    evidence.outcome.icmp = answer.icmp;
    evidence.outcome.error_number = answer.error_number;
    evidence.outcome.attempted = answer.attempted;
    evidence.outcome.duration = answer.duration;
    evidence.delivered_to = delivered_to(nonce);
    evidence.from = std::move(from);
    evidence.to = std::move(to);
    evidence.with = with;
    co_return evidence;
  }

  awaitable<proof::Journey> ask(const traffic::DnsRequest& request, const std::string& from,
                                traffic::DnsOutcome& outcome, proof::KernelPath& kernel) {
    std::optional<proof::WatchId> watch;
    const std::function<void(const traffic::ProbeIdentity&)> ready = [&](const traffic::ProbeIdentity&
                                                                             identity) {
      if (request.transport == traffic::DnsTransport::tcp) {
        watch = observer_.watch(proof::TcpKey{identity.source_port, request.port, request.server});
      } else {
        watch = observer_.watch(proof::DnsKey{request.id, request.name, identity.source_port, request.port});
      }
    };
    const std::uint64_t lost_before = frames_lost();
    const proof::KernelTrace::Mark traced_before = trace_mark();
    outcome = co_await traffic::ask(request, ready);
    proof::Journey seen = journey(watch, from, lost_before);
    kernel = kernel_path(watch, from, traced_before);
    co_return seen;
  }

  static proof::Key key_for(const traffic::ProbeRequest& request, const traffic::ProbeIdentity& identity) {
    if (request.protocol == traffic::Protocol::tcp) {
      return proof::TcpKey{identity.source_port, request.port, request.to};
    }
    return proof::NonceKey{request.nonce, identity.source_port, request.port};
  }

  std::optional<IpAddress> shared_address(std::string_view from, const network::Node& node,
                                          IpFamily family) const {
    const auto candidates = known_addresses(node, family);
    const int host_length = family == IpFamily::v4 ? 32 : 128;
    const network::Node* source = topology_.find(from);
    if (source != nullptr && source != &node) {
      for (const InterfaceAddress& near : known_addresses(*source, family)) {
        for (const InterfaceAddress& candidate : candidates) {
          if (candidate.prefix_length < host_length && near.network() == candidate.network())
            return candidate.address;
        }
      }
    }
    if (candidates.empty()) return std::nullopt;
    return candidates.front().address;
  }

  bool is_there(const std::string& node, std::uint64_t inode) const {
    const auto found = network_.nodes().find(node);
    return found != network_.nodes().end() && found->second.inode() == inode;
  }

  /// Of nodes that went away, also where others have their names now.
  void let_go() {
    const auto gone = [this](const auto& served) { return !is_there(served.first, served.second); };
    for (const auto& served : served_) {
      if (!gone(served)) continue;
      servers_.erase(served.first);
      std::erase_if(planted_, [&](const auto& each) { return each.first == served.first; });
    }
    std::erase_if(served_, gone);
    for (Tapped& tap : tapped_) tap.stale = !is_there(tap.node, tap.inode);
  }

  void start_declared_servers() {
    for (const network::Node& node : topology_.nodes) {
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

  void plant(const Need& need) {
    if (need.service.protocol == traffic::Protocol::ping) return;  // the kernel itself answers
    const auto address = IpAddress::parse(need.to);
    const bool own = address && address->is_loopback();
    const network::Node* node = own       ? topology_.find(need.from)
                                : address ? topology_.owner_of(*address)
                                          : topology_.find(need.to);
    if (node == nullptr || !node->plant || serves(*node, need.service)) return;
    if (!planted_.emplace(node->name, Service{need.service.protocol, need.service.port}).second) return;
    const kernel::Netns& netns = network_.netns(node->name);
    try {
      servers_[node->name].push_back(need.service.protocol == traffic::Protocol::tcp
                                         ? network::serve_tcp_echo(executor_, netns, need.service.port)
                                         : network::serve_udp_echo(executor_, netns, need.service.port));
    } catch (const Error& error) {
      throw error.within(fmt::format("planting a listener in node {}", node->name));
    }
  }

  /// Of every node that has none yet.
  void open_taps() {
    std::size_t all_shares = 0;
    for (const network::Node& node : topology_.nodes) all_shares += weight(node);
    std::vector<traffic::TapSource> taps;
    const std::size_t first = tapped_.size();
    for (const auto& [name, netns] : network_.nodes()) {
      const std::uint64_t inode = netns.inode();
      const auto same = [&node = name, inode](const Tapped& t) { return t.node == node && t.inode == inode; };
      if (std::ranges::any_of(tapped_, same)) continue;
      const network::Node* node = topology_.find(name);
      const std::size_t share = node == nullptr ? 1 : weight(*node);
      taps.push_back({name, &netns, ring_size(share, all_shares, options_)});
      tapped_.push_back({name, inode});
    }
    if (taps.empty()) return;
    traffic::CaptureOptions options;
    options.snap_length = options_.tap_snap_length;
    options.filter = kFilter;
    const std::size_t which = captures_.size();
    captures_.push_back(std::make_unique<traffic::Capture>(
        executor_, std::move(taps), options, [this, which, first](const traffic::Frame& frame) {
          if (tapped_[first + frame.tap].stale) return;
          const traffic::Capture& capture = *captures_[which];
          observer_.see(first + frame.tap, capture.node(frame.tap),
                        capture.interface_name(frame.tap, frame.interface), frame.time_ns, frame.bytes,
                        frame.original_length, traffic::LinkType::linux_sll2);
        }));
  }

  std::uint64_t frames_lost() const {
    std::uint64_t lost = 0;
    for (const auto& capture : captures_) lost += capture->dropped();
    return lost;
  }

  /// Frames lost since `lost_before` may have been this probe's.
  proof::Journey journey(std::optional<proof::WatchId> watch, const std::string& from,
                         std::uint64_t lost_before) {
    for (const auto& capture : captures_) capture->drain();
    proof::Journey journey;
    if (watch) journey = observer_.journey(*watch, distance_from(from));
    journey.complete = frames_lost() == lost_before;
    return journey;
  }

  /// Of the nodes that are to be traced, those that are there.
  void open_traces() {
    if (!options_.trace_rules) return;
    std::vector<proof::TraceSource> sources;
    for (const auto& [name, netns] : network_.nodes()) {
      const network::Node* node = topology_.find(name);
      const bool under_test = node != nullptr && node->role != network::Role::world;
      if (under_test || std::ranges::find(options_.traced, name) != options_.traced.end())
        sources.push_back({name, &netns});
    }
    if (!sources.empty() && !trace_)
      trace_.emplace(executor_, proof::TraceOptions{options_.trace_buffer_bytes});
    if (trace_) trace_->watch(sources);
  }

  proof::KernelTrace::Mark trace_mark() const { return trace_ ? trace_->mark() : proof::KernelTrace::Mark(); }

  /// Reports first, then taps: what they saw before a report was written tells whose packet it is about.
  proof::KernelPath kernel_path(std::optional<proof::WatchId> watch, const std::string& from,
                                const proof::KernelTrace::Mark& before) {
    if (!trace_) return {};
    trace_->drain();
    for (const auto& capture : captures_) capture->drain();
    const std::vector<unsigned>& by_tap = distance_from(from);
    return trace_->path(observer_, watch, before, [&](const std::string& node) {
      const auto tap =
          static_cast<std::size_t>(std::ranges::find(tapped_, node, &Tapped::node) - tapped_.begin());
      return tap < by_tap.size() ? by_tap[tap] : 0U;
    });
  }

  const std::vector<unsigned>& distance_from(const std::string& node) {
    const auto found = distances_.find(node);
    if (found != distances_.end()) return found->second;
    return distances_.emplace(node, distances(topology_, tapped_, node)).first->second;
  }

  /// The node whose server got the nonce; empty when none did.
  std::string delivered_to(traffic::Nonce nonce) const {
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

  /// A node that the probe came to and whose kernel took the SYN of a connection that never came about (its
  /// answer was lost): the probe got through to it. One that sent it on did not take it; reading the table
  /// costs the kernel a walk over every connection of the machine. /proc/net/tcp{,6} there: remote port,
  /// state 03 (SYN_RECV).
  std::string half_open_at(const Service& with, const Evidence& evidence) const {
    if (with.protocol != traffic::Protocol::tcp) return {};
    if (evidence.outcome.status != traffic::ProbeOutcome::Status::timeout) return {};
    const std::string port = fmt::format(":{:04X}", evidence.outcome.identity.source_port);
    std::set<std::string> passed;
    for (const proof::Sighting& sighting : evidence.journey.sightings) passed.insert(sighting.node);
    std::erase_if(passed, [&](const std::string& node) {
      const proof::Sighting* left = evidence.journey.left(node);
      return left != nullptr && left->interface != "lo" && node != evidence.to.node;
    });
    for (const std::string& node : passed) {
      const auto inside = network_.netns(node).enter();
      for (const char* path : {"/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"}) {
        std::ifstream table(path);
        for (std::string line; std::getline(table, line);) {
          std::istringstream fields(line);
          std::string number, local, remote, state;
          fields >> number >> local >> remote >> state;
          if (state == "03" && remote.ends_with(port)) return node;
        }
      }
    }
    return {};
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
  std::map<std::string, std::uint64_t, std::less<>> served_;  ///< the namespaces where servers_ are, by inode
  std::set<std::pair<std::string, Service>> planted_;
  std::map<std::string, std::vector<unsigned>, std::less<>> distances_;
  proof::Observer observer_;
  std::vector<Tapped> tapped_;  ///< by tap, over all captures
  std::vector<std::unique_ptr<traffic::Capture>> captures_;
  FrameWatches watches_;
  std::optional<proof::KernelTrace> trace_;
};

Stage::Stage(boost::asio::any_io_executor executor, const network::LiveNetwork& network,
             network::Topology topology, const std::vector<Need>& needs, const StageOptions& options)
    : impl_(std::make_unique<Impl>(std::move(executor), network, std::move(topology), needs, options)) {}

Stage::~Stage() = default;

const network::Topology& Stage::topology() const noexcept {
  return impl_->topology();
}

const network::LiveNetwork& Stage::network() const noexcept {
  return impl_->network();
}

network::Node Stage::look_at(std::string_view node) const {
  return impl_->look_at(node);
}

void Stage::watch(const std::vector<FrameWatch>& watches) {
  impl_->watch(watches);
}

WatchRecord Stage::watched(const FrameWatch& watch) {
  return impl_->watched(watch);
}

void Stage::plant(const std::vector<Need>& needs) {
  impl_->plant(needs);
}

void Stage::update(network::Topology topology, const std::vector<Need>& needs) {
  impl_->update(std::move(topology), needs);
}

Target Stage::target(std::string_view from, const std::string& to, IpFamily family) const {
  return impl_->target(from, to, family);
}

awaitable<std::string> Stage::unresolved_neighbour(std::string node, const Evidence& evidence) {
  return impl_->unresolved_neighbour(std::move(node), evidence);
}

awaitable<Evidence> Stage::exchange(std::string from, Target to, Service with) {
  return impl_->exchange(std::move(from), std::move(to), with);
}

awaitable<DnsEvidence> Stage::resolve(std::string from, Target server, std::string name, bool tcp,
                                      IpFamily family) {
  return impl_->resolve(std::move(from), std::move(server), std::move(name), tcp, family);
}

}  // namespace plumbline::engine
