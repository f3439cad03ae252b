#include "harness/engine/check/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/engine/check/kernel_view.hpp"
#include "harness/engine/check/words.hpp"
#include "harness/proof/witness/stop.hpp"

namespace plumbline::engine {
namespace {

template <class Kind>
const Kind& kind_of(const spec::CheckItem& item, const std::vector<Kind>& kinds) {
  const auto kind = std::ranges::find(kinds, item.kind, &Kind::name);
  if (kind == kinds.end()) {
    throw spec::SpecError(item.mark,
                          fmt::format("unknown {} '{}'", item.change ? "change" : "check", item.kind));
  }
  return *kind;
}

/// One call of make_plan.
class Planner {
 public:
  Planner(const spec::Spec& spec, const Kinds& kinds)
      : spec_(spec), kinds_(kinds), intended_(spec.intended()) {}

  Plan plan() {
    for (const spec::CheckItem& item : spec_.checks) {
      if (item.change) {
        add_change(item);
      } else {
        add_checks(item);
      }
    }
    return std::move(plan_);
  }

 private:
  void add_change(const spec::CheckItem& item) {
    std::unique_ptr<Change> change = kind_of(item, kinds_.changes).parse(item, intended_, spec_);
    change->where = item.mark.to_string();
    change->fault = item.fault;
    if (!item.fault) change->foresee(intended_);
    plan_.changes.push_back(std::move(change));
    this_phase_.clear();
  }

  void add_checks(const spec::CheckItem& item) {
    for (std::unique_ptr<Check>& check : kind_of(item, kinds_.checks).parse(item, intended_)) {
      check->phase = plan_.changes.size();
      std::string& id = check->promise.id;
      const auto [place, fresh] = this_phase_.emplace(id, check->promise.where);
      if (!fresh) {
        throw spec::SpecError(item.mark,
                              fmt::format("the check '{}' stands already at {}", id, place->second));
      }
      make_distinct(id);
      plan_.checks.push_back(std::move(check));
    }
  }

  /// The same promise as before a change says what lies between; after the same change twice, how often.
  void make_distinct(std::string& id) {
    if (all_.insert(id).second) return;
    const std::string after = fmt::format("{} after {}", id, plan_.changes.back()->about);
    id = after;
    for (unsigned again = 2; !all_.insert(id).second; ++again) id = fmt::format("{} ({})", after, again);
  }

  const spec::Spec& spec_;
  const Kinds& kinds_;
  network::Topology intended_;
  Plan plan_;
  std::map<std::string, std::string> this_phase_;  ///< where each promise stands
  std::set<std::string> all_;
};

}  // namespace

void tell(const Outcome& outcome, const network::Topology& topology, CheckResult& result) {
  result.verdict = outcome.judgement.verdict;
  result.observed = outcome.judgement.observed;
  result.journey = steps(outcome.journey, &topology);
  result.frames_lost = !outcome.journey.complete;
  result.kernel = kernel_events(outcome.journey, outcome.kernel);
  // Of a denial that leaks, what stopped one copy of it is not what matters.
  const bool leaked = result.type == "deny" && result.verdict == Verdict::fail && outcome.question;
  const auto stop = proof::who_stopped(outcome.journey, outcome.kernel);
  if (stop && !leaked) result.stopped = to_text(*stop);
  for (const proof::KernelPath::Node& node : outcome.kernel.nodes) {
    if (!node.problem.empty()) result.incomplete.push_back(rules_untold(node.name, node.problem));
  }
  for (const proof::KernelPath::Node& node : outcome.kernel.nodes) {
    if (!node.untraced.empty()) result.incomplete.push_back(devices_untold(node.name, node.untraced));
  }
  if (!outcome.kernel.drops_complete)
    result.incomplete.emplace_back("drop reasons: there was no room for all");
  result.control = outcome.control;
}

Plan make_plan(const spec::Spec& spec, const Kinds& kinds) {
  return Planner(spec, kinds).plan();
}

}  // namespace plumbline::engine
