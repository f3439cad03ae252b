#include "checks/denial.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <optional>

#include "checks/reach.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/witness/drop_trace.hpp"

namespace plumbline::checks {
namespace {

using engine::Judgement;
using engine::Verdict;
using proof::Leg;
using traffic::Direction;
using Status = traffic::ProbeOutcome::Status;

/// It went from port to port of a bridge, to a node that is not the target: as a frame with a wrong hardware
/// address does, which nobody takes in, or one for another router. What becomes of it there is not the
/// guard's doing: no leak is shown, and no denial either.
bool strayed(const Denial& denial, const engine::Evidence& evidence, const proof::Sighting& sighting) {
  const auto port = denial.ports.find(sighting.interface);
  if (port == denial.ports.end() || port->second == evidence.to.node) return false;
  // Whose the target is, is not known: it may be behind any cable but a container's.
  if (evidence.to.node.empty() && !denial.containers.contains(port->second)) return false;
  // What the guard sends itself leaves by the bridge's own device first.
  return std::ranges::none_of(evidence.journey.sightings, [&](const proof::Sighting& each) {
    return each.is(Leg::forward, denial.guard, Direction::out) && denial.bridges.contains(each.interface);
  });
}

/// Where it strayed to. Absent: it did not.
std::optional<std::string> astray(const Denial& denial, const engine::Evidence& evidence) {
  const auto& all = evidence.journey.sightings;
  const auto found = std::ranges::find_if(all, [&](const proof::Sighting& each) {
    return each.is(Leg::forward, denial.guard, Direction::out) && strayed(denial, evidence, each);
  });
  if (found == all.end() || denial.inner.contains(found->interface)) return std::nullopt;
  return fmt::format("{} passed it on as a frame, by {} to {}: who stopped it is not shown", denial.guard,
                     engine::place(*found), denial.ports.at(found->interface));
}

/// The probe at one of the guard's interfaces on its way out. What a bridge's own device sends, its ports
/// send on, or nobody; what goes by a cable within the guard comes in again.
const proof::Sighting* left_guard(const Denial& denial, const engine::Evidence& evidence) {
  const auto& all = evidence.journey.sightings;
  const auto found = std::ranges::find_if(all, [&](const proof::Sighting& sighting) {
    return sighting.is(Leg::forward, denial.guard, Direction::out) && sighting.interface != "lo" &&
           !denial.bridges.contains(sighting.interface) && !denial.inner.contains(sighting.interface) &&
           !strayed(denial, evidence, sighting);
  });
  return found == all.end() ? nullptr : &*found;
}

bool silent(const engine::Evidence& evidence) {
  return evidence.outcome.status == Status::timeout;
}

/// A packet of the probe at a hook of the guard with that end; null: none was reported.
const proof::Passage* at_guard(const Denial& denial, const engine::Evidence& evidence,
                               const std::function<bool(const proof::Passage&)>& holds) {
  const auto& all = evidence.kernel.passages;
  const auto found = std::ranges::find_if(all, [&](const proof::Passage& passage) {
    return passage.node == denial.guard && passage.leg == Leg::forward && holds(passage);
  });
  return found == all.end() ? nullptr : &*found;
}

bool stops(const proof::Passage& passage) {
  return (passage.verdict == "drop" || passage.verdict == "reject") &&
         passage.copies != proof::Passage::Copies::went_on;
}

/// The guard let it, or a copy of it, go: nothing of its rules stops a packet that has passed this hook, but
/// for a bridge's, which come behind it.
const proof::Passage* let_go(const Denial& denial, const engine::Evidence& evidence) {
  const auto by_bridge = [](const proof::Passage& passage) { return passage.bridge && stops(passage); };
  if (at_guard(denial, evidence, by_bridge) != nullptr) return nullptr;
  return at_guard(denial, evidence, [](const proof::Passage& passage) {
    return passage.hook == proof::Hook::postrouting && passage.verdict == "accept";
  });
}

/// The rule or policy of the guard that stopped it, as the guard's kernel reported. Null: none was reported,
/// or a copy of the probe went on.
const proof::Passage* stopped_at(const Denial& denial, const engine::Evidence& evidence) {
  return let_go(denial, evidence) != nullptr ? nullptr : at_guard(denial, evidence, stops);
}

/// A drop that no guard is behind. Null: none was told.
const proof::Drop* accident(const engine::Evidence& evidence) {
  const auto& all = evidence.kernel.drops;
  const auto found = std::ranges::find_if(all, [](const proof::Drop& drop) {
    return drop.leg == Leg::forward && !proof::may_be_a_copy(drop) && !proof::is_decision(drop);
  });
  return found == all.end() ? nullptr : &*found;
}

/// The guard's netfilter let go of it. Null: nobody told so.
const proof::Drop* netfilter_drop(const Denial& denial, const engine::Evidence& evidence) {
  const auto& all = evidence.kernel.drops;
  const auto found = std::ranges::find_if(all, [&](const proof::Drop& drop) {
    return drop.node == denial.guard && drop.leg == Leg::forward && drop.reason == "NETFILTER_DROP" &&
           !proof::may_be_a_copy(drop);
  });
  return found == all.end() ? nullptr : &*found;
}

/// A rule or policy of the guard's threw it away, by its kernel's own word: also where no trace of ours
/// reaches its chain. What evaluates no rules drops for other reasons, too: a new route that is none, a full
/// table.
const proof::Drop* dropped_by_guard(const Denial& denial, const engine::Evidence& evidence) {
  constexpr std::array<std::string_view, 4> kEvaluators{"nft_do_chain", "ipt_do_table", "ip6t_do_table",
                                                        "ebt_do_table"};
  const proof::Drop* drop = netfilter_drop(denial, evidence);
  const bool by_rule = drop != nullptr && std::ranges::find(kEvaluators, drop->function) != kEvaluators.end();
  return by_rule ? drop : nullptr;
}

/// The isolated ports of one bridge of the guard that lead to the two: "veth1 and veth2". Absent: they are
/// not both so.
std::optional<std::string> isolated_ports(const Denial& denial, const std::string& from,
                                          const std::string& to) {
  for (const auto& [in, bridge] : denial.isolated) {
    for (const auto& [out, other] : denial.isolated) {
      const bool lead = in != out && bridge == other && denial.ports.contains(in) &&
                        denial.ports.contains(out) && denial.ports.at(in) == from &&
                        denial.ports.at(out) == to;
      if (lead) return fmt::format("{} and {}", in, out);
    }
  }
  return std::nullopt;
}

/// Its frame came to one isolated port of a bridge for whoever is behind another, and by its kernel's word
/// went nowhere: nothing else can become of such.
std::optional<std::string> kept_apart(const Denial& denial, const engine::Evidence& evidence) {
  const bool bridged = std::ranges::any_of(evidence.journey.sightings, [&](const proof::Sighting& each) {
    return each.is(Leg::forward, denial.guard, Direction::other_host) &&
           denial.isolated.contains(each.interface);
  });
  const bool dropped = std::ranges::any_of(evidence.kernel.drops, [&](const proof::Drop& drop) {
    return drop.node == denial.guard && drop.leg == Leg::forward && drop.function.starts_with("br_") &&
           !proof::may_be_a_copy(drop);
  });
  return bridged && dropped ? isolated_ports(denial, evidence.from, evidence.to.node) : std::nullopt;
}

/// All that the guard saw of it came to ports of its bridges. What becomes of a frame there, only a kernel
/// tells: one for nobody, or for a bridge that is down, gets no further either. Whether a port sees it as its
/// own is chance: a bridge mostly bears the address of one of its ports.
const proof::Sighting* only_at_port(const Denial& denial, const engine::Evidence& evidence) {
  const proof::Sighting* first = nullptr;
  for (const proof::Sighting& each : evidence.journey.sightings) {
    if (each.leg != Leg::forward || each.node != denial.guard) continue;
    const bool came =
        each.packet.direction == Direction::in || each.packet.direction == Direction::other_host;
    if (!came || !denial.bridge_ports.contains(each.interface)) return nullptr;
    if (first == nullptr) first = &each;
  }
  return first;
}

/// Who said no to the sender: absent where nobody did. A send that the guard's own firewall drops fails with
/// EPERM, but that is the kernel's word to the program, not a rejection: nothing is sent back.
std::optional<std::string> rejection(const engine::Evidence& evidence) {
  const Status status = evidence.outcome.status;
  if (status != Status::icmp_error && status != Status::refused) return std::nullopt;
  return traffic::to_text(evidence.outcome);
}

/// An ICMP error in the target's name, though the target never saw the probe: something on the way was
/// translated to a closed port or the like. It stopped the probe, but as no rule meant to.
bool speaks_for_the_target(const Denial& denial, const engine::Evidence& evidence) {
  return evidence.outcome.status == Status::icmp_error && evidence.to.node != denial.guard &&
         evidence.outcome.icmp && evidence.outcome.icmp->from == evidence.to.address;
}

/// A refusal by the sending kernel proves a guard only where it is the guard's firewall that says so, be it
/// at the device below the sender's own: "no route" stops a probe as well, and guards nothing.
std::optional<std::string> not_the_guards_word(const Denial& denial, const engine::Evidence& evidence) {
  if (evidence.outcome.status != Status::local_error) return std::nullopt;
  if (evidence.from == denial.guard && evidence.outcome.error_number == EPERM) return std::nullopt;
  if (dropped_by_guard(denial, evidence) != nullptr) return std::nullopt;
  return fmt::format("the probe was never sent: {}", traffic::to_text(evidence.outcome));
}

/// The guard refused its own probe: the send failed, or the refusal was seen on its loopback. A reset without
/// any sighting may come from wherever a translation has sent the probe.
bool own_firewall_spoke(const engine::Evidence& evidence) {
  if (evidence.outcome.status == Status::local_error || evidence.outcome.status == Status::icmp_error)
    return true;
  return std::ranges::any_of(evidence.journey.sightings, [](const proof::Sighting& s) {
    return s.leg != Leg::forward && s.interface == "lo";
  });
}

/// "Host unreachable" is what a router says whose next hop is dead, and "network unreachable" one that has no
/// route; a rule may say either too, but nothing here tells which. Time exceeded, fragmentation needed and
/// the like are no refusals at all.
std::optional<std::string> routers_own_word(const engine::Evidence& evidence) {
  if (evidence.outcome.status != Status::icmp_error || !evidence.outcome.icmp) return std::nullopt;
  const traffic::IcmpError& icmp = *evidence.outcome.icmp;
  if (icmp.type != (icmp.v6 ? 1 : 3)) return "which refuses nothing";
  if (!icmp.v6 && (icmp.code == 4 || icmp.code == 5)) return "which refuses nothing";
  if (icmp.code == (icmp.v6 ? 3 : 1)) return "which is what a router says whose next hop is dead, too";
  if (icmp.code == 0) return "which is what a router says that has no route, too";
  return std::nullopt;
}

bool lost_reports(const Denial& denial, const engine::Evidence& evidence) {
  return std::ranges::any_of(evidence.kernel.nodes, [&](const proof::KernelPath::Node& node) {
    return node.name == denial.guard && node.lost;
  });
}

/// What the guard's kernel reports that speaks against its having stopped the probe. Absent: nothing.
std::optional<std::string> let_through(const Denial& denial, const engine::Evidence& evidence) {
  if (const proof::Passage* gone = let_go(denial, evidence)) {
    return fmt::format("{} let it pass all its rules{}; it may lie in a queue", denial.guard,
                       gone->oif.empty() ? "" : " towards " + gone->oif);
  }
  const bool for_another = evidence.to.node != denial.guard && evidence.from != denial.guard;
  const auto taken = [](const proof::Passage& passage) {
    return !passage.bridge && passage.hook == proof::Hook::input && passage.verdict == "accept";
  };
  if (for_another && at_guard(denial, evidence, taken) != nullptr) {
    return fmt::format(
        "{} took it itself, and no rule of it refused it: a translation may have sent it there",
        denial.guard);
  }
  // Neither dropped nor seen where it must come next: it was changed beyond recognition, or is still there.
  const auto vanished = [](const proof::Passage& passage) {
    return !passage.bridge && passage.verdict.empty() && passage.hook == proof::Hook::forward;
  };
  if (evidence.kernel.drops.empty() && at_guard(denial, evidence, vanished) != nullptr) {
    return fmt::format(
        "no rule that {} reports stopped it, and nothing tells what became of it behind the hook forward",
        denial.guard);
  }
  return std::nullopt;
}

std::string drop_text(const proof::Drop& drop) {
  return fmt::format("dropped by the kernel of {}: {} in {}", drop.node, drop.reason, drop.function);
}

/// Of a probe that ended before its time-out, for another reason than a rule.
std::string lost_text(const engine::Evidence& evidence) {
  for (const proof::Drop& drop : evidence.kernel.drops) {
    if (drop.leg != Leg::forward || proof::may_be_a_copy(drop)) continue;
    return drop_text(drop);
  }
  return "dropped";
}

/// "timeout", "ICMP … from 192.168.99.1", with the rule that did it where that is known.
std::string described(const Denial& denial, const engine::Evidence& evidence, const proof::Passage* stopped) {
  const std::string outcome =
      silent(evidence) ? "no answer within the time-out" : traffic::to_text(evidence.outcome);
  const bool heard = evidence.outcome.status != Status::local_error && !silent(evidence);
  const proof::Drop* by_guard = heard ? nullptr : dropped_by_guard(denial, evidence);
  if (const auto ports = stopped == nullptr ? kept_apart(denial, evidence) : std::nullopt)
    return fmt::format("kept apart by {}, whose ports {} are isolated", denial.guard, *ports);
  if (stopped == nullptr && by_guard != nullptr) return drop_text(*by_guard);
  if (stopped == nullptr && evidence.ended_early) return lost_text(evidence);
  if (stopped == nullptr) return outcome;
  const auto rule = std::ranges::find(stopped->rules, stopped->verdict, &proof::RuleMet::verdict);
  if (rule == stopped->rules.end()) return outcome;
  const std::string by = proof::rule_text(*stopped, *rule);
  if (silent(evidence))
    return fmt::format("{} by {}", stopped->verdict == "drop" ? "dropped" : "rejected, unheard,", by);
  return fmt::format("{}, by {}", outcome, by);
}

/// What would make a denial of the live host's provable whose target nobody watches.
std::string provable_with(const engine::Evidence& control) {
  if (!control.to.node.empty()) return {};
  return fmt::format(
      ". Name a target behind the same guard that {} can reach{}, or another `control:`", control.from,
      control.with.protocol == traffic::Protocol::ping ? " (with a tcp port that it serves)" : "");
}

/// Why the target may not have answered anybody. Absent: the control got through to it.
std::optional<std::string> unproven_control(const Denial& denial, const engine::Evidence& evidence,
                                            const engine::Evidence* control) {
  if (control == nullptr && !denial.unusable.empty()) {
    return fmt::format("the control {} is the target itself: name a node outside the guard with `control:`",
                       denial.unusable);
  }
  if (control == nullptr) return "there is no control: name a node outside the guard with `control:`";
  const Judgement through = judge_control(denial, *control);
  if (through.verdict == Verdict::pass) return std::nullopt;
  if (is_guarded_too(denial, *control)) {
    const proof::Passage* stopped = stopped_at(denial, *control);
    return fmt::format(
        "{}, but {} stops the control {} too ({}), so the target may be dead: name a node that "
        "may reach {} with `control:`",
        evidence.furthest(), denial.guard, control->from,
        stopped == nullptr ? through.observed : described(denial, *control, stopped), control->to.text);
  }
  return fmt::format("{}, but the control failed too, so the target may be dead: {} from {}: {}{}",
                     evidence.furthest(), control->with.to_string(), control->from, through.observed,
                     provable_with(*control));
}

/// What keeps a denial without a leak from being proven. Absent: nothing does.
std::optional<std::string> gap(const Denial& denial, const engine::Evidence& evidence,
                               const engine::Evidence* control) {
  if (!evidence.journey.complete)
    return "the capture lost frames, so absence beyond the guard proves nothing";
  if (const auto word = not_the_guards_word(denial, evidence)) return word;
  if (silent(evidence) && !denial.unresolved.empty() && dropped_by_guard(denial, evidence) == nullptr) {
    return fmt::format("{} waits in vain for its neighbour {}: the probe may have died there", denial.guard,
                       denial.unresolved);
  }
  if (const auto through = let_through(denial, evidence)) return through;
  // A firewall of the guard's that is known to have stopped it leaves no doubt where and why it ended.
  if (is_stopped(denial, evidence)) return unproven_control(denial, evidence, control);
  const bool own = evidence.from == denial.guard;
  if (silent(evidence) && kept_apart(denial, evidence)) return unproven_control(denial, evidence, control);
  const bool own_refusal = own && own_firewall_spoke(evidence);
  if (!own_refusal && evidence.journey.passed(evidence.from) == nullptr) {
    if (const auto ports = isolated_ports(denial, evidence.from, evidence.to.node)) {
      return fmt::format(
          "{} never sent the probe: ports {} of {} are isolated, so that it asks for its "
          "neighbour in vain; `isolated` promises that",
          evidence.from, *ports, denial.guard);
    }
    return fmt::format("the probe was never seen leaving {}{}", evidence.from,
                       own ? ": its own firewall may have dropped it, but nothing proves that" : "");
  }
  if (!own && evidence.journey.passed(denial.guard) == nullptr) {
    return fmt::format("the probe never came to the guard {}; {}", denial.guard, evidence.furthest());
  }
  if (const proof::Sighting* frame = silent(evidence) ? only_at_port(denial, evidence) : nullptr) {
    return fmt::format(
        "{} saw its frame at {} alone, and no kernel tells what became of it{}", denial.guard,
        engine::place(*frame),
        evidence.kernel.blind(denial.guard) ? "; with its rules traced (`--trace-rules`) it may" : "");
  }
  if (speaks_for_the_target(denial, evidence)) {
    return fmt::format("{}, in the name of the target, which never saw the probe",
                       traffic::to_text(evidence.outcome));
  }
  if (const auto own_word = routers_own_word(evidence)) {
    return fmt::format("{}, {}", traffic::to_text(evidence.outcome), *own_word);
  }
  if (silent(evidence) && lost_reports(denial, evidence)) {
    return fmt::format("the trace of {} is incomplete: it may have let the probe through", denial.guard);
  }
  if (const proof::Drop* drop = silent(evidence) ? accident(evidence) : nullptr) {
    return fmt::format("the kernel of {} lost it ({} in {}), which guards nothing", drop->node, drop->reason,
                       drop->function);
  }
  // No listener of ours tells whether the guard's kernel took it: only its answer may have been dropped.
  if (silent(evidence) && evidence.with.protocol == traffic::Protocol::ping &&
      evidence.to.node == denial.guard) {
    return fmt::format("{} may have taken the ping and lost only its answer; tcp or udp to it can be proven",
                       denial.guard);
  }
  return unproven_control(denial, evidence, control);
}

}  // namespace

std::optional<std::string> leak(const Denial& denial, const engine::Evidence& evidence) {
  if (evidence.got_through()) {
    const auto wrong = engine::wrong_answerer(evidence.journey, evidence.to, evidence.with.port);
    return fmt::format("answered: {}{}", traffic::to_text(evidence.outcome), wrong ? ", but " + *wrong : "");
  }
  if (!evidence.delivered_to.empty()) return fmt::format("a listener of {} got it", evidence.delivered_to);
  const proof::Journey& journey = evidence.journey;
  const std::string& target = evidence.to.node;
  if (target == denial.guard) {
    // The guard stops it on its way in: what its tap sees is not past it, but an answer is.
    const proof::Sighting* answer = journey.first(Leg::reply, target, Direction::out);
    const bool reset = answer != nullptr && evidence.outcome.status == Status::refused;
    if (answer != nullptr && !reset) return fmt::format("answered by {}", engine::place(*answer));
  } else if (!target.empty()) {
    if (const proof::Sighting* there = journey.arrived(target))
      return fmt::format("seen at {}", engine::place(*there));
  }
  if (const proof::Sighting* past = left_guard(denial, evidence))
    return fmt::format("seen leaving {}", engine::place(*past));
  return std::nullopt;
}

bool is_stopped(const Denial& denial, const engine::Evidence& evidence) {
  return stopped_at(denial, evidence) != nullptr || dropped_by_guard(denial, evidence) != nullptr;
}

bool is_guarded_too(const Denial& denial, const engine::Evidence& control) {
  if (control.from == denial.guard || control.answered()) return false;
  return stopped_at(denial, control) != nullptr || netfilter_drop(denial, control) != nullptr;
}

Judgement judge_control(const Denial& denial, const engine::Evidence& control) {
  Judgement through = judge_reach(control);
  if (through.verdict != Verdict::fail || control.to.node != denial.guard || !control.answered())
    return through;
  const auto& seen = control.journey.sightings;
  const auto led_on = std::ranges::find_if(seen, [&](const proof::Sighting& each) {
    return each.is(Leg::forward, denial.guard, Direction::out) && each.packet.ip &&
           each.packet.ip->destination != control.to.address;
  });
  if (led_on == seen.end()) return through;
  return {Verdict::pass, fmt::format("{}; {} leads it on to {}", traffic::to_text(control.outcome),
                                     denial.guard, led_on->packet.ip->destination.to_string())};
}

Judgement judge_deny(const Denial& denial, const engine::Evidence& evidence,
                     const engine::Evidence* control) {
  if (const auto leaked = leak(denial, evidence))
    return {Verdict::fail, fmt::format("not denied: {}", *leaked)};
  if (const auto missing = gap(denial, evidence, control)) return {Verdict::inconclusive, *missing};
  const auto said = rejection(evidence);
  const proof::Passage* stopped = stopped_at(denial, evidence);
  const std::string how = described(denial, evidence, stopped);
  if (denial.how == How::reject && !said) {
    return {Verdict::fail,
            fmt::format("{} instead of rejected; {}", stopped == nullptr ? "dropped (" + how + ")" : how,
                        evidence.furthest())};
  }
  if (denial.how == How::drop && said) {
    return {Verdict::fail, fmt::format("rejected ({}) instead of dropped in silence", how)};
  }
  if (const auto past = stopped == nullptr && !said ? astray(denial, evidence) : std::nullopt)
    return {Verdict::inconclusive, *past};
  return {Verdict::pass, fmt::format("{}; {}", how, evidence.furthest())};
}

}  // namespace plumbline::checks
