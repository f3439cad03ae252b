#include "checks/learned.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/error.hpp"
#include "harness/engine/check/check.hpp"
#include "harness/engine/check/diagnosis.hpp"
#include "harness/kernel/netlink/fdb.hpp"
#include "harness/kernel/netlink/socket.hpp"
#include "harness/network/discovery/discover.hpp"

namespace plumbline::checks {
namespace {

namespace netlink = kernel::netlink;
using engine::Evidence;
using engine::Judgement;
using engine::Verdict;
using network::Interface;
using network::Node;
using proof::Leg;

constexpr std::string_view kSchema = R"({
  "type": "object",
  "required": ["from", "to", "bridge"],
  "additionalProperties": false,
  "properties": {
    "from": {"$ref": "#/$defs/nodes"},
    "to": {"$ref": "#/$defs/nodes"},
    "family": {"$ref": "#/$defs/families"},
    "bridge": {"$ref": "#/$defs/interface"},
    "in": {"$ref": "#/$defs/name", "description": "The node that has the bridge; the host by default."}
  }
})";

/// The bridge's port by which a packet of `leg` first came to the bridge's node; empty: none was seen.
std::string port_of(const proof::Journey& journey, Leg leg, const Node& node, const std::string& bridge) {
  for (const proof::Sighting& sighting : journey.sightings) {
    if (sighting.leg != leg || sighting.node != node.name) continue;
    const Interface* interface = node.find_interface(sighting.interface);
    if (interface != nullptr && interface->master == bridge) return interface->name;
  }
  return {};
}

std::optional<MacAddress> mac_of(const Node& node, const std::string& interface) {
  const Interface* found = node.find_interface(interface);
  return found == nullptr ? std::nullopt : found->mac;
}

const Interface* holder_of(const Node& node, const IpAddress& address) {
  for (const Interface& interface : node.interfaces) {
    for (const InterfaceAddress& held : interface.addresses) {
      if (held.address == address) return &interface;
    }
  }
  return nullptr;
}

/// The interface that the packet was seen on, else the one that holds the address; empty: neither.
std::string end_interface(const Node& node, const proof::Sighting* seen, const IpAddress& address) {
  if (seen != nullptr) return seen->interface;
  const Interface* holder = holder_of(node, address);
  return holder == nullptr ? std::string() : holder->name;
}

std::optional<netlink::NeighbourEntry> neighbour_in(const kernel::Netns& netns, const IpAddress& address) {
  auto socket = netlink::Socket::open(netns);
  for (auto& entry :
       socket.dump(netlink::get_neighbours(), "listing the neighbours", netlink::decode_neighbour_entry)) {
    if (entry.address == address) return entry;
  }
  return std::nullopt;
}

class Learned final : public engine::Check {
 public:
  Learned(const engine::Pairing& pairing, std::string in, std::string bridge)
      : family_(pairing.family), in_(std::move(in)), bridge_(std::move(bridge)) {}

  boost::asio::awaitable<engine::Outcome> run(engine::Stage& stage) const override {
    const Node before = stage.look_at(in_);
    const Interface* bridge = before.find_interface(bridge_);
    if (bridge == nullptr || bridge->kind != network::LinkKind::bridge)
      throw Error(fmt::format("{} has no bridge {}", in_, bridge_));
    const engine::Target to = stage.target(promise.from, promise.to, family_);
    Evidence evidence = co_await stage.exchange(promise.from, to, {});
    engine::Outcome outcome;
    outcome.judgement = judge_learned(read_tables(stage, evidence, bridge->index), evidence);
    if (outcome.judgement.verdict != Verdict::pass) {
      outcome.question = engine::case_of(evidence, proof::Case::Promise::learned);
      outcome.question->host = in_;
      outcome.question->via = bridge_;
    }
    outcome.journey = std::move(evidence.journey);
    co_return outcome;
  }

 private:
  LearnedTables read_tables(const engine::Stage& stage, const Evidence& evidence, unsigned bridge) const {
    const Node node = stage.look_at(in_);
    const proof::Journey& journey = evidence.journey;
    LearnedTables tables;
    tables.bridge = bridge_;
    LearnedEnd& from = tables.from;
    LearnedEnd& to = tables.to;
    from = describe_end(stage, promise.from, evidence.outcome.identity.source, journey.left(promise.from));
    to = describe_end(stage, promise.to, evidence.to.address, journey.arrived(promise.to));
    from.port = port_of(journey, Leg::forward, node, bridge_);
    to.port = port_of(journey, Leg::reply, node, bridge_);
    from.neighbour = neighbour_in(stage.network().netns(promise.from), to.address);
    to.neighbour = neighbour_in(stage.network().netns(promise.to), from.address);
    auto socket = netlink::Socket::open(stage.network().netns(in_));
    const auto entries =
        socket.dump(netlink::get_fdb(bridge), "listing the forwarding table", netlink::decode_fdb_entry);
    for (LearnedEnd* end : {&from, &to}) read_entry(entries, *end, node, bridge);
    return tables;
  }

  LearnedEnd describe_end(const engine::Stage& stage, const std::string& name, const IpAddress& address,
                          const proof::Sighting* seen) const {
    const Node node = stage.look_at(name);
    LearnedEnd end;
    end.node = name;
    end.address = address;
    end.is_bridge = name == in_;
    if (end.is_bridge) {
      end.mac = mac_of(node, bridge_);
      return end;
    }
    const std::string interface = end_interface(node, seen, address);
    end.mac = mac_of(node, interface);
    const auto peer = network::discover_peer(stage.network(), name, interface);
    if (peer && peer->node == in_) end.cable = peer->interface;
    return end;
  }

  /// With VLANs there may be several entries: the one that fits is looked for.
  static void read_entry(const std::vector<netlink::FdbEntry>& entries, LearnedEnd& end, const Node& node,
                         unsigned bridge) {
    int best = -1;
    for (const netlink::FdbEntry& entry : entries) {
      if (entry.bridge != bridge || entry.mac != end.mac) continue;
      const auto port = std::ranges::find(node.interfaces, entry.port, &Interface::index);
      if (port == node.interfaces.end()) continue;
      const bool told = entry.fixed || (entry.own && !end.is_bridge);
      const int fit = (port->name == end.port ? 2 : 0) + (told ? 0 : 1);
      if (fit <= best) continue;
      best = fit;
      end.learned_on = port->name;
      end.told = told;
    }
  }

  IpFamily family_;
  std::string in_, bridge_;
};

std::vector<std::unique_ptr<engine::Check>> parse(const spec::CheckItem& item,
                                                  const network::Topology& intended) {
  constexpr std::string_view keys[] = {"from", "to", "family", "bridge", "in"};
  const spec::Value& arguments = item.arguments;
  arguments.as_mapping("learned");
  arguments.allow_keys("learned", keys);
  const std::string in = engine::read_guard(arguments, "in", intended);
  const network::Node* host = intended.host();
  const std::string host_name = host == nullptr ? std::string() : host->name;
  const std::string bridge = arguments.require("bridge", "learned").as_name("bridge", 15);
  engine::read_nodes(arguments, "to", intended);  // both ends' tables are read, so an address will not do
  std::vector<std::unique_ptr<engine::Check>> checks;
  for (const engine::Pairing& each : engine::read_pairings(arguments, intended)) {
    if (each.from.text == each.to.text) continue;  // of two lists of the same nodes
    auto check = std::make_unique<Learned>(each, in, bridge);
    engine::CheckResult& promise = check->promise;
    engine::describe(promise, item, each);
    const std::string elsewhere = in == host_name ? std::string() : " in " + in;
    promise.id =
        fmt::format("learned {} -> {} on {}{}{}", promise.from, promise.to, bridge, elsewhere, each.suffix());
    promise.expected = fmt::format(
        "{} from {} to {}, then {} knows both by the ports they came in by, and each "
        "knows the other's hardware address",
        each.what(), promise.from, promise.to, bridge);
    checks.push_back(std::move(check));
  }
  if (checks.empty()) arguments.fail("a node learns nothing of itself: 'from' and 'to' must differ");
  return checks;
}

std::string mac_text(const LearnedEnd& end) {
  return end.mac ? end.mac->to_string() : "no hardware address";
}

std::string neighbour_text(const LearnedEnd& end, const LearnedEnd& other) {
  const netlink::NeighbourEntry& entry = *end.neighbour;
  return fmt::format("{} has {} for {} ({})", end.node, entry.mac ? entry.mac->to_string() : "nothing",
                     other.address.to_string(), netlink::to_text(entry.state));
}

/// The bridge's table and the journey, or without a sighting the cable, contradict one another. Absent: they
/// do not.
std::optional<std::string> wrong_port(const LearnedTables& tables, const LearnedEnd& end) {
  const std::string& port = end.port.empty() ? end.cable : end.port;
  if (!end.learned_on || port.empty() || end.is_bridge || *end.learned_on == port) return std::nullopt;
  return fmt::format("{} has {}'s {} on {}, but {} {}", tables.bridge, end.node, mac_text(end),
                     *end.learned_on, end.port.empty() ? "it is plugged into" : "its packet came in by",
                     port);
}

std::optional<std::string> wrong_neighbour(const LearnedEnd& end, const LearnedEnd& other) {
  if (!end.neighbour || !end.neighbour->mac || !other.mac || end.neighbour->mac == other.mac)
    return std::nullopt;
  return fmt::format("{}, but {} is {}", neighbour_text(end, other), other.node, mac_text(other));
}

std::optional<std::string> contradiction(const LearnedTables& tables) {
  for (const LearnedEnd* end : {&tables.from, &tables.to}) {
    const LearnedEnd& other = end == &tables.from ? tables.to : tables.from;
    if (auto wrong = wrong_port(tables, *end)) return wrong;
    if (auto wrong = wrong_neighbour(*end, other)) return wrong;
  }
  return std::nullopt;
}

/// Such an entry was there before the ping, and no packet changes it.
bool is_told(const netlink::NeighbourEntry& entry) {
  return entry.state == netlink::NeighbourState::permanent || entry.state == netlink::NeighbourState::noarp;
}

/// What should be known after an answer, and is not. Absent: nothing.
std::optional<std::string> ignorance(const LearnedTables& tables) {
  for (const LearnedEnd* end : {&tables.from, &tables.to}) {
    const LearnedEnd& other = end == &tables.from ? tables.to : tables.from;
    if (end->port.empty() && !end->is_bridge)
      return fmt::format("the packet of {} came in by no port of {}", end->node, tables.bridge);
    if (!end->learned_on)
      return fmt::format("{} has not learned {}'s {}", tables.bridge, end->node, mac_text(*end));
    if (end->told)
      return fmt::format("{} has {}'s {} on {} by a static entry: it was set by hand, not learned",
                         tables.bridge, end->node, mac_text(*end), *end->learned_on);
    if (!end->neighbour)
      return fmt::format("{} has no neighbour entry for {}", end->node, other.address.to_string());
    if (!end->neighbour->mac) return neighbour_text(*end, other);
    if (is_told(*end->neighbour)) return neighbour_text(*end, other) + ": it was set by hand, not learned";
  }
  return std::nullopt;
}

}  // namespace

Judgement judge_learned(const LearnedTables& tables, const Evidence& evidence) {
  if (const auto wrong = contradiction(tables)) return {Verdict::fail, *wrong};
  const std::string outcome = traffic::to_text(evidence.outcome);
  if (!evidence.answered()) {
    return {Verdict::inconclusive,
            fmt::format("the ping was not answered ({}), so the tables need not know both ends; {}", outcome,
                        evidence.furthest())};
  }
  if (const auto blind = evidence.blind()) {
    return {Verdict::inconclusive,
            fmt::format("{}, but {}, so the ports are not known by which it came", outcome, *blind)};
  }
  if (const auto unknown = ignorance(tables))
    return {Verdict::fail, fmt::format("{}, but {}", outcome, *unknown)};
  return {Verdict::pass,
          fmt::format("{} has {} of {} on {} and {} of {} on {}; {}; {}", tables.bridge,
                      mac_text(tables.from), tables.from.node, *tables.from.learned_on, mac_text(tables.to),
                      tables.to.node, *tables.to.learned_on, neighbour_text(tables.from, tables.to),
                      neighbour_text(tables.to, tables.from))};
}

engine::CheckKind learned_kind() {
  return {"learned", "After a ping, a bridge and both ends know where everybody is, as the journey shows it.",
          kSchema, parse};
}

}  // namespace plumbline::checks
