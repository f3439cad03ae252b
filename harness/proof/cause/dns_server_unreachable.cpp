#include <fmt/format.h>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/dns.hpp"
#include "harness/proof/diagnosis/hop.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

using Status = traffic::DnsOutcome::Status;

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (question.promise != Case::Promise::resolve || !question.dns || question.to.is_loopback()) {
    return std::nullopt;
  }
  const Status status = question.dns->status;
  const bool no_answer =
      status == Status::timeout || status == Status::icmp_error || status == Status::local_error;
  const auto by = answerer(question);
  const bool refused_on_the_way =
      status == Status::refused_connection && by && *by != question.to_node && !question.to_node.empty();
  if (!no_answer && !refused_on_the_way) return std::nullopt;
  const Sighting* came =
      question.to_node.empty() ? nullptr : taken_in(question, facts, Leg::forward, question.to_node);
  // The server has the question and says nothing, or that nothing listens: it can be reached.
  if (came != nullptr && !by) return std::nullopt;
  const Sighting* last = question.journey.furthest();
  Finding finding;
  finding.certainty =
      !question.to_node.empty() && question.journey.complete ? Certainty::proven : Certainty::likely;
  finding.summary = came == nullptr ? fmt::format("{}'s question never came to its DNS server {}.",
                                                  question.from, server_text(question))
                                    : fmt::format("The answer of the DNS server {} never came back to {}.",
                                                  server_text(question), question.from);
  if (came != nullptr) {
    const Sighting* back = nullptr;
    for (const Sighting& each : question.journey.sightings) {
      if (each.leg == Leg::reply) back = &each;
    }
    if (back != nullptr)
      finding.evidence.push_back(fmt::format("the answer was last seen at {}", place(*back)));
  } else {
    finding.evidence.push_back(last == nullptr ? fmt::format("it was not seen leaving {}", question.from)
                                               : fmt::format("it was last seen at {}", place(*last)));
  }
  finding.evidence.push_back(traffic::to_text(*question.dns));
  finding.fix = {typed_on(question.from, fmt::format("ip route get {}", question.to.to_string())),
                 typed_on(question.from, fmt::format("dig @{} {}", question.to.to_string(), question.name))};
  return finding;
}

}  // namespace

CauseKind dns_server_unreachable_cause() {
  return {
      "dns-server-unreachable",
      "The question never came to the DNS server, or its answer never came back.",
      "This is about the way, not about names: whatever stops packets between the two stops questions too. "
      "Containers often have other ways than their host, so that the host resolves and they do not: the "
      "server is in a network that the firewall denies to containers, only behind a VPN that masquerades "
      "nothing, or of a family that the containers do not have. What stopped it is listed as a cause of its "
      "own where it was found.",
      "No tap of the server's node saw the question come in; or it did, and the answer was last seen "
      "elsewhere than at the one who asked.",
      "Mend what is named as the deeper cause. Where containers shall not reach that server at all, give "
      "them another: `docker run --dns SERVER`, `podman network create --dns SERVER`.",
      recognise,
      CauseKind::Depth::outcome};
}

}  // namespace plumbline::proof
