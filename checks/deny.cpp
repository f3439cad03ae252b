#include "checks/deny.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <cerrno>
#include <functional>
#include <optional>

#include "checks/cables.hpp"
#include "checks/reach.hpp"
#include "harness/engine/check/check.hpp"
#include "harness/engine/check/diagnosis.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/witness/drop_trace.hpp"

namespace plumbline::checks {
namespace {

using engine::Judgement;
using engine::Verdict;
using proof::Leg;
using traffic::Direction;
using Status = traffic::ProbeOutcome::Status;

constexpr std::string_view kSchema = R"({
  "type": "object",
  "required": ["from", "to"],
  "additionalProperties": false,
  "properties": {
    "from": {"$ref": "#/$defs/nodes"},
    "to": {"$ref": "#/$defs/targets"},
    "with": {"$ref": "#/$defs/services"},
    "family": {"$ref": "#/$defs/families"},
    "how": {"enum": ["any", "reject", "drop"], "description": "How the guard says no; any by default."},
    "control": {"$ref": "#/$defs/name", "description": "A node outside the guard that must reach the same target; host by default."},
    "guard": {"$ref": "#/$defs/name", "description": "The node that is to stop the probe; host by default."}
  }
})";
constexpr std::array<std::string_view, 3> kHowWords{"any", "reject", "drop"};

/// It went from port to port of a bridge, to a node that is not the target: as a frame with a wrong hardware
/// address does, which nobody takes in, or one for another router. What becomes of it there is not the
/// guard's doing: no leak is shown, and no denial either.
bool strayed(const Denial& denial, const engine::Evidence& evidence, const proof::Sighting& sighting) {
  const auto port = denial.ports.find(sighting.interface);
  if (port == denial.ports.end() || port->second == evidence.to.node || evidence.to.node.empty())
    return false;
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

/// The probe got past its guard: where it was seen, or who answered. Absent: no trace of that.
std::optional<std::string> leak(const Denial& denial, const engine::Evidence& evidence) {
  if (evidence.got_through()) return fmt::format("answered: {}", traffic::to_text(evidence.outcome));
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

/// A refusal by the sending kernel proves a guard only where it is the guard's own firewall that says so: "no
/// route" stops a probe as well, and guards nothing.
std::optional<std::string> not_the_guards_word(const Denial& denial, const engine::Evidence& evidence) {
  if (evidence.outcome.status != Status::local_error) return std::nullopt;
  if (evidence.from == denial.guard && evidence.outcome.error_number == EPERM) return std::nullopt;
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

/// Why the target may not have answered anybody. Absent: the control got through to it.
std::optional<std::string> unproven_control(const engine::Evidence& evidence,
                                            const engine::Evidence* control) {
  if (control == nullptr) return "there is no control: name a node outside the guard with `control:`";
  const Judgement through = judge_reach(*control);
  if (through.verdict == Verdict::pass) return std::nullopt;
  return fmt::format("{}, but the control failed too, so the target may be dead: {} from {}: {}",
                     evidence.furthest(), control->with.to_string(), control->from, through.observed);
}

/// What keeps a denial without a leak from being proven. Absent: nothing does.
std::optional<std::string> gap(const Denial& denial, const engine::Evidence& evidence,
                               const engine::Evidence* control) {
  if (!evidence.journey.complete)
    return "the capture lost frames, so absence beyond the guard proves nothing";
  if (const auto word = not_the_guards_word(denial, evidence)) return word;
  if (silent(evidence) && !denial.unresolved.empty()) {
    return fmt::format("{} waits in vain for its neighbour {}: the probe may have died there", denial.guard,
                       denial.unresolved);
  }
  if (const auto through = let_through(denial, evidence)) return through;
  // A rule of the guard's that is known to have stopped it leaves no doubt where and why it ended.
  if (stopped_at(denial, evidence) != nullptr) return unproven_control(evidence, control);
  const bool own = evidence.from == denial.guard;
  const bool own_refusal = own && own_firewall_spoke(evidence);
  if (!own_refusal && evidence.journey.passed(evidence.from) == nullptr) {
    return fmt::format("the probe was never seen leaving {}{}", evidence.from,
                       own ? ": its own firewall may have dropped it, but nothing proves that" : "");
  }
  if (!own && evidence.journey.passed(denial.guard) == nullptr) {
    return fmt::format("the probe never came to the guard {}; {}", denial.guard, evidence.furthest());
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
  return unproven_control(evidence, control);
}

/// Of a probe that ended before its time-out, for another reason than a rule.
std::string lost_text(const engine::Evidence& evidence) {
  for (const proof::Drop& drop : evidence.kernel.drops) {
    if (drop.leg != Leg::forward || proof::may_be_a_copy(drop)) continue;
    return fmt::format("dropped by the kernel of {}: {} in {}", drop.node, drop.reason, drop.function);
  }
  return "dropped";
}

/// "timeout", "ICMP … from 192.168.99.1", with the rule that did it where that is known.
std::string described(const engine::Evidence& evidence, const proof::Passage* stopped) {
  const std::string outcome =
      silent(evidence) ? "no answer within the time-out" : traffic::to_text(evidence.outcome);
  if (stopped == nullptr && evidence.ended_early) return lost_text(evidence);
  if (stopped == nullptr) return outcome;
  const auto rule = std::ranges::find(stopped->rules, stopped->verdict, &proof::RuleMet::verdict);
  if (rule == stopped->rules.end()) return outcome;
  const std::string by = proof::rule_text(*stopped, *rule);
  if (silent(evidence))
    return fmt::format("{} by {}", stopped->verdict == "drop" ? "dropped" : "rejected, unheard,", by);
  return fmt::format("{}, by {}", outcome, by);
}

class Deny final : public engine::Check {
 public:
  Deny(const engine::Pairing& pairing, Denial denial, std::string control)
      : with_(pairing.with),
        family_(pairing.family),
        denial_(std::move(denial)),
        control_(std::move(control)) {}

  std::vector<engine::Need> needs() const override { return {{promise.from, promise.to, with_}}; }

  boost::asio::awaitable<engine::Outcome> run(engine::Stage& stage) const override {
    using boost::asio::experimental::awaitable_operators::operator&&;
    const engine::Target to = stage.target(promise.from, promise.to, family_);
    // A control that holds the target itself would go over its own loopback and prove nothing.
    if (control_.empty() || control_ == to.node) {
      engine::Evidence evidence = co_await stage.exchange(promise.from, to, with_, engine::Until::dropped);
      co_return co_await conclude(stage, std::move(evidence), nullptr);
    }
    auto probe = stage.exchange(promise.from, to, with_, engine::Until::dropped);
    auto control_probe = stage.exchange(control_, to, with_);
    auto [evidence, control] = co_await (std::move(probe) && std::move(control_probe));
    co_return co_await conclude(stage, std::move(evidence), &control);
  }

 private:
  boost::asio::awaitable<engine::Outcome> conclude(engine::Stage& stage, engine::Evidence evidence,
                                                   const engine::Evidence* control) const {
    Denial denial = denial_;
    if (const network::Node* guard = stage.topology().find(denial.guard)) {
      denial.inner = inner_cables(*guard);
      for (const network::Interface& interface : guard->interfaces) {
        if (interface.kind == network::LinkKind::bridge) denial.bridges.insert(interface.name);
        if (!interface.master.empty() && interface.peer)
          denial.ports.emplace(interface.name, interface.peer->node);
      }
    }
    if (evidence.ended_early) stage.look_again(evidence);
    if (silent(evidence) && stopped_at(denial, evidence) == nullptr)
      denial.unresolved = co_await stage.unresolved_neighbour(denial.guard, evidence);
    engine::Outcome outcome;
    outcome.judgement = judge_deny(denial, evidence, control);
    if (outcome.judgement.verdict != Verdict::pass) outcome.question = question(denial, evidence, control);
    if (control != nullptr) {
      const Judgement through = judge_reach(*control);
      outcome.control =
          engine::Control{control_, promise.to, promise.with, through.verdict, through.observed};
      outcome.control_journey = control->journey;
    }
    outcome.journey = std::move(evidence.journey);
    outcome.kernel = std::move(evidence.kernel);
    co_return outcome;
  }

  /// Where the control failed too, that is what is to be explained: the target may not answer anybody.
  proof::Case question(const Denial& denial, const engine::Evidence& evidence,
                       const engine::Evidence* control) const {
    const bool dead =
        !leak(denial, evidence) && control != nullptr && judge_reach(*control).verdict != Verdict::pass;
    if (dead) return engine::case_of(*control, proof::Case::Promise::reach);
    proof::Case question = engine::case_of(evidence, proof::Case::Promise::deny);
    question.guard = denial_.guard;
    question.how = kHowWords[static_cast<std::size_t>(denial_.how)];
    return question;
  }

  engine::Service with_;
  IpFamily family_;
  Denial denial_;
  std::string control_;
};

struct Arguments {
  Denial denial;
  std::string control;
};

Arguments read(const spec::CheckItem& item, const network::Topology& intended) {
  constexpr std::string_view keys[] = {"from", "to", "with", "family", "how", "control", "guard"};
  item.arguments.as_mapping("deny");
  item.arguments.allow_keys("deny", keys);
  const network::Node* host = intended.host();
  const std::string host_name = host == nullptr ? std::string() : host->name;
  Arguments arguments;
  if (const spec::Value* how = item.arguments.find("how")) {
    arguments.denial.how = static_cast<How>(how->as_word("how", kHowWords));
  }
  arguments.denial.guard = engine::read_guard(item.arguments, "guard", intended);
  arguments.control = engine::read_node(item.arguments, "control", intended, host_name);
  return arguments;
}

/// What makes denials differ that are alike but for who guards and who controls.
std::string parties_text(const spec::Value& arguments) {
  std::string text;
  if (const spec::Value* guard = arguments.find("guard")) text += fmt::format(" by {}", guard->text);
  if (const spec::Value* control = arguments.find("control"))
    text += fmt::format(" unlike {}", control->text);
  return text;
}

std::vector<std::unique_ptr<engine::Check>> parse(const spec::CheckItem& item,
                                                  const network::Topology& intended) {
  const Arguments arguments = read(item, intended);
  const spec::Value* stated = item.arguments.find("control");
  const std::string stated_parties = parties_text(item.arguments);
  const auto how = static_cast<std::size_t>(arguments.denial.how);
  std::vector<std::unique_ptr<engine::Check>> checks;
  for (const engine::Pairing& each : engine::read_pairings(item.arguments, intended)) {
    const std::string& from = each.from.text;
    const std::string& to = each.to.text;
    if (stated != nullptr && from == arguments.control) {
      stated->fail(fmt::format("the control must differ from the source {}, or it proves nothing", from));
    }
    // The host as control of its own probe, or of one to itself, would prove nothing.
    const bool usable = arguments.control != from && (stated != nullptr || arguments.control != to);
    auto check = std::make_unique<Deny>(each, arguments.denial, usable ? arguments.control : std::string());
    engine::CheckResult& promise = check->promise;
    engine::describe(promise, item, each);
    promise.id = fmt::format("deny {} -> {} {}{}{}", from, to, promise.with, each.suffix(), stated_parties);
    promise.expected =
        fmt::format("{} from {} to {} is stopped by {}{}", each.what(), from, to, arguments.denial.guard,
                    how == 0 ? "" : fmt::format(" ({})", kHowWords[how]));
    checks.push_back(std::move(check));
  }
  return checks;
}

}  // namespace

Judgement judge_deny(const Denial& denial, const engine::Evidence& evidence,
                     const engine::Evidence* control) {
  if (const auto leaked = leak(denial, evidence))
    return {Verdict::fail, fmt::format("not denied: {}", *leaked)};
  if (const auto missing = gap(denial, evidence, control)) return {Verdict::inconclusive, *missing};
  const auto said = rejection(evidence);
  const proof::Passage* stopped = stopped_at(denial, evidence);
  const std::string how = described(evidence, stopped);
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

engine::CheckKind deny_kind() {
  return {"deny", "A probe is stopped by the guard, proven by a control that gets through.", kSchema, parse};
}

}  // namespace plumbline::checks
