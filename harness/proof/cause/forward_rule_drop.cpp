#include <fmt/format.h>

#include "harness/proof/diagnosis/firewall.hpp"
#include "harness/proof/diagnosis/reasons.hpp"

namespace plumbline::proof {

using namespace firewall;

namespace {

/// Docker's own rule for a network that was made with `--internal`: it stops at the network's bridge whatever
/// is for, or from, elsewhere. Empty: it is none; else the network.
std::string internal_network(const Stop& stop) {
  const std::string& chain = stop.place.chain;
  const bool dockers = chain.starts_with("DOCKER-ISOLATION") || chain == "DOCKER-INTERNAL";
  if (!dockers || stop.place.policy) return {};
  const RuleWords words = read_rule(stop.place.backend, stop.place.text);
  const auto& not_from = words.source;
  const auto& not_for = words.destination;
  const bool out = words.iif && not_for && not_for->inverted && !not_from;
  const bool in = words.oif && not_from && not_from->inverted && !not_for;
  if (!words.stops() || words.doubt || (!out && !in)) return {};
  return out ? stop.packet.iif : stop.packet.oif;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  const auto found = blamed(question, facts, Blame::forward_rule_drop);
  if (!found) return std::nullopt;
  const Stop& stop = found->stop;
  Finding finding = finding_of(question, *found);
  if (found->wrong_way) {
    finding.summary =
        fmt::format("A rule of {} {} the probe, which was to be {}.", stop.place.chain_text(),
                    stop.rejects() ? "rejects" : "drops", question.how == "drop" ? "dropped" : "rejected");
    Wanted other = like(stop.packet);
    other.verdict = question.how;
    finding.fix = typed_on(stop.place.node, question, {insert_command(facts, stop.place, other)});
    return finding;
  }
  const char* done = stop.place.policy ? "stops" : stop.rejects() ? "rejects" : "drops";
  finding.summary = fmt::format("A rule of {} {} {} to {}.", stop.place.chain_text(), done, stop.what(),
                                stop.packet.destination.to_string());
  if (const std::string bridge = internal_network(stop); !bridge.empty()) {
    finding.summary =
        fmt::format("The network on {} is internal: Docker's own rule for that, in {}, {} {} to {}.", bridge,
                    stop.place.chain_text(), done, stop.what(), stop.packet.destination.to_string());
    finding.evidence.emplace_back(
        "made with `docker network create --internal`, or `internal: true` of compose: Docker writes that "
        "rule "
        "anew");
    finding.fix = typed_on(
        stop.place.node, question,
        {"docker network create NETWORK  # without --internal", "docker network connect NETWORK CONTAINER"});
    return finding;
  }
  finding.fix = typed_on(stop.place.node, question, accept_commands(facts, stop));
  return finding;
}

}  // namespace

CauseKind forward_rule_drop_cause() {
  return {
      "forward-rule-drop",
      "A rule drops or rejects a packet that is to be forwarded.",
      "A rule matches the packet and ends its way: a block of an address range that is too wide, a rule for "
      "another interface or address that takes this one too, or one that a tool added. fail2ban, ufw, "
      "firewalld, Docker's isolation chains and CNI's firewall plugin all write such rules. A `reject` "
      "answers with an ICMP error or a reset; a `drop` leaves the sender waiting.",
      "The kernel's trace names the rule by its handle and in nft's words; or the packet came in and never "
      "left, and the rules leave no other outcome. A rule that would accept the packet and comes too late "
      "is [forward-rule-order](#forward-rule-order). To look oneself: `nft -a list ruleset`, "
      "`iptables -L -v -n --line-numbers`; counters show which rule takes packets.",
      "Narrow the rule, or accept the exception ahead of it:\n"
      "```\nnft insert rule inet filter forward handle 7 ip daddr 203.0.113.80 tcp dport 80 accept\n```\n"
      "An answer is let through by its connection (`ct state established,related accept`), not by its source "
      "port, from which anybody may send. Where Docker's own rule of an internal network stops it, connect "
      "the "
      "container to a network that is not internal instead.\n\n"
      "Change it where it comes from, too: whatever tool wrote it will write it again.",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of(
          {reasons::links(), reasons::frames(), reasons::steering(), {"pmtu-black-hole", "wrong-gateway"}})};
}

}  // namespace plumbline::proof
