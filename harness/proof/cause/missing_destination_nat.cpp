#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "harness/proof/diagnosis/firewall.hpp"
#include "harness/proof/diagnosis/publishing.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

using namespace firewall;

/// Whether the node that was asked turned the probe to another address.
enum class Turned : std::uint8_t {
  no,       ///< the kernel's word: it took the probe for its own
  unknown,  ///< nothing says that it did
  yes,
};

Turned turned(const Case& question) {
  for (const Translation& each : question.kernel.translations) {
    if (each.node != question.to_node || each.original.destination != question.to) continue;
    return each.destination_translated ? Turned::yes : Turned::no;
  }
  // A proxy sends on what it got: of a datagram the same bytes, as packets of the probe's own.
  for (const Passage& each : question.kernel.passages) {
    if (each.leg != Leg::forward || each.bridge || each.node != question.to_node) continue;
    if (each.hook == Hook::input && each.destination == question.to) return Turned::no;
    if (each.destination != question.to) return Turned::yes;
  }
  const bool elsewhere = std::ranges::any_of(question.journey.sightings, [&](const Sighting& each) {
    return each.leg == Leg::forward && each.packet.ip && each.packet.ip->destination != question.to;
  });
  return elsewhere ? Turned::yes : Turned::unknown;
}

/// Shows the rules that there are, and has the engine whose chains these are make its own anew, where the
/// server is published at all.
std::vector<std::string> commands(const Case& question, Facts& facts, const std::string& server) {
  std::string tool = question.family() == IpFamily::v4 ? "iptables" : "ip6tables";
  const auto base = base_chains(facts, question.to_node, Hook::prerouting, question.family(), "nat");
  if (!base.empty() && base.front()->backend == RuleMet::Backend::iptables_legacy) tool += "-legacy";
  std::vector<std::string> all{tool + " -t nat -S"};
  bool docker = false;
  bool podman = false;
  for (const Chain& chain : facts.chains(question.to_node)) {
    docker = docker || chain.name.starts_with("DOCKER");
    podman = podman || chain.name.starts_with("NETAVARK");
  }
  if (docker) {
    all.push_back(fmt::format("docker port {}", server));
    all.emplace_back("systemctl restart docker");
  }
  if (podman) all.emplace_back("podman network reload --all");
  return typed_on(question.to_node, question, std::move(all));
}

/// Whom the port leads to: who is to be asked, else who was in the end. Empty: nobody else.
std::string server_of(const Case& question) {
  const std::string& server = question.published_at.empty() ? question.delivered_to : question.published_at;
  return server == question.to_node ? std::string() : server;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const std::string server = server_of(question);
  if (question.promise != Case::Promise::reach || question.port == 0 || question.to_node.empty() ||
      server.empty())
    return std::nullopt;
  const Sighting* came = question.journey.arrived(question.to_node);
  const Turned turn = turned(question);
  if (came == nullptr || turn == Turned::yes) return std::nullopt;
  const bool proxied = question.delivered_to == server;
  // Where the kernel does not say so: the server got the bytes, and the packet that bore them never came
  // there.
  const bool seen = proxied && question.journey.complete && question.journey.arrived(server) == nullptr;
  if (turn != Turned::no && !seen) return std::nullopt;
  const network::Node* asked = facts.node(question.to_node);
  RulePacket packet = packet_of(question, Leg::forward, question.outcome.identity.source, question.to);
  if (came->packet.ip) packet.source = came->packet.ip->source;
  if (asked != nullptr) packet.iif = ip_interface(*asked, came->interface);
  const auto near = near_miss(question, facts, question.to_node, server, packet);
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format(
      "No rule of {} turns port {} of {} to {}{}", question.to_node, question.port, question.to.to_string(),
      server,
      proxied
          ? fmt::format(": a proxy on {} takes it, and asks with an address of its own.", question.to_node)
          : ", and nothing else there passes it on.");
  finding.evidence.push_back(fmt::format("the probe came in at {}", place(*came)));
  if (turn == Turned::no)
    finding.evidence.push_back(fmt::format("the kernel of {} took it for its own", question.to_node));
  if (proxied) {
    finding.evidence.push_back(
        fmt::format("{} got its bytes all the same, in a packet of somebody else's", server));
  }
  if (near) {
    finding.summary.pop_back();
    finding.summary += near->loopback
                           ? fmt::format("; the port is published on {} alone.",
                                         question.family() == IpFamily::v4 ? "127.0.0.1" : "::1")
                           : fmt::format("; there is a rule for that port, but {}.", near->differs);
    finding.evidence.push_back(near->rule.to_string());
  }
  finding.fix = near ? typed_on(question.to_node, question, near->fix) : commands(question, facts, server);
  return finding;
}

}  // namespace

CauseKind missing_destination_nat_cause() {
  return {
      "missing-destination-nat",
      "No rule of destination NAT leads from a published port to its server.",
      "Engines publish a port twice: by a rule (`DNAT`), which lets the client's own address through, and by "
      "a "
      "proxy on the host (`docker-proxy`, `rootlessport`) for what no rule sees, such as 127.0.0.1. Where "
      "the "
      "rule is gone, after `nft flush ruleset`, `iptables -F -t nat`, a firewall that was loaded anew, or "
      "where "
      "there never was one (IPv6 with `ip6tables` off), the proxy takes every connection. All looks well, "
      "but "
      "the server sees the host as its only client: logs, limits by address and allow lists go wrong. "
      "Without a "
      "proxy (`userland-proxy: false`) the port is closed, or takes connections and never answers. A rule "
      "may "
      "also be there and take less than was meant: only what is for 127.0.0.1 (`-p 127.0.0.1:8080:80`), only "
      "UDP, only what comes in by one interface.",
      "The probe came in at the node that was asked, with the address that it was sent to; neither conntrack "
      "nor the trace nor a tap saw it translated, and it was never seen at the server, which got its bytes. "
      "A rule that leads that port to the server is named with what it differs in. To "
      "look oneself: `iptables -t nat -S DOCKER`, `conntrack -L -p tcp --dport PORT`, `ss -lntp`.",
      "Have the engine make its rules anew:\n"
      "```\nsystemctl restart docker\npodman network reload --all\nfirewall-cmd --reload  # then restart "
      "Docker\n"
      "```\nand see to it that what loads rules leaves the engine's alone: `nft flush table inet own` rather "
      "than `nft flush ruleset`. For IPv6 let dockerd have `\"ip6tables\": true`.",
      recognise,
      CauseKind::Depth::network,
      {}};
}

}  // namespace plumbline::proof
