#include <fmt/format.h>

#include <algorithm>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/dns.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

using Status = traffic::DnsOutcome::Status;

/// The host's resolvers that containers can ask too.
std::vector<IpAddress> real_ones(Facts& facts) {
  std::vector<IpAddress> found;
  const network::Node* host = facts.topology().host();
  if (host == nullptr) return found;
  std::ranges::copy_if(host->resolvers, std::back_inserter(found),
                       [](const IpAddress& each) { return !each.is_loopback(); });
  return found;
}

/// Somebody there has taken the question, as an engine's own resolver in a container does: it answered, or
/// asked on.
bool was_taken(const Journey& journey) {
  return std::ranges::any_of(journey.sightings, [](const Sighting& each) {
    return each.leg == Leg::reply || (each.leg == Leg::forward && each.interface != "lo");
  });
}

/// The rule by which Docker leads what is for 127.0.0.11 to a socket of dockerd's own in the container.
/// Empty: there is none.
std::string rule_of_docker(const Case& question, Facts& facts) {
  for (const Chain& chain : facts.chains(question.from)) {
    if (chain.name != "DOCKER_OUTPUT") continue;
    for (const Chain::Rule& rule : chain.rules) {
      if (rule.text.find(question.to.to_string()) == std::string::npos) continue;
      if (rule.text.find(question.dns_over_tcp ? "tcp" : "udp") == std::string::npos) continue;
      return fmt::format("rule of {}'s {} {} {}: {}", question.from, chain.family, chain.table, chain.name,
                         rule.text);
    }
  }
  return {};
}

/// Docker's own server, which dockerd holds open in each container, is not there.
Finding of_docker(const Case& question, Facts& facts, bool said, const std::string& rule) {
  Finding finding;
  finding.certainty = said ? Certainty::proven : Certainty::likely;
  finding.summary = fmt::format(
      "{} asks {}, Docker's own DNS server, which dockerd serves in the container: it is gone, as it "
      "is when dockerd has ended.",
      question.from, question.to.to_string());
  finding.evidence = {rule};
  if (said) finding.evidence.emplace_back("nothing listens there");
  if (const std::string silence = facts.silence_of_docker(); !silence.empty())
    finding.evidence.push_back("dockerd does not answer: " + silence);
  finding.fix = {fmt::format("systemctl start docker && docker restart {}  # on {}", question.from,
                             question.host.empty() ? "the host" : question.host)};
  return finding;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (question.promise != Case::Promise::resolve || !question.dns || !question.to.is_loopback()) {
    return std::nullopt;
  }
  const network::Node* from = facts.topology().find(question.from);
  if (from == nullptr || from->role != network::Role::container) return std::nullopt;
  // Without any resolver it asks itself, as resolv.conf(5) has it: no stub's address was copied there.
  if (question.resolver && from->resolvers.empty()) return std::nullopt;
  const Status status = question.dns->status;
  const bool said = status == Status::refused_connection || status == Status::icmp_error;
  if (!said && status != Status::timeout && status != Status::local_error) return std::nullopt;
  if (!said && was_taken(question.journey)) return std::nullopt;
  if (const std::string rule = rule_of_docker(question, facts); !rule.empty() && !stopper(question.kernel))
    return of_docker(question, facts, said, rule);
  const std::string server = question.to.to_string();
  Finding finding;
  finding.certainty = said && !stopper(question.kernel) ? Certainty::proven : Certainty::likely;
  finding.summary = fmt::format("{} asks {}, which is {} itself: the host's stub resolver is not there.",
                                question.from, server, question.from);
  finding.evidence = {fmt::format("{} is a loopback address, of {}'s own namespace", server, question.from)};
  if (said) finding.evidence.push_back(fmt::format("nothing listens at port {} there", question.port));
  if (std::ranges::count(from->resolvers, question.to) != 0) {
    finding.evidence.push_back(fmt::format("it is one of {}'s resolvers", question.from));
  }
  const auto real = real_ones(facts);
  const std::string which = real.empty() ? std::string("SERVER") : real.front().to_string();
  finding.fix = {fmt::format("printf 'nameserver {}\\n' > /etc/resolv.conf  # on {}", which, question.from)};
  return finding;
}

}  // namespace

CauseKind dns_stub_resolver_cause() {
  return {
      "dns-stub-resolver",
      "A container asks a resolver on a loopback address, where nothing is.",
      "systemd-resolved puts `nameserver 127.0.0.53` into the host's /etc/resolv.conf (dnsmasq and unbound: "
      "127.0.0.1). Copied into a container it names the container's own loopback, because every network "
      "namespace has one of its own, and there no stub listens. Docker and Podman notice the well-known "
      "cases and put the real servers in; a bind mount of /etc/resolv.conf, CNI without a runtime's help, "
      "`ip netns`, LXC templates and kubelet without `--resolv-conf` do not. In Docker's own networks "
      "127.0.0.11 is right: rules in the container (DOCKER_OUTPUT) lead it to a socket that dockerd holds "
      "there, and that ends with dockerd, while containers may live on.",
      "A container asks a loopback address, and its own kernel refuses (nothing listens) or stays silent. "
      "`cat /etc/resolv.conf` in the container shows the address, `resolvectl status` on the host the real "
      "servers. Of Docker's own server: the rules are there, and nothing listens where they lead.",
      "Give containers the servers behind the stub: `docker run --dns SERVER`, or `\"dns\": [\"SERVER\"]` in "
      "/etc/docker/daemon.json; `--resolv-conf=/run/systemd/resolve/resolv.conf` for kubelet; for all on the "
      "host\n```\nln -sf /run/systemd/resolve/resolv.conf /etc/resolv.conf\n```\nOr let the stub listen "
      "where "
      "containers can reach it (`DNSStubListenerExtra=172.17.0.1` in resolved.conf). Docker's own: start "
      "dockerd "
      "again (`systemctl start docker`), then the container (`docker restart NAME`).",
      recognise,
      CauseKind::Depth::question};
}

}  // namespace plumbline::proof
