#include <fmt/format.h>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/plugging.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

/// A router of the segment has no router there itself.
bool is_router(Facts& facts, const Mismatch& found) {
  const network::Node* node = facts.topology().find(found.at.node);
  return node != nullptr && node->role == network::Role::host;
}

std::vector<std::string> mended(Facts& facts, const Mismatch& found) {
  const Prefix network = found.routers.network();
  const bool inside = network.contains(found.address.address);
  const std::string address = inside ? found.address.address.to_string() : std::string("ADDRESS");
  const std::string& dev = found.at.interface;
  std::vector<std::string> commands{
      typed_on(found.at.node, fmt::format("ip addr del {} dev {}", found.address.to_string(), dev)),
      typed_on(found.at.node, fmt::format("ip addr add {}/{} dev {}", address, network.length(), dev) +
                                  (inside ? "" : fmt::format("  # a free one of {}", network.to_string())))};
  if (!is_router(facts, found)) {
    commands.push_back(typed_on(
        found.at.node, fmt::format("ip route replace default via {}", found.routers.address.to_string())));
  }
  return commands;
}

/// A promised address is held, but with another length.
std::optional<Finding> as_promised(const Case::Link& promised, Facts& facts) {
  const Endpoint at{promised.node, promised.interface};
  const network::Interface* interface = interface_at(facts, at);
  if (interface == nullptr) return std::nullopt;
  for (const InterfaceAddress& wanted : promised.addresses) {
    for (const InterfaceAddress& held : interface->addresses) {
      if (held.address != wanted.address || wanted.prefix_length < 0) continue;
      if (held.prefix_length == wanted.prefix_length) continue;
      Finding finding;
      finding.certainty = Certainty::proven;
      finding.summary = fmt::format("{} has the wrong prefix length: {} instead of {}.", place(at),
                                    held.to_string(), wanted.to_string());
      finding.fix = {
          typed_on(at.node, fmt::format("ip addr del {} dev {}", held.to_string(), at.interface)),
          typed_on(at.node, fmt::format("ip addr add {} dev {}", wanted.to_string(), at.interface))};
      return finding;
    }
  }
  return std::nullopt;
}

/// It was rejected as it should be, and the word of that never came back: no matter who has it now.
bool rejected_unheard(const Case& question) {
  return question.promise == Case::Promise::deny && question.how == "reject" &&
         question.outcome.status == traffic::ProbeOutcome::Status::timeout &&
         stopper(question.kernel, Leg::forward);
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (question.link) return as_promised(*question.link, facts);
  const bool silent = question.promise == Case::Promise::silent;
  const auto hop = silent ? std::nullopt : broken_hop(question, facts);
  if (!hop && !silent && !question.wanted_through() && !rejected_unheard(question)) return std::nullopt;
  const auto found = wrong_network(question, facts, hop);
  if (!found) return std::nullopt;
  const bool inside = found->routers.network().contains(found->address.address);
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary =
      inside ? fmt::format("{} has the wrong prefix length: {}, where {} on the same segment has {}.",
                           place(found->at), found->address.to_string(), place(found->router),
                           found->routers.to_string())
             : fmt::format("{} has {}, but on its segment {} has {}: they have no network in common.",
                           place(found->at), found->address.to_string(), place(found->router),
                           found->routers.to_string());
  finding.evidence = {fmt::format("{} is of {}", place(found->at), found->address.network().to_string()),
                      fmt::format("{} is of {}", place(found->router), found->routers.network().to_string())};
  if (hop && !hop->route.found()) {
    finding.evidence.push_back(fmt::format("{} has no route to {}", hop->node, hop->destination.to_string()));
  } else if (hop && hop->unanswered()) {
    finding.evidence.push_back(neighbour_text(*hop));
  }
  finding.fix = mended(facts, *found);
  return finding;
}

}  // namespace

CauseKind wrong_subnet_cause() {
  return {
      "wrong-subnet",
      "An address or its prefix length is not of the network that its segment has.",
      "What is in its own prefix a node asks for on the link; all else goes to a router that must itself be "
      "in the prefix. With an address of another network the gateway cannot even be named (`Nexthop has "
      "invalid gateway`); with too long a prefix the neighbours are out of reach; with too short a one "
      "(/16 for /24) the node asks on its link for machines that are elsewhere. Where it is the host's "
      "bridge "
      "whose prefix is too long, packets come in and every answer leaves by the default route. It comes from "
      "addresses "
      "typed by hand, from a bridge whose network was changed under running containers, and from two IPAM "
      "configurations for one bridge.",
      "The node has no route, or asks in vain, or is looked for elsewhere, and no network of its interface "
      "is one of the bridge's or router's on the same segment; the bridge is blamed where the others there "
      "agree, "
      "or where its prefix is of itself alone. Compare `ip -br addr` on both.",
      "```\nip addr del ADDRESS/WRONG dev eth0\nip addr add ADDRESS/RIGHT dev eth0\nip route replace default "
      "via GATEWAY\n```\nTo make it last, correct the network's configuration (`docker network inspect`, "
      "`podman network inspect`, CNI's `ipam`) and make the containers anew.",
      recognise,
      CauseKind::Depth::link,
      {"not-on-bridge"}};
}

}  // namespace plumbline::proof
