#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/packet_size.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"
#include "harness/proof/diagnosis/routing.hpp"

namespace plumbline::proof {
namespace {

using traffic::ProbeOutcome;

std::optional<Finding> at_the_sender(const Case& question, Facts& facts) {
  const ProbeOutcome& outcome = question.outcome;
  if (outcome.status != ProbeOutcome::Status::local_error || outcome.error_number != EMSGSIZE)
    return std::nullopt;
  RouteQuestion asked;
  asked.to = question.to;
  const std::string dev = facts.route(question.from, asked).dev;
  const auto link = facts.link(question.from, dev);
  const std::size_t needed = packet_size(question);
  if (!link || needed == 0 || link->mtu >= needed) return std::nullopt;
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format("{}:{} has an MTU of {}, and the packet is of {} bytes.", question.from, dev,
                                link->mtu, needed);
  finding.evidence = {"the sender's own kernel refused it: " + traffic::to_text(outcome),
                      fmt::format("the MTU of {}:{} is {}", question.from, dev, link->mtu)};
  finding.fix = raise_mtu(question, facts, {question.from, dev}, needed);
  return finding;
}

std::optional<Finding> on_the_way(const Case& question, Facts& facts) {
  const auto error = too_big(question.journey);
  // The prober itself says whether it heard; of whoever answers, only the tap can tell.
  const bool heard =
      error && error->reached != nullptr &&
      (error->leg == Leg::reply || question.outcome.status == ProbeOutcome::Status::icmp_error);
  if (!heard) return std::nullopt;
  const network::Node* node = facts.node(error->made_by);
  if (node == nullptr) return std::nullopt;
  const std::size_t needed = std::max(error->packet_bytes, largest_packet(question.journey, error->leg));
  const auto narrow = narrow_link(facts, error->made_by, error->quoted_destination, needed);
  const std::string at =
      narrow ? fmt::format("{}:{}", narrow->node, narrow->interface) : "The way from " + error->made_by;
  Finding finding;
  finding.certainty = Certainty::proven;
  const char* what = error->leg == Leg::reply ? "the answer" : "the packet";
  finding.summary = fmt::format("{} has an MTU of {}, and {} to {} is of {} bytes.", at, error->mtu, what,
                                error->quoted_destination.to_string(), needed);
  finding.evidence = {
      fmt::format("{} said {} to {}: at most {} bytes", error->made_by,
                  question.family() == IpFamily::v4 ? "\"fragmentation needed\"" : "\"packet too big\"",
                  error->reached->node, error->mtu)};
  if (narrow && narrow->node != error->made_by) {
    finding.evidence.push_back(
        fmt::format("{} remembers it of earlier packets; it is the MTU of {}", error->made_by, at));
  }
  if (narrow) finding.fix = raise_mtu(question, facts, *narrow, needed);
  return finding;
}

/// It was promised to be larger.
std::optional<Finding> as_promised(const Case::Link& promised, Facts& facts) {
  const auto link = facts.link(promised.node, promised.interface);
  if (!link || link->mtu >= promised.mtu) return std::nullopt;
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format("{}:{} has an MTU of {} instead of {}.", promised.node, promised.interface,
                                link->mtu, promised.mtu);
  finding.fix = {
      typed_on(promised.node, fmt::format("ip link set dev {} mtu {}", promised.interface, promised.mtu))};
  return finding;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (question.link) return as_promised(*question.link, facts);
  if (question.outcome.status == ProbeOutcome::Status::replied) return std::nullopt;
  auto finding = at_the_sender(question, facts);
  return finding ? finding : on_the_way(question, facts);
}

}  // namespace

CauseKind mtu_too_small_cause() {
  return {
      "mtu-too-small",
      "A link on the way is too small for the packet.",
      "Each interface has a largest packet (MTU): 1500 on Ethernet, less where something is wrapped around "
      "it, 1450 inside VXLAN, 1420 inside WireGuard, 1492 with PPPoE, 1460 in some clouds. A runtime gives "
      "containers 1500 whatever the host's uplink has. TCP copes, as long as it hears the ICMP error that "
      "the small link's router sends; datagrams that must not be fragmented (QUIC, DNS with EDNS, tunnels) "
      "and what was promised to pass in one packet do not.",
      "The sender's own kernel refused the packet (EMSGSIZE) as its interface's MTU is smaller, or a node on "
      "the way was seen sending \"fragmentation needed\" (IPv6: \"packet too big\") to whoever had sent it.",
      "Look with `ip link` for the MTUs, and with `tracepath ADDRESS` for the path's. Raise that of the "
      "small "
      "link, at both its ends:\n```\nip link set dev ens4 mtu 1500\n```\n"
      "Where it cannot be raised, lower the containers' instead: `\"mtu\": 1450` in /etc/docker/daemon.json, "
      "`--opt com.docker.network.driver.mtu=1450` or `podman network create --opt mtu=1450`, `\"mtu\"` in a "
      "CNI list.",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of({reasons::links(), reasons::steering()})};
}

}  // namespace plumbline::proof
