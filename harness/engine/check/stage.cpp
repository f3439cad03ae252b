#include "harness/engine/check/stage.hpp"

#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/scope_exit.hpp"
#include "harness/engine/check/kernel_reports.hpp"
#include "harness/engine/check/listeners.hpp"
#include "harness/engine/check/next_hop.hpp"
#include "harness/engine/check/pace.hpp"
#include "harness/engine/check/prober.hpp"
#include "harness/engine/check/taps.hpp"
#include "harness/kernel/counters/counters.hpp"
#include "harness/kernel/netns/module.hpp"
#include "harness/network/discovery/discover.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/witness/translation.hpp"

namespace plumbline::engine {
namespace {

using boost::asio::awaitable;

/// How long a living neighbour may take to answer when it is asked for: generous on a simulated cable.
constexpr std::chrono::milliseconds kNeighbourAnswers{100};

/// How long a probe waits that is sent to see what counts it: it is known that no answer comes.
constexpr std::chrono::milliseconds kSecondLook{50};

constexpr std::uint16_t kDnsPort = 53;

}  // namespace

class Stage::Impl {
 public:
  Impl(boost::asio::any_io_executor executor, const network::LiveNetwork& network, network::Topology topology,
       const std::vector<Need>& needs, const StageOptions& options)
      : executor_(std::move(executor)),
        network_(network),
        topology_(std::move(topology)),
        held_options_(std::make_shared<StageOptions>(options)),
        listeners_(executor_, network_),
        taps_(executor_, network_, topology_,
              {options.checks, options.tap_buffer_bytes, options.tap_snap_length}),
        reports_(
            executor_, network_, taps_,
            {options.trace_rules, options.drops, options.live, options.traced, options.trace_buffer_bytes}),
        watches_(executor_, network_),
        pace_(executor_, options.probes_per_second) {
    set_up(needs);
  }

  void plant(const std::vector<Need>& needs) {
    if (options_.live) return;  // each probe's is there while it is under way
    for (const Need& need : needs) listeners_.plant(need, topology_);
  }

  void update(network::Topology topology, const std::vector<Need>& needs) {
    topology_ = std::move(topology);
    listeners_.let_go();
    taps_.note_changes();
    watches_.note_changes();
    set_up(needs);
  }

  Listeners& listeners() noexcept { return listeners_; }
  void intend(network::Topology intended) { options_.intended = std::move(intended); }

  const network::Topology& topology() const noexcept { return topology_; }
  const network::Topology& intended() const noexcept { return options_.intended; }
  bool is_live() const noexcept { return options_.live; }
  const std::string& docker_socket() const noexcept { return options_.docker_socket; }
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
    if (const auto address = shared_address(topology_, from, *node, family)) return {to, *address, to};
    const network::Node* meant = options_.intended.find(to);
    const auto lost =
        meant == nullptr ? std::nullopt : shared_address(options_.intended, from, *meant, family);
    if (lost) return {to, *lost, to};
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
    // A kernel that is asked for what it has not loaded yet loads it.
    if (options_.live && !kernel::has_module("nf_conntrack_netlink")) return {};
    for (const auto& [name, netns] : network_.nodes()) sources.push_back({name, &netns});
    translations_.watch(sources);
    return translations_.translations(journey);
  }

  awaitable<Evidence> exchange(std::string from, Target to, Service with, Until until) {
    Target far_end = to;
    return exchange(std::move(from), std::move(to), with, until, std::move(far_end), with);
  }

  awaitable<Evidence> exchange_through(std::string from, Target to, Service with, std::string at,
                                       Service there) {
    // Which of its addresses it leads to is not known, and a service on one of them has the port.
    const IpAddress any = *IpAddress::parse(to.address.family() == IpFamily::v6 ? "::" : "0.0.0.0");
    Target far_end{at, any, std::move(at)};
    return exchange(std::move(from), std::move(to), with, Until::time_out, std::move(far_end), there);
  }

  /// `far_end` is to take `there` what is sent to `to`.
  awaitable<Evidence> exchange(std::string from, Target to, Service with, Until until, Target far_end,
                               Service there) {
    co_await pace_.turn();
    const bool asks = with.protocol != traffic::Protocol::ping;
    Listeners::Lent lent;
    const std::string at = far_end.node;
    if (options_.live && asks) lent = co_await listeners_.lend(std::move(far_end), there);
    const bool by_service = options_.live && asks && lent == nullptr;
    // A DNS server answers questions, not echoes.
    const bool dns = serves_dns(topology_, to, with) || (by_service && there.port == kDnsPort);
    Evidence evidence;
    if (dns && with.protocol == traffic::Protocol::udp) {
      evidence = co_await prober_.question(std::move(from), std::move(to), with, until);
    } else {
      const bool echoes = !dns && !by_service;
      // Behind a proxy the taps of the server's node see packets of the proxy's own alone.
      std::optional<RelaySearch> relays;
      const bool elsewhere = !at.empty() && !to.node.empty() && at != to.node;
      if (by_service && elsewhere && with.protocol == traffic::Protocol::tcp)
        relays.emplace(network_.netns(to.node), network_.netns(at), there.port);
      evidence = co_await prober_.exchange(std::move(from), std::move(to), with, until, echoes,
                                           relays ? &*relays : nullptr);
      if (relays) evidence.relay = relays->found();
    }
    evidence.by_service = by_service;
    evidence.went_beyond = went_beyond(evidence.journey);
    co_return evidence;
  }

  awaitable<void> count_again(proof::Case& question) {
    std::set<std::string> nodes{question.from};
    for (const proof::Sighting& sighting : question.journey.sightings) nodes.insert(sighting.node);
    const std::map<std::string, kernel::counters::Counters> before = counters_of(nodes);
    Target to{question.to.to_string(), question.to, question.to_node};
    const Service with{question.protocol, question.port, question.payload_bytes};
    std::string from = question.from;
    const auto timeout = std::exchange(options_.timeout, std::min(options_.timeout, kSecondLook));
    const ScopeExit restore([options = held_options_, timeout] { options->timeout = timeout; });
    if (question.promise == proof::Case::Promise::resolve) {
      const DnsEvidence evidence = co_await resolve(std::move(from), std::move(to), question.name,
                                                    question.dns_over_tcp, question_family(question));
      if (evidence.outcome.status != traffic::DnsOutcome::Status::timeout) co_return;
    } else {
      const Evidence evidence = co_await exchange(std::move(from), std::move(to), with, Until::time_out);
      if (evidence.answered()) co_return;
    }
    const auto after = counters_of(nodes);
    for (const auto& [node, counters] : before) {
      if (!after.contains(node)) continue;
      for (const auto& [name, by] : kernel::counters::difference(counters, after.at(node))) {
        question.kernel.counters.push_back({node, name, by});
      }
    }
  }

  awaitable<void> ask_otherwise(proof::Case& question) {
    using Status = traffic::DnsOutcome::Status;
    if (question.promise != proof::Case::Promise::resolve || !question.dns) co_return;
    const traffic::DnsOutcome& had = *question.dns;
    const bool in_doubt = had.status == Status::timeout || had.status == Status::icmp_error ||
                          had.status == Status::refused_connection || had.truncated;
    const bool was_there = question.to_node.empty() ||
                           question.journey.arrived(question.to_node) != nullptr ||
                           proof::stopper(question.kernel);
    if (!in_doubt || !was_there) co_return;
    Target server{question.to.to_string(), question.to, question.to_node};
    std::string from = question.from;
    std::string name = question.name;
    const DnsEvidence evidence = co_await resolve(std::move(from), std::move(server), std::move(name),
                                                  !question.dns_over_tcp, question_family(question));
    question.dns_otherwise = evidence.outcome;
  }

  awaitable<void> await_late_answer(proof::Case& question) {
    if (!question.watch || !question.wanted_through() || !proof::taken_in_silence(question)) co_return;
    const auto until = std::chrono::steady_clock::now() + 3 * options_.timeout;
    const bool complete = question.journey.complete;
    // Once it has left the target it is on its way back, which ends the wait, or is lost there. Of a
    // connection the handshake came back long ago.
    const auto is_back = [&question] {
      return std::ranges::any_of(question.journey.sightings, [&](const proof::Sighting& each) {
        const auto* tcp = std::get_if<traffic::TcpHeader>(&each.packet.transport);
        const bool answer = tcp == nullptr || each.packet.payload_total > 0 || tcp->rst || tcp->fin;
        return answer && each.is(proof::Leg::reply, question.from, traffic::Direction::in);
      });
    };
    for (bool waits = true; waits;) {
      question.journey = taps_.journey(question.watch, question.from, question.to, taps_.frames_lost());
      question.journey.complete = complete;
      leave_out_later_questions(question.journey, question.kernel);
      waits = (proof::taken_in_silence(question) || !is_back()) && std::chrono::steady_clock::now() < until;
      if (waits) co_await taps_.sighting(*question.watch, until);
    }
  }

  void look_again(Evidence& evidence) {
    if (!evidence.watch) return;
    const bool complete = evidence.journey.complete;
    evidence.journey = taps_.journey(evidence.watch, evidence.from, evidence.to.address, taps_.frames_lost());
    evidence.journey.complete = complete;
    leave_out_later_questions(evidence.journey, evidence.kernel);
    if (evidence.delivered_to.empty()) evidence.delivered_to = listeners_.delivered_to(evidence.nonce);
  }

  awaitable<DnsEvidence> resolve(std::string from, Target server, std::string name, bool tcp,
                                 IpFamily family) {
    co_await pace_.turn();
    DnsEvidence evidence =
        co_await prober_.resolve(std::move(from), std::move(server), std::move(name), tcp, family);
    co_return evidence;
  }

 private:
  /// Of the addresses that were asked for.
  static IpFamily question_family(const proof::Case& question) {
    return question.aaaa ? IpFamily::v6 : IpFamily::v4;
  }

  void set_up(const std::vector<Need>& needs) {
    listeners_.start_declared(topology_);
    plant(needs);
    taps_.open();
    reports_.open(topology_);
    taps_.frames_lost();
  }

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

  /// Last seen leaving by an interface whose other end is at no node that is watched.
  bool went_beyond(const proof::Journey& journey) const {
    const proof::Sighting* last = journey.furthest();
    if (last == nullptr || last->packet.direction != traffic::Direction::out) return false;
    const network::Node* node = topology_.find(last->node);
    const network::Interface* by = node == nullptr ? nullptr : node->find_interface(last->interface);
    const auto inside = [](const network::Interface& each) {
      return each.kind == network::LinkKind::loopback || each.kind == network::LinkKind::bridge;
    };
    return by != nullptr && !inside(*by) && !by->peer;
  }

  static std::optional<IpAddress> shared_address(const network::Topology& topology, std::string_view from,
                                                 const network::Node& node, IpFamily family) {
    const auto candidates = known_addresses(node, family);
    const int host_length = family == IpFamily::v4 ? 32 : 128;
    const network::Node* source = topology.find(from);
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

  std::map<std::string, kernel::counters::Counters> counters_of(const std::set<std::string>& nodes) const {
    std::map<std::string, kernel::counters::Counters> counters;
    for (const std::string& node : nodes) {
      const auto found = network_.nodes().find(node);
      if (found != network_.nodes().end()) counters.emplace(node, kernel::counters::read(found->second));
    }
    return counters;
  }

  boost::asio::any_io_executor executor_;
  const network::LiveNetwork& network_;
  network::Topology topology_;
  /// Shared: an interrupted probe's coroutine goes after the stage.
  const std::shared_ptr<StageOptions> held_options_;
  StageOptions& options_ = *held_options_;
  Listeners listeners_;
  Taps taps_;
  KernelReports reports_;
  FrameWatches watches_;
  Prober prober_{network_, listeners_, taps_, reports_, options_};
  Pace pace_;
  proof::TranslationWitness translations_;
};

Stage::Stage(boost::asio::any_io_executor executor, const network::LiveNetwork& network,
             network::Topology topology, const std::vector<Need>& needs, const StageOptions& options)
    : impl_(std::make_unique<Impl>(std::move(executor), network, std::move(topology), needs, options)) {}

Stage::~Stage() = default;

const network::Topology& Stage::topology() const noexcept {
  return impl_->topology();
}

bool Stage::is_live() const noexcept {
  return impl_->is_live();
}

const std::string& Stage::docker_socket() const noexcept {
  return impl_->docker_socket();
}

const network::Topology& Stage::intended() const noexcept {
  return impl_->intended();
}

void Stage::intend(network::Topology intended) {
  impl_->intend(std::move(intended));
}

const network::LiveNetwork& Stage::network() const noexcept {
  return impl_->network();
}

network::Node Stage::look_at(std::string_view node) const {
  return impl_->look_at(node);
}

Listeners& Stage::listeners() noexcept {
  return impl_->listeners();
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

awaitable<Evidence> Stage::exchange_through(std::string from, Target to, Service with, std::string at,
                                            Service there) {
  return impl_->exchange_through(std::move(from), std::move(to), with, std::move(at), there);
}

awaitable<void> Stage::count_again(proof::Case& question) {
  return impl_->count_again(question);
}

void Stage::look_again(Evidence& evidence) {
  impl_->look_again(evidence);
}

awaitable<void> Stage::ask_otherwise(proof::Case& question) {
  return impl_->ask_otherwise(question);
}

awaitable<void> Stage::await_late_answer(proof::Case& question) {
  return impl_->await_late_answer(question);
}

awaitable<DnsEvidence> Stage::resolve(std::string from, Target server, std::string name, bool tcp,
                                      IpFamily family) {
  return impl_->resolve(std::move(from), std::move(server), std::move(name), tcp, family);
}

}  // namespace plumbline::engine
