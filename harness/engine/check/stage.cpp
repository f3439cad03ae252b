#include "harness/engine/check/stage.hpp"

#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <boost/asio/post.hpp>
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
#include "harness/engine/check/ground.hpp"
#include "harness/engine/check/next_hop.hpp"
#include "harness/engine/check/tap_filter.hpp"
#include "harness/kernel/counters/counters.hpp"
#include "harness/network/discovery/discover.hpp"
#include "harness/network/service/service.hpp"
#include "harness/proof/journey/observer.hpp"
#include "harness/proof/witness/drop_trace.hpp"
#include "harness/proof/witness/kernel_trace.hpp"
#include "harness/proof/witness/translation.hpp"
#include "harness/traffic/capture/capture.hpp"

namespace plumbline::engine {
namespace {

using boost::asio::awaitable;

/// How long a living neighbour may take to answer when it is asked for: generous on a simulated cable.
constexpr std::chrono::milliseconds kNeighbourAnswers{100};

/// How long a probe waits that is sent to see what counts it: it is known that no answer comes.
constexpr std::chrono::milliseconds kSecondLook{50};

/// How long an ICMP error may take to its probe's sender over simulated cables: generous.
constexpr std::chrono::milliseconds kIcmpArrives{20};

/// All rings together; the kernel allocates and clears them at once, so this is real memory and real time:
/// with the largest budget a third of all that a run of some hundred checks takes. That many lose nothing
/// with a fiftieth of what they get.
constexpr std::size_t kRingBudget = 96U << 20U;
constexpr std::size_t kLeastRingBudget = 8U << 20U;
constexpr std::size_t kRingBudgetOfACheck = 128U << 10U;
constexpr std::size_t kLeastRing = 128U << 10U;
constexpr std::size_t kLargestRing = 32U << 20U;

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
  std::string filter;
  bool stale = false;  // the node is gone, or its name now means another namespace: of no concern
};

/// On the clock of the taps' timestamps.
std::uint64_t now_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

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
        ground_(topology_),
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
    ground_ = Ground(topology_);
    distances_.clear();
    let_go();
    renew_filters();
    watches_.note_changes();
    start_declared_servers();
    plant(needs);
    open_taps();
    open_traces();
    frames_lost();
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

  std::vector<proof::Translation> translations(const proof::Journey& journey) {
    std::vector<proof::TranslationWitness::Source> sources;
    for (const auto& [name, netns] : network_.nodes()) sources.push_back({name, &netns});
    translations_.watch(sources);
    return translations_.translations(journey);
  }

  awaitable<Evidence> exchange(std::string from, Target to, Service with, Until until) {
    // A DNS server answers questions, not echoes.
    if (with.protocol == traffic::Protocol::udp && serves_dns(topology_, to, with)) {
      return exchange_question(std::move(from), std::move(to), with, until);
    }
    return exchange_probe(std::move(from), std::move(to), with, until);
  }

  awaitable<void> count_again(proof::Case& question) {
    std::set<std::string> nodes{question.from};
    for (const proof::Sighting& sighting : question.journey.sightings) nodes.insert(sighting.node);
    const std::map<std::string, kernel::counters::Counters> before = counters_of(nodes);
    const auto timeout = std::exchange(options_.timeout, std::min(options_.timeout, kSecondLook));
    Target to{question.to.to_string(), question.to, question.to_node};
    const Service with{question.protocol, question.port};
    std::string from = question.from;
    const Evidence evidence = co_await exchange(std::move(from), std::move(to), with, Until::time_out);
    options_.timeout = timeout;
    if (evidence.answered()) co_return;
    const auto after = counters_of(nodes);
    for (const auto& [node, counters] : before) {
      if (!after.contains(node)) continue;
      for (const auto& [name, by] : kernel::counters::difference(counters, after.at(node))) {
        question.kernel.counters.push_back({node, name, by});
      }
    }
  }

  void look_again(Evidence& evidence) {
    if (!evidence.watch) return;
    const bool complete = evidence.journey.complete;
    evidence.journey = journey(evidence.watch, evidence.from, evidence.to.address, frames_lost());
    evidence.journey.complete = complete;
    if (evidence.delivered_to.empty()) evidence.delivered_to = delivered_to(evidence.nonce);
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

  awaitable<Evidence> exchange_probe(std::string from, Target to, Service with, Until until) {
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
    Impatience impatience(*this, until);
    request.recall = impatience.recall;
    const std::function<void(const traffic::ProbeIdentity&)> ready =
        [&](const traffic::ProbeIdentity& identity) {
          watch = observer_.watch(key_for(request, identity), now_ns());
          impatience.await(*watch);
        };
    const std::uint64_t lost_before = frames_lost_;
    const proof::KernelTrace::Mark traced_before = trace_mark();
    Evidence evidence;
    evidence.outcome = co_await traffic::probe(request, ready);
    evidence.ended_early = impatience.was_early();
    evidence.watch = watch;
    evidence.nonce = request.nonce;
    evidence.journey = journey(watch, from, request.to, lost_before);
    evidence.kernel = kernel_path(watch, from, traced_before);
    evidence.delivered_to = delivered_to(request.nonce);
    if (evidence.delivered_to.empty() && !evidence.ended_early)
      evidence.delivered_to = half_open_at(with, evidence);
    evidence.from = std::move(from);
    evidence.to = std::move(to);
    evidence.with = with;
    co_return evidence;
  }

  /// A UDP probe to a DNS server: a question whose name is the nonce. Any response to it is the server's
  /// answer.
  awaitable<Evidence> exchange_question(std::string from, Target to, Service with, Until until) {
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
    Impatience impatience(*this, until);
    request.recall = impatience.recall;
    evidence.nonce = nonce;
    const std::function<void(proof::WatchId)> sent = [&](proof::WatchId watch) {
      evidence.watch = watch;
      impatience.await(watch);
    };
    evidence.journey = co_await ask(request, from, answer, evidence.kernel, sent);
    evidence.ended_early = impatience.was_early();
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
                                traffic::DnsOutcome& outcome, proof::KernelPath& kernel,
                                const std::function<void(proof::WatchId)>& sent = {}) {
    std::optional<proof::WatchId> watch;
    const std::function<void(const traffic::ProbeIdentity&)> ready = [&](const traffic::ProbeIdentity&
                                                                             identity) {
      if (request.transport == traffic::DnsTransport::tcp) {
        watch = observer_.watch(proof::TcpKey{identity.source_port, request.port, request.server}, now_ns());
      } else {
        watch = observer_.watch(proof::DnsKey{request.id, request.name, identity.source_port, request.port},
                                now_ns());
      }
      if (sent) sent(*watch);
    };
    const std::uint64_t lost_before = frames_lost_;
    const proof::KernelTrace::Mark traced_before = trace_mark();
    outcome = co_await traffic::ask(request, ready);
    proof::Journey seen = journey(watch, from, request.server, lost_before);
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
      traffic::TapSource& tap = taps.emplace_back();
      tap.node = name;
      tap.netns = &netns;
      tap.buffer_bytes = ring_size(share, all_shares, options_);
      tap.filter = tap_filter(node);
      tapped_.push_back({name, inode, tap.filter});
    }
    if (taps.empty()) return;
    traffic::CaptureOptions options;
    options.snap_length = options_.tap_snap_length;
    const std::size_t which = captures_.size();
    for (std::size_t i = 0; i < taps.size(); ++i) places_.emplace_back(which, i);
    captures_.push_back(std::make_unique<traffic::Capture>(
        executor_, std::move(taps), options, [this, which, first](const traffic::Frame& frame) {
          if (tapped_[first + frame.tap].stale) return;
          const traffic::Capture& capture = *captures_[which];
          observer_.see(first + frame.tap, capture.node(frame.tap),
                        capture.interface_name(frame.tap, frame.interface), frame.time_ns, frame.bytes,
                        frame.original_length, traffic::LinkType::linux_sll2);
        }));
  }

  /// Where a node's addresses or interfaces have changed.
  void renew_filters() {
    for (std::size_t i = 0; i < tapped_.size(); ++i) {
      if (tapped_[i].stale) continue;
      std::string filter = tap_filter(topology_.find(tapped_[i].node));
      if (filter == tapped_[i].filter) continue;
      captures_[places_[i].first]->set_filter(places_[i].second, filter);
      tapped_[i].filter = std::move(filter);
    }
  }

  /// What was lost since it was last asked may have been any probe's that was under way meanwhile.
  std::uint64_t frames_lost() {
    frames_lost_ = 0;
    for (const auto& capture : captures_) frames_lost_ += capture->dropped();
    return frames_lost_;
  }

  /// Frames lost since `lost_before` may have been this probe's.
  proof::Journey journey(std::optional<proof::WatchId> watch, const std::string& from, const IpAddress& to,
                         std::uint64_t lost_before) {
    for (const auto& capture : captures_) capture->drain();
    proof::Journey journey;
    if (watch) journey = observer_.journey(*watch, terrain(from, to));
    journey.complete = frames_lost() == lost_before;
    return journey;
  }

  /// Of the nodes that are to be traced, those that are there.
  void open_traces() {
    std::vector<proof::TraceSource> sources;
    for (const auto& [name, netns] : network_.nodes()) {
      const network::Node* node = topology_.find(name);
      const bool under_test = options_.trace_rules && node != nullptr && node->role != network::Role::world;
      if (under_test || std::ranges::find(options_.traced, name) != options_.traced.end())
        sources.push_back({name, &netns});
    }
    if (!sources.empty() && !trace_)
      trace_.emplace(executor_, proof::TraceOptions{options_.trace_buffer_bytes});
    if (trace_) {
      trace_->watch(sources);
      trace_->on_news([this] { recall_dropped(); });
    }
    if (options_.trace_rules) listen_to_drops();
  }

  /// Of all nodes: what the world drops is evidence, too.
  void listen_to_drops() {
    std::vector<proof::TraceSource> sources;
    for (const auto& [name, netns] : network_.nodes()) sources.push_back({name, &netns});
    if (!drops_) drops_.emplace(executor_);
    drops_->watch(sources);
    drops_->on_news([this] { recall_lost(); });
  }

  using Recalls = std::map<proof::WatchId, std::shared_ptr<traffic::Recall>>;

  std::map<std::string, kernel::counters::Counters> counters_of(const std::set<std::string>& nodes) const {
    std::map<std::string, kernel::counters::Counters> counters;
    for (const std::string& node : nodes) {
      const auto found = network_.nodes().find(node);
      if (found != network_.nodes().end()) counters.emplace(node, kernel::counters::read(found->second));
    }
    return counters;
  }

  /// A probe under way that may end before its time-out.
  class Impatience {
   public:
    Impatience(Impl& stage, Until until) : recalls_(stage.recalls_) {
      if (until == Until::dropped) recall = std::make_shared<traffic::Recall>();
    }
    Impatience(const Impatience&) = delete;
    Impatience& operator=(const Impatience&) = delete;
    ~Impatience() {
      if (watch_) recalls_->erase(*watch_);
    }

    std::shared_ptr<traffic::Recall> recall;

    void await(proof::WatchId watch) {
      if (!recall) return;
      watch_ = watch;
      recalls_->emplace(watch, recall);
    }
    bool was_early() const { return recall && recall->made(); }

   private:
    std::shared_ptr<Recalls> recalls_;  ///< shared: an interrupted probe's coroutine goes after the stage
    std::optional<proof::WatchId> watch_;
  };

  /// Taps first: what they saw before a report was written tells whose packet it is about.
  void recall_dropped() {
    if (recalls_->empty()) return;
    for (const auto& capture : captures_) capture->drain();
    for (const proof::WatchId watch : trace_->perhaps_stopped(observer_)) {
      const auto waiting = recalls_->find(watch);
      if (waiting != recalls_->end() && trace_->dropped_in_silence(watch)) waiting->second->now();
    }
  }

  proof::KernelTrace::Mark trace_mark() const { return trace_ ? trace_->mark() : proof::KernelTrace::Mark(); }

  /// For reasons other than a rule's the kernel may tell the sender by ICMP: that is on its way then.
  void recall_lost() {
    if (recalls_->empty()) return;
    for (const auto& capture : captures_) capture->drain();
    for (const proof::WatchId watch : drops_->fresh(observer_)) {
      const auto waiting = recalls_->find(watch);
      if (waiting == recalls_->end()) continue;
      const auto drops = drops_->drops(observer_, watch);
      if (std::ranges::any_of(drops, is_final)) waiting->second->soon(executor_, kIcmpArrives);
    }
  }

  /// Rules are told by nftables' trace, and a rejection drops the packet, too.
  static bool is_final(const proof::Drop& drop) {
    return drop.leg == proof::Leg::forward && drop.reason != "NETFILTER_DROP" && !proof::may_be_a_copy(drop);
  }

  /// What was read for one probe's sake may be about others that wait: no news come of it any more.
  void look_for_others() {
    if (recalls_->empty() || looking_) return;
    looking_ = true;
    boost::asio::post(executor_, [this, here = std::weak_ptr<const bool>(here_)] {
      if (here.expired()) return;
      looking_ = false;
      if (trace_) recall_dropped();
      if (drops_) recall_lost();
    });
  }

  /// Reports first, then taps: what they saw before a report was written tells whose packet it is about.
  proof::KernelPath kernel_path(std::optional<proof::WatchId> watch, const std::string& from,
                                const proof::KernelTrace::Mark& before) {
    if (trace_) trace_->drain();
    if (drops_) drops_->drain();
    for (const auto& capture : captures_) capture->drain();
    look_for_others();
    proof::KernelPath path;
    if (trace_) {
      const std::vector<unsigned>& by_tap = distance_from(from);
      path = trace_->path(observer_, watch, before, [&](const std::string& node) {
        const auto tap =
            static_cast<std::size_t>(std::ranges::find(tapped_, node, &Tapped::node) - tapped_.begin());
        return tap < by_tap.size() ? by_tap[tap] : 0U;
      });
    }
    if (!drops_) return path;
    path.drops_problem = drops_->problem();
    if (watch) {
      path.drops = drops_->drops(observer_, *watch);
      drops_->forget(*watch);
    }
    return path;
  }

  proof::Terrain terrain(const std::string& from, const IpAddress& to) {
    proof::Terrain terrain;
    terrain.distance = distance_from(from);
    terrain.cables = &ground_.cables();
    terrain.source = from;
    terrain.target = to;
    terrain.gateways = [this](const std::string& node) { return ground_.gateways(node); };
    return terrain;
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
    for (const proof::Sighting& sighting : evidence.journey.sightings) {
      if (sighting.leg != proof::Leg::neighbour) passed.insert(sighting.node);
    }
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
  Ground ground_;
  StageOptions options_;
  std::mt19937 random_{std::random_device{}()};
  std::map<std::string, std::vector<std::unique_ptr<network::Server>>, std::less<>> servers_;
  std::map<std::string, std::uint64_t, std::less<>> served_;  ///< the namespaces where servers_ are, by inode
  std::set<std::pair<std::string, Service>> planted_;
  std::map<std::string, std::vector<unsigned>, std::less<>> distances_;
  proof::Observer observer_;
  std::vector<Tapped> tapped_;                               ///< by tap, over all captures
  std::vector<std::pair<std::size_t, std::size_t>> places_;  ///< which capture, and which of its taps
  std::vector<std::unique_ptr<traffic::Capture>> captures_;
  std::uint64_t frames_lost_ = 0;  ///< when it was last asked
  FrameWatches watches_;
  std::optional<proof::KernelTrace> trace_;
  std::optional<proof::DropTrace> drops_;
  bool looking_ = false;
  std::shared_ptr<const bool> here_ = std::make_shared<const bool>(true);
  std::shared_ptr<Recalls> recalls_ = std::make_shared<Recalls>();  ///< of probes that are under way
  proof::TranslationWitness translations_;
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

std::vector<proof::Translation> Stage::translations(const proof::Journey& journey) {
  return impl_->translations(journey);
}

awaitable<std::string> Stage::unresolved_neighbour(std::string node, const Evidence& evidence) {
  return impl_->unresolved_neighbour(std::move(node), evidence);
}

awaitable<Evidence> Stage::exchange(std::string from, Target to, Service with, Until until) {
  return impl_->exchange(std::move(from), std::move(to), with, until);
}

awaitable<void> Stage::count_again(proof::Case& question) {
  return impl_->count_again(question);
}

void Stage::look_again(Evidence& evidence) {
  impl_->look_again(evidence);
}

awaitable<DnsEvidence> Stage::resolve(std::string from, Target server, std::string name, bool tcp,
                                      IpFamily family) {
  return impl_->resolve(std::move(from), std::move(server), std::move(name), tcp, family);
}

}  // namespace plumbline::engine
