#include "harness/proof/diagnosis/way.hpp"

#include <fmt/format.h>

#include <deque>
#include <map>
#include <set>
#include <utility>

#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

using network::Endpoint;
using network::Interface;
using network::Node;

constexpr std::size_t kSegmentLimit = 100'000;

/// Collects a segment, cable by cable.
class Segment {
 public:
  Segment(Facts& facts, Endpoint start) : topology_(facts.topology()), start_(std::move(start)) {
    open_.push_back(start_);
    while (!open_.empty() && visited_.size() < kSegmentLimit) {
      const Endpoint next = open_.front();
      open_.pop_front();
      if (visited_.insert(next).second) visit(next);
    }
  }
  std::vector<Endpoint> take() { return std::move(members_); }

 private:
  void visit(const Endpoint& end) {
    const Node* node = topology_.find(end.node);
    const Interface* interface = node == nullptr ? nullptr : node->find_interface(end.interface);
    if (interface == nullptr) return;
    if (speaks(*interface) && end != start_) members_.push_back(end);
    if (interface->peer) open_.push_back(*interface->peer);
    if (!interface->master.empty()) open_.push_back({end.node, interface->master});
    if (interface->kind != network::LinkKind::bridge) return;
    for (const Interface& port : node->interfaces) {
      if (port.master == end.interface) open_.push_back({end.node, port.name});
    }
  }

  const network::Topology& topology_;
  Endpoint start_;
  std::deque<Endpoint> open_;
  std::set<Endpoint> visited_;
  std::vector<Endpoint> members_;
};

/// The address by which a node on the link of `interface` is its neighbour. Absent: they share no network.
std::optional<IpAddress> neighbour_address(Facts& facts, const Interface& interface, const Endpoint& member,
                                           IpFamily family) {
  const Node* node = facts.node(member.node);
  const Interface* theirs = node == nullptr ? nullptr : node->find_interface(member.interface);
  if (theirs == nullptr) return std::nullopt;
  for (const InterfaceAddress& own : interface.addresses) {
    if (own.address.family() != family) continue;
    for (const InterfaceAddress& each : theirs->addresses) {
      if (own.network().contains(each.address) && !(!each.address.is_v4() && each.address.is_link_local()))
        return each.address;
    }
  }
  return std::nullopt;
}

/// Steps from a node to its neighbours, those that the world names as routers first.
std::vector<NextRouter> steps_from(Facts& facts, const std::string& name, IpFamily family,
                                   std::string_view dev) {
  std::vector<NextRouter> named, others;
  const Node* node = facts.node(name);
  const Node* known = facts.topology().find(name);
  if (node == nullptr) return {};
  for (const Interface& interface : node->interfaces) {
    if (!speaks(interface) || (!dev.empty() && interface.name != dev)) continue;
    const Interface* declared = known == nullptr ? nullptr : known->find_interface(interface.name);
    for (const Endpoint& member : on_the_link_of(facts, {name, interface.name})) {
      const auto via = neighbour_address(facts, interface, member, family);
      if (!via || member.node == name) continue;
      const bool first = declared != nullptr && std::ranges::count(declared->gateways, *via) != 0;
      (first ? named : others).push_back({interface.name, via, member.node});
    }
  }
  named.insert(named.end(), others.begin(), others.end());
  return named;
}

bool may_pass(Facts& facts, const std::string& name, IpFamily family) {
  const Node* node = facts.topology().find(name);
  return node != nullptr && node->role != network::Role::container && forwards(facts, name, family);
}

}  // namespace

bool speaks(const Interface& interface) {
  return interface.master.empty() && interface.kind != network::LinkKind::loopback;
}

std::vector<Endpoint> on_the_link_of(Facts& facts, const Endpoint& end) {
  return Segment(facts, end).take();
}

std::optional<Endpoint> holder_on_link(Facts& facts, const Endpoint& end, const IpAddress& address) {
  for (const Endpoint& member : on_the_link_of(facts, end)) {
    // Linux answers for all that it holds, on whichever interface.
    const Node* node = facts.node(member.node);
    if (node != nullptr && holds(*node, address)) return member;
  }
  return std::nullopt;
}

bool forwards(Facts& facts, std::string_view node, IpFamily family) {
  const char* path = family == IpFamily::v4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding";
  return facts.sysctl(node, path) != "0";
}

std::optional<NextRouter> first_hop(Facts& facts, const std::string& from, const std::string& to,
                                    IpFamily family, std::string_view dev) {
  std::set<std::string> visited{from};
  std::deque<NextRouter> open;
  for (const NextRouter& step : steps_from(facts, from, family, dev)) {
    if (step.node == to) return step;
    if (visited.insert(step.node).second && may_pass(facts, step.node, family)) open.push_back(step);
  }
  std::map<std::string, NextRouter> began;
  for (const NextRouter& step : open) began[step.node] = step;
  while (!open.empty()) {
    const std::string at = open.front().node;
    const NextRouter first = began.at(at);
    open.pop_front();
    for (const NextRouter& step : steps_from(facts, at, family, {})) {
      if (step.node == to) return first;
      if (!visited.insert(step.node).second || !may_pass(facts, step.node, family)) continue;
      began[step.node] = first;
      open.push_back(step);
    }
  }
  return std::nullopt;
}

std::string add_route(const Prefix& to, const NextRouter& hop, std::uint32_t table) {
  std::string command = to.family() == IpFamily::v4 ? "ip route add " : "ip -6 route add ";
  command += to.length() == 0 ? "default" : to.to_string();
  if (hop.via && !to.contains(*hop.via)) command += " via " + hop.via->to_string();
  if (hop.via && to.length() == 0) command += " via " + hop.via->to_string();
  if (!hop.dev.empty()) command += " dev " + hop.dev;
  if (table != network::kMainTable) command += fmt::format(" table {}", table);
  return command;
}

}  // namespace plumbline::proof
