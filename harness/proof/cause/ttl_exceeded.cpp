#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <variant>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"
#include "harness/proof/diagnosis/routing.hpp"

namespace plumbline::proof {
namespace {

bool expired(const traffic::ProbeOutcome& outcome) {
  if (outcome.status != traffic::ProbeOutcome::Status::icmp_error || !outcome.icmp) return false;
  return outcome.icmp->type == (outcome.icmp->v6 ? 3 : 11) && outcome.icmp->code == 0;
}

/// The same error seen on its way, whoever was to hear it.
const Sighting* expiry_seen(const Journey& journey) {
  const auto found = std::ranges::find_if(journey.sightings, [](const Sighting& sighting) {
    const auto* icmp = std::get_if<traffic::IcmpHeader>(&sighting.packet.transport);
    return sighting.leg == Leg::error && icmp != nullptr && icmp->type == (icmp->v6 ? 3 : 11) &&
           icmp->code == 0;
  });
  return found == journey.sightings.end() ? nullptr : &*found;
}

/// Routers that the packet came through again and again, in the order of its way.
struct Loop {
  Leg leg = Leg::forward;
  std::vector<std::string> nodes;
  std::size_t rounds = 0;
  const Sighting* last = nullptr;
};

std::optional<Loop> loop_in(const Case& question, Facts& facts, Leg leg) {
  constexpr std::size_t enough =
      3;  // a packet may come twice by one cable, behind a translation for instance
  Loop loop;
  loop.leg = leg;
  std::map<std::string, std::size_t> times;
  std::vector<std::string> order;
  for (const Sighting& sighting : question.journey.sightings) {
    if (sighting.leg != leg || sighting.packet.direction != traffic::Direction::out || !sighting.packet.ip)
      continue;
    const network::Node* node = facts.node(sighting.node);
    const network::Interface* by = node == nullptr ? nullptr : node->find_interface(sighting.interface);
    if (by == nullptr || !by->master.empty()) continue;
    if (times[sighting.node]++ == 0) order.push_back(sighting.node);
    loop.last = &sighting;
  }
  for (const std::string& node : order) {
    if (times[node] < enough) continue;
    loop.nodes.push_back(node);
    loop.rounds = std::max(loop.rounds, times[node]);
  }
  return loop.nodes.size() < 2 ? std::nullopt : std::optional(loop);
}

/// What of the loop is the way out of it: a node whose first step towards the goal leads elsewhere than it
/// sends.
std::optional<std::string> mend(const Case& question, Facts& facts, const Loop& loop, const IpAddress& to) {
  const network::Node* goal = facts.topology().owner_of(to);
  if (goal == nullptr) return std::nullopt;
  for (const std::string& name : loop.nodes) {
    RouteQuestion asked;
    asked.to = to;
    const RouteAnswer answer = facts.route(name, asked);
    const auto hop = first_hop(facts, name, goal->name, to.family());
    if (!answer.found() || !hop || !hop->via || hop->via == answer.via) continue;
    if (std::ranges::count(loop.nodes, hop->node) != 0) continue;
    const char* ip = to.is_v4() ? "ip" : "ip -6";
    return on(name, question,
              fmt::format("{} route replace {} via {} dev {}", ip, to.to_string(), hop->via->to_string(),
                          hop->dev));
  }
  return std::nullopt;
}

std::optional<Finding> looped(const Case& question, Facts& facts, const Loop& loop) {
  const IpAddress& to = loop.last->packet.ip->destination;
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format("{} to {} runs in circles between {} until its TTL is used up.",
                                loop.leg == Leg::reply ? "The answer" : "What goes", to.to_string(),
                                fmt::join(loop.nodes, " and "));
  for (const std::string& name : loop.nodes) {
    RouteQuestion asked;
    asked.to = to;
    const RouteAnswer answer = facts.route(name, asked);
    if (answer.found()) {
      finding.evidence.push_back(
          fmt::format("{} sends what goes to {} {}", name, to.to_string(), to_text(answer)));
    }
  }
  finding.evidence.push_back(fmt::format("it left {} {} times, at last with a TTL of {}", loop.last->node,
                                         loop.rounds, loop.last->packet.ip->ttl));
  if (const auto command = mend(question, facts, loop, to)) finding.fix = {*command};
  return finding;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (question.outcome.status == traffic::ProbeOutcome::Status::replied) return std::nullopt;
  const Sighting* seen = expiry_seen(question.journey);
  const bool told = expired(question.outcome) || seen != nullptr;
  for (const Leg leg : {Leg::forward, Leg::reply}) {
    const auto loop = loop_in(question, facts, leg);
    if (loop && (told || loop->last->packet.ip->ttl <= 1)) return looped(question, facts, *loop);
  }
  if (!expired(question.outcome)) return std::nullopt;
  const IpAddress& from = question.outcome.icmp->from;
  const network::Node* node = facts.topology().owner_of(from);
  const Sighting* last = question.journey.furthest();
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format("The packet's TTL was used up at {}, before it came to {}.",
                                node == nullptr ? from.to_string() : node->name, question.to.to_string());
  finding.evidence = {traffic::to_text(question.outcome)};
  if (last != nullptr && last->packet.ip) {
    finding.evidence.push_back(
        fmt::format("last seen at {} with a TTL of {}", place(*last), last->packet.ip->ttl));
  }
  return finding;
}

}  // namespace

CauseKind ttl_exceeded_cause() {
  return {
      "ttl-exceeded",
      "The packet's TTL was used up: it runs in circles, or it began too low.",
      "Each router takes one from the TTL (IPv6: hop limit) and drops the packet at 0. In a healthy network "
      "64 are plenty, so that this nearly always is a loop: two routers, each of which takes the other for "
      "the "
      "way. The classic one is between a host and its router: the router sends the whole container network "
      "to "
      "the host, and the host, having no route for an address of it that is not in use (or whose bridge is "
      "gone), sends it by its default route back to the router. Seldom it is a rule that sets a low TTL, or "
      "a "
      "`net.ipv4.ip_default_ttl` of its own.",
      "An ICMP error \"time exceeded\" came back, or the packet was last seen with a TTL of 1; where it is a "
      "loop, the same two nodes were seen sending it on again and again, and their own lookups name each "
      "other.",
      "Look with `traceroute -n ADDRESS`: the two addresses alternate. Ask both with `ip route get ADDRESS`. "
      "Mend "
      "the one that has the wrong route:\n```\nip route replace 203.0.113.0/24 via 198.18.0.80 dev wan\n```\n"
      "Against loops over unused addresses, give the host a route that ends them: `ip route add unreachable "
      "192.168.96.0/20`, beside the connected ones, which are longer.",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of({reasons::links(),
                       reasons::frames(),
                       reasons::steering(),
                       reasons::translation(),
                       {"wrong-gateway"}})};
}

}  // namespace plumbline::proof
