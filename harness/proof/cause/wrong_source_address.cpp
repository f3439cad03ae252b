#include <fmt/format.h>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/reasons.hpp"
#include "harness/proof/diagnosis/routing.hpp"

namespace plumbline::proof {
namespace {

/// What a node was to send from, and what it does.
struct Sources {
  std::string node;
  IpAddress wanted, used;
};

std::optional<Sources> sources(const Case& question, const RouteAnswer& answer) {
  if (question.route) {
    if (!question.route->source || !answer.source || !question.route->iif.empty()) return std::nullopt;
    return Sources{question.from, *question.route->source, *answer.source};
  }
  const bool own = question.promise == Case::Promise::egress && question.as && question.from == question.host;
  if (!own) return std::nullopt;
  return Sources{question.from, *question.as, question.outcome.identity.source};
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  RouteQuestion asked;
  asked.to = question.to;
  if (question.route) asked.oif = question.route->oif;
  const RouteAnswer answer = facts.route(question.from, asked);
  const auto which = sources(question, answer);
  const network::Node* node = facts.node(question.from);
  if (!which || node == nullptr || !answer.found() || which->wanted == which->used) return std::nullopt;
  const network::Route* route = best_route(*node, question.to, answer.table);
  if (route == nullptr || route->source != which->used || !holds(*node, which->used)) return std::nullopt;
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format("{}'s route `{}` names {} as the source, not {}.", question.from,
                                to_text(*route), which->used.to_string(), which->wanted.to_string());
  finding.evidence = {fmt::format("the kernel of {} routes it {}, with the source {}", question.from,
                                  to_text(answer), which->used.to_string())};
  network::Route right = *route;
  right.metric = question.to.is_v4() ? route->metric : 0;
  const char* ip = question.to.is_v4() ? "ip" : "ip -6";
  finding.fix = {
      on(question.from, question,
         fmt::format("{} route replace {} src {}", ip, to_text(right), which->wanted.to_string()))};
  return finding;
}

}  // namespace

CauseKind wrong_source_address_cause() {
  return {
      "wrong-source-address",
      "A route names a source address that is not the one that packets by it should have.",
      "A packet of the node's own takes the source that its route names (`src`), and else the interface's "
      "first "
      "address. A route with `src` that was written for another uplink, or before the host was renumbered, "
      "sends "
      "packets out by one uplink with the address of another: answers come back by the other one, if the "
      "provider lets such packets pass at all (BCP 38), and reverse path filters drop them. DHCP clients, "
      "keepalived and Calico's bird write `src` into routes.",
      "The kernel's own lookup chooses that source, or the packet was sent from it, and the route that holds "
      "for "
      "the target names it; the node has the promised one too, or should.",
      "Look with `ip route get ADDRESS` for what is chosen.\n"
      "```\nip route replace default via 192.168.16.1 dev ens4 src 192.168.16.10\n```\n"
      "or leave `src` out. Masqueraded packets do not go by it: they take the uplink's first address.",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of({reasons::links(), reasons::steering()})};
}

}  // namespace plumbline::proof
