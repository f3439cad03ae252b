#include "harness/proof/diagnosis/denial.hpp"

#include <fmt/format.h>

#include "harness/proof/diagnosis/firewall.hpp"

namespace plumbline::proof {
namespace {

using firewall::RulePacket;
using traffic::Direction;

/// Whether a rule of the guard may lead the probe elsewhere than it was sent to: then it meets other hooks,
/// as another packet.
bool guard_may_translate(const Case& question, Facts& facts, const RulePacket& packet) {
  for (const Chain& chain : facts.chains(question.guard)) {
    for (const Chain::Rule& rule : chain.rules) {
      const firewall::RuleWords words = firewall::read_rule(chain.backend, rule.text);
      if (words.translates_destination() &&
          firewall::matches_but_for_oif(words, packet) != firewall::Match::no)
        return true;
    }
  }
  return false;
}

/// The rules of the guard, as they are, stop the probe for certain once nothing else does: then it is no
/// matter what else is opened.
bool guard_would_stop(const Case& question, Facts& facts) {
  const network::Node* guard = facts.node(question.guard);
  if (guard == nullptr) return false;
  const Sighting* in = question.journey.first(Leg::forward, question.guard, Direction::in);
  const bool seen = in != nullptr && in->packet.ip;
  const IpAddress source = seen ? in->packet.ip->source : question.outcome.identity.source;
  const IpAddress to = seen ? in->packet.ip->destination : question.to;
  RulePacket packet = firewall::packet_of(question, Leg::forward, source, to);
  Hook hook = Hook::forward;
  if (question.from == question.guard) hook = Hook::output;
  if (question.to_node == question.guard) hook = Hook::input;
  if (hook != Hook::output) {
    packet.iif = seen ? firewall::ip_interface(*guard, in->interface)
                      : facts.route(question.guard, {source, {}, {}, 0}).dev;
    if (packet.iif.empty()) return false;
  }
  if (guard_may_translate(question, facts, packet)) return false;
  if (hook != Hook::input) {
    packet.oif = facts.route(question.guard, {to, {}, {}, 0}).dev;
    // From one port of a bridge to another it may meet no rule at all.
    if (packet.oif.empty() || packet.oif == packet.iif) return false;
  }
  return firewall::stopped_by_rules(facts, question.guard, hook, packet).has_value();
}

}  // namespace

void keep_shut(const Case& question, Facts& facts, Finding& finding) {
  if (question.guard.empty() || !finding.opens) return;
  const std::string& node = finding.opens->node;
  const bool control = question.promise != Case::Promise::deny;
  if (control) {
    if (node != question.guard) return;
    finding.evidence.push_back(
        fmt::format("{} is to deny this target, and stops the control {} as well: rather than open it, name "
                    "with `control:` a node that it does not stop",
                    node, question.from));
  } else if (node != question.guard) {
    if (!finding.opens->rule && guard_would_stop(question, facts)) return;
    finding.evidence.push_back(
        fmt::format("so the denied probe does not pass {}, whatever {} would do: where that is as it should "
                    "be, say `guard: {}`",
                    node, question.guard, node));
  } else {
    if (!finding.opens->rule && guard_would_stop(question, facts)) return;
    finding.evidence.push_back(
        fmt::format("nothing is to be opened for a probe that {} is to stop: no rule of it is known to stop "
                    "this one otherwise",
                    node));
  }
  finding.fix.clear();
}

}  // namespace plumbline::proof
