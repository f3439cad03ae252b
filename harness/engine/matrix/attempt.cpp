#include "harness/engine/matrix/attempt.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "checks/reach.hpp"
#include "harness/engine/check/diagnosis.hpp"
#include "harness/engine/report/matrix.hpp"
#include "harness/proof/witness/stop.hpp"

namespace plumbline::engine::matrix {
namespace {

using proof::Leg;
using Status = traffic::ProbeOutcome::Status;

constexpr int kMostAgain = 3;

/// Whether somebody on the way asked for a neighbour, which a probe that is answered for does not show.
bool asked_for_neighbour(const Evidence& evidence) {
  return std::ranges::any_of(evidence.journey.sightings,
                             [](const proof::Sighting& seen) { return seen.leg == Leg::neighbour; });
}

/// The sender's kernel knew no way, or was not allowed to send. That nobody was asked for only a whole
/// capture tells.
bool refused_at_home(const Evidence& evidence) {
  constexpr std::array refusals{ENETUNREACH, EHOSTUNREACH, EACCES, EPERM, EINVAL, EADDRNOTAVAIL, ENETDOWN};
  return evidence.outcome.status == Status::local_error && evidence.journey.complete &&
         !asked_for_neighbour(evidence) && evidence.journey.passed(evidence.from) == nullptr &&
         std::ranges::find(refusals, evidence.outcome.error_number) != refusals.end();
}

/// Reasons that say what a kernel is configured to do, not that nobody is there or that it had no room.
bool is_denial(const proof::Drop& drop) {
  constexpr std::array<std::string_view, 16> reasons{"NETFILTER_DROP",
                                                     "NETFILTER_INGRESS",
                                                     "NETFILTER_EGRESS",
                                                     "IP_RPFILTER",
                                                     "IP_OUTNOROUTES",
                                                     "IP_INNOROUTES",
                                                     "IPV6DISABLED",
                                                     "IP_LOCAL_SOURCE",
                                                     "IP_LOCALNET",
                                                     "IP_INVALID_SOURCE",
                                                     "TC_INGRESS",
                                                     "TC_EGRESS",
                                                     "XDP",
                                                     "SOCKET_FILTER",
                                                     "BPF_CGROUP_EGRESS",
                                                     "IP_INADDRERRORS"};
  return std::ranges::find(reasons, drop.reason) != reasons.end();
}

/// "Host unreachable", "address unreachable": by a route, or since nobody answers for the address.
bool says_host_unreachable(const proof::Sighting& error) {
  const auto* icmp = std::get_if<traffic::IcmpHeader>(&error.packet.transport);
  if (icmp == nullptr) return false;
  return icmp->v6 ? icmp->type == 1 && icmp->code == 3 : icmp->type == 3 && icmp->code == 1;
}

/// An ICMP error tells of a denial where it is not the target's word that nobody listens, nor a router's that
/// nobody answers for the target.
bool is_denial(const Evidence& evidence, const proof::Stop& stop) {
  if (stop.node == evidence.to.node && !stop.node.empty()) return false;
  const bool may_have_asked = asked_for_neighbour(evidence) || !evidence.journey.complete;
  return !(says_host_unreachable(*stop.error) && may_have_asked);
}

/// The node that reset the connection in the target's name; empty: the target did, or nobody, or who was
/// first to answer may only have been missed.
std::string impostor(const Evidence& evidence) {
  if (evidence.outcome.status != Status::refused || evidence.blind()) return {};
  for (const proof::Sighting* answer : evidence.journey.answers()) {
    if (answer->node != evidence.to.node) return answer->node;
  }
  return {};
}

/// Who or what stopped it, where that is proven.
std::optional<std::string> denial(const Evidence& evidence) {
  const auto stop = proof::who_stopped(evidence.journey, evidence.kernel);
  if (stop && stop->rule != nullptr) return to_text(*stop);
  if (refused_at_home(evidence))
    return fmt::format("{}: {}", evidence.from, traffic::to_text(evidence.outcome));
  const bool by_error = stop && stop->error != nullptr && is_denial(evidence, *stop);
  const bool by_kernel = stop && stop->error == nullptr && stop->drop != nullptr && is_denial(*stop->drop);
  if (by_error || by_kernel) return to_text(*stop);
  if (const std::string node = impostor(evidence); !node.empty())
    return fmt::format("{} reset the connection in the name of {}", node, evidence.to.text);
  return std::nullopt;
}

/// Another node holds, or answers for, the very address that the target was named by. Not so behind a rule
/// that translates it: who asks there gets what was published.
std::optional<std::string> led_astray(const Evidence& evidence) {
  if (!evidence.answered() || evidence.blind() || evidence.to.node.empty()) return std::nullopt;
  if (evidence.journey.passed(evidence.to.node) != nullptr) return std::nullopt;
  for (const proof::Sighting* answer : evidence.journey.answers()) {
    const proof::Sighting* arrival = evidence.journey.arrived(answer->node);
    const bool as_sent =
        arrival != nullptr && arrival->packet.ip && arrival->packet.ip->destination == evidence.to.address;
    if (as_sent)
      return fmt::format("{} leads to {}, which answered", evidence.to.address.to_string(), answer->node);
  }
  return std::nullopt;
}

/// A cause may tell who stopped what got lost in silence.
bool may_be_explained(const Evidence& evidence) {
  return evidence.outcome.status == Status::timeout && evidence.journey.passed(evidence.from) != nullptr;
}

class Attempt final : public Check {
 public:
  Attempt(const Pair& pair, std::shared_ptr<Common> common)
      : with_(pair.with), family_(pair.family), common_(std::move(common)) {}

  std::vector<Need> needs() const override { return {{promise.from, promise.to, with_}}; }

  boost::asio::awaitable<Outcome> run(Stage& stage) const override {
    Outcome outcome;
    if (!has_address(stage, promise.from) || !has_address(stage, promise.to)) {
      outcome.judgement = {Verdict::skip, fmt::format("no {} address", family_name(family_))};
      co_return outcome;
    }
    const Target to = stage.target(promise.from, promise.to, family_);
    Evidence evidence = co_await stage.exchange(promise.from, to, with_, Until::dropped);
    // Where all nodes of a bridge ask for each other, a tap may have more to hear than it has room for.
    for (int again = 0; again < kMostAgain && !evidence.journey.complete; ++again)
      evidence = co_await stage.exchange(promise.from, to, with_, Until::dropped);
    outcome.judgement = judge_attempt(evidence);
    const bool in_doubt = outcome.judgement.verdict == Verdict::inconclusive && may_be_explained(evidence);
    if (in_doubt && common_->patience > 0) {
      --common_->patience;
      outcome.question = case_of(evidence, proof::Case::Promise::reach);
    } else if (in_doubt) {
      outcome.judgement.observed += kNotExplained;
    }
    common_->neighbours.one_more(stage);
    co_return outcome;
  }

 private:
  bool has_address(const Stage& stage, const std::string& name) const {
    for (const network::Topology* known : {&stage.topology(), &stage.intended()}) {
      const network::Node* node = known->find(name);
      if (node != nullptr && !network::known_addresses(*node, family_).empty()) return true;
    }
    return false;
  }

  Service with_;
  IpFamily family_;
  std::shared_ptr<Common> common_;
};

}  // namespace

Judgement judge_attempt(const Evidence& evidence) {
  Judgement reach = checks::judge_reach(evidence);
  if (reach.verdict == Verdict::pass) return reach;
  reach.verdict = Verdict::inconclusive;
  if (auto where = led_astray(evidence)) return {Verdict::fail, std::move(*where)};
  if (evidence.answered()) return reach;
  if (auto who = denial(evidence)) return {Verdict::fail, std::move(*who)};
  return reach;
}

std::unique_ptr<Check> attempt(const Pair& pair, std::shared_ptr<Common> common) {
  auto check = std::make_unique<Attempt>(pair, std::move(common));
  CheckResult& promise = check->promise;
  promise.type = kAttempt;
  promise.from = pair.from;
  promise.to = pair.to;
  promise.with = pair.with.to_string();
  promise.family = family_text(pair.family);
  promise.id = fmt::format("{} {} -> {} {}{}", kAttempt, pair.from, pair.to, promise.with,
                           pair.family == IpFamily::v6 ? " ipv6" : "");
  return check;
}

}  // namespace plumbline::engine::matrix
