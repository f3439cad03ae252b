#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "harness/proof/diagnosis/case.hpp"
#include "harness/proof/diagnosis/facts.hpp"

/// For tests of causes: cases and facts put together by hand.
namespace plumbline::proof::testing {

inline IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

class FakeFacts final : public Facts {
 public:
  network::Topology network;                                        ///< also what `node` gives
  std::string docker;                                               ///< why it is silent
  std::map<std::string, RouteAnswer> routes;                        ///< by "node to-address"; else no route
  std::map<std::string, std::vector<NeighbourFact>> neighbours_of;  ///< by node
  std::map<std::pair<std::string, std::string>, std::string> sysctls;  ///< by node and path
  std::map<std::string, std::vector<Chain>> chains_of;                 ///< by node
  std::map<std::string, kernel::netlink::Link> links;                  ///< by "node:interface"
  std::map<std::string, std::vector<ForwardingFact>> forwarding_of;    ///< by "node:bridge"

  network::Node& add(const std::string& name, network::Role role) {
    network::Node& added = network.nodes.emplace_back();
    added.name = name;
    added.role = role;
    return added;
  }

  std::string silence_of_docker() override { return docker; }
  const network::Topology& topology() override { return network; }
  const network::Node* node(std::string_view name) override { return network.find(name); }
  RouteAnswer route(std::string_view node, const RouteQuestion& question) override {
    const auto found = routes.find(std::string(node) + " " + question.to.to_string());
    RouteAnswer none;
    none.error = 101;  // ENETUNREACH
    return found == routes.end() ? none : found->second;
  }
  std::vector<NeighbourFact> neighbours(std::string_view node) override {
    return neighbours_of[std::string(node)];
  }
  std::vector<ForwardingFact> forwarding(std::string_view node, std::string_view bridge) override {
    return forwarding_of[std::string(node) + ":" + std::string(bridge)];
  }
  std::optional<std::string> sysctl(std::string_view node, const std::string& path) override {
    const auto found = sysctls.find({std::string(node), path});
    return found == sysctls.end() ? std::nullopt : std::optional(found->second);
  }
  const std::vector<Chain>& chains(std::string_view node) override { return chains_of[std::string(node)]; }
  std::optional<kernel::netlink::Link> link(std::string_view node, std::string_view interface) override {
    const auto found = links.find(std::string(node) + ":" + std::string(interface));
    return found == links.end() ? std::nullopt : std::optional(found->second);
  }
};

/// A packet at `node`:`interface`, each a millisecond after the one before.
inline void see(Case& question, Leg leg, const std::string& node, const std::string& interface,
                traffic::Direction direction, std::string_view source, std::string_view destination,
                std::uint8_t ttl = 64) {
  Sighting& sighting = question.journey.sightings.emplace_back();
  sighting.time_ns = question.journey.sightings.size() * 1'000'000;
  sighting.leg = leg;
  sighting.node = node;
  sighting.interface = interface;
  sighting.packet.direction = direction;
  traffic::IpHeader header;
  header.source = ip(source);
  header.destination = ip(destination);
  header.ttl = ttl;
  sighting.packet.ip = header;
}

/// The packet at a hook. Rules are added to what this returns.
inline Passage& pass(Case& question, const std::string& node, Hook hook, Leg leg, std::string_view source,
                     std::string_view destination, std::string verdict = "accept") {
  Passage& passage = question.kernel.passages.emplace_back();
  passage.node = node;
  passage.hook = hook;
  passage.leg = leg;
  passage.source = ip(source);
  passage.destination = ip(destination);
  passage.verdict = std::move(verdict);
  return passage;
}

/// container-one asks 203.0.113.80 (internet) through host; nothing seen of it yet.
inline Case unanswered() {
  Case question;
  question.from = "container-one";
  question.to = ip("203.0.113.80");
  question.to_node = "internet";
  question.host = "host";
  question.outcome.status = traffic::ProbeOutcome::Status::timeout;
  question.outcome.identity.source = ip("192.168.99.11");
  return question;
}

}  // namespace plumbline::proof::testing
