#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/dns.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (question.promise != Case::Promise::resolve || !question.resolver) return std::nullopt;
  const network::Node* from = facts.topology().find(question.from);
  if (from == nullptr || std::ranges::count(from->resolvers, *question.resolver) != 0) return std::nullopt;
  std::vector<std::string> named;
  for (const IpAddress& each : from->resolvers) named.push_back(each.to_string());
  const std::string meant = question.resolver->to_string();
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = named.empty()
                        ? fmt::format("{}'s resolv.conf names no server, so that it asks itself and not {}.",
                                      question.from, meant)
                        : fmt::format("{}'s resolv.conf names {} and not {}.", question.from,
                                      fmt::join(named, ", "), meant);
  finding.evidence.push_back(fmt::format("asked was {}", server_text(question)));
  if (question.dns) finding.evidence.push_back(traffic::to_text(*question.dns));
  finding.fix = {typed_on(question.from, fmt::format("printf 'nameserver {}\\n' >/etc/resolv.conf", meant))};
  return finding;
}

}  // namespace

CauseKind dns_wrong_resolver_cause() {
  return {
      "dns-wrong-resolver",
      "The node's resolv.conf does not name the server that it should.",
      "What is asked is what resolv.conf names, whatever the network would allow. Runtimes write it from the "
      "host's when a container is made, and again or not at all when the host's changes (a VPN that comes "
      "up, another Wi-Fi): containers go on asking the old server. An empty file, or one without "
      "`nameserver`, makes resolvers ask their own node, 127.0.0.1 (resolv.conf(5)).",
      "The server that the spec expects the node to use is not among those that its resolv.conf names.",
      "`cat /etc/resolv.conf` in the container. Restart it, name the server (`docker run --dns SERVER`, "
      "`podman run --dns SERVER`, `\"dns\": [\"SERVER\"]` in /etc/docker/daemon.json), or for namespaces "
      "made by hand write `/etc/netns/NAME/resolv.conf`. Or correct what the spec expects.",
      recognise,
      CauseKind::Depth::question,
      {"dns-stub-resolver"}};
}

}  // namespace plumbline::proof
