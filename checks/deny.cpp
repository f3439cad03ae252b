#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "checks/cables.hpp"
#include "checks/denial.hpp"
#include "harness/engine/check/check.hpp"
#include "harness/engine/check/diagnosis.hpp"
#include "harness/engine/check/gather.hpp"
#include "harness/kernel/netlink/link.hpp"
#include "harness/kernel/netlink/socket.hpp"

namespace plumbline::checks {
namespace {

using engine::Judgement;
using engine::Verdict;

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

/// The ports of its bridges that are set to exchange frames only with others, each with its bridge.
std::map<std::string, std::string> isolated_ports(engine::Stage& stage, const std::string& guard) {
  std::map<std::string, std::string> ports;
  auto socket = kernel::netlink::Socket::open(stage.network().netns(guard));
  const auto links =
      socket.dump(kernel::netlink::get_links(), "listing the links", kernel::netlink::decode_link);
  for (const kernel::netlink::Link& link : links) {
    if (!link.port || !link.port->isolated) continue;
    const auto bridge = std::ranges::find(links, link.master, &kernel::netlink::Link::index);
    if (bridge != links.end()) ports.emplace(link.name, bridge->name);
  }
  return ports;
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
    const engine::Target to = stage.target(promise.from, promise.to, family_);
    // A control that holds the target itself would go over its own loopback and prove nothing.
    if (control_.empty() || control_ == to.node) {
      engine::Evidence evidence = co_await stage.exchange(promise.from, to, with_, engine::Until::dropped);
      co_return co_await conclude(stage, std::move(evidence), nullptr, control_);
    }
    // To the end of both, whichever throws: what is under way cannot be torn down.
    std::vector<boost::asio::awaitable<engine::Evidence>> probes;
    probes.push_back(stage.exchange(promise.from, to, with_, engine::Until::dropped));
    probes.push_back(stage.exchange(control_, to, with_));
    std::vector<engine::Evidence> both = co_await engine::gather(std::move(probes));
    co_return co_await conclude(stage, std::move(both[0]), &both[1], {});
  }

 private:
  boost::asio::awaitable<engine::Outcome> conclude(engine::Stage& stage, engine::Evidence evidence,
                                                   const engine::Evidence* control,
                                                   std::string unusable) const {
    Denial denial = denial_;
    denial.unusable = std::move(unusable);
    if (const network::Node* guard = stage.topology().find(denial.guard)) {
      denial.inner = inner_cables(*guard);
      for (const network::Interface& interface : guard->interfaces) {
        if (interface.kind == network::LinkKind::bridge) denial.bridges.insert(interface.name);
        if (interface.master.empty() || !interface.peer) continue;
        denial.ports.emplace(interface.name, interface.peer->node);
        const network::Interface* master = guard->find_interface(interface.master);
        if (master != nullptr && master->kind == network::LinkKind::bridge)
          denial.bridge_ports.insert(interface.name);
        const network::Node* peer = stage.topology().find(interface.peer->node);
        if (peer != nullptr && peer->role == network::Role::container) denial.containers.insert(peer->name);
      }
    }
    if (evidence.ended_early) stage.look_again(evidence);
    if (evidence.outcome.status == traffic::ProbeOutcome::Status::timeout && !is_stopped(denial, evidence))
      denial.unresolved = co_await stage.unresolved_neighbour(denial.guard, evidence);
    engine::Outcome outcome;
    outcome.judgement = judge_deny(denial, evidence, control);
    if (outcome.judgement.verdict == Verdict::inconclusive && !denial.ports.empty()) {
      denial.isolated = isolated_ports(stage, denial.guard);
      if (!denial.isolated.empty()) outcome.judgement = judge_deny(denial, evidence, control);
    }
    const bool kept = outcome.judgement.verdict == Verdict::pass;
    // What stops such a control is the guard at its work, and nothing to be mended.
    const bool at_work = outcome.judgement.verdict == Verdict::inconclusive && control != nullptr &&
                         is_guarded_too(denial, *control);
    if (!kept && !at_work) outcome.question = question(denial, evidence, control);
    if (control != nullptr) {
      const Judgement through = judge_control(denial, *control);
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
    const bool dead = !leak(denial, evidence) && control != nullptr &&
                      judge_control(denial, *control).verdict != Verdict::pass;
    proof::Case question = dead ? engine::case_of(*control, proof::Case::Promise::reach)
                                : engine::case_of(evidence, proof::Case::Promise::deny);
    question.guard = denial_.guard;
    if (dead) return question;
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

engine::CheckKind deny_kind() {
  return {"deny", "A probe is stopped by the guard, proven by a control that gets through.", kSchema, parse};
}

}  // namespace plumbline::checks
