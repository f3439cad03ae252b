#include "harness/engine/run/selection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "checks/kinds.hpp"
#include "harness/base/text.hpp"
#include "harness/engine/change/kinds.hpp"

namespace plumbline::engine {
namespace {

bool is_wanted(const spec::Spec& spec, const RunOptions& options, const std::string& id) {
  if (options.ids && !options.ids->contains(id)) return false;
  return matches(options.pattern, fmt::format("{}/{}", spec.name, id));
}

/// Changes after the last check that runs would be made for nobody.
void drop_idle_changes(Plan& plan) {
  std::size_t last = 0;
  for (const auto& check : plan.checks) last = std::max(last, check->phase);
  plan.changes.resize(std::min(plan.changes.size(), last));
}

}  // namespace

std::size_t Selection::count() const {
  return static_cast<std::size_t>(std::ranges::count(wanted, true));
}

Selection select_checks(const spec::Spec& spec, const RunOptions& options) {
  Selection selection;
  selection.plan = make_plan(spec, {checks::check_kinds(), change_kinds()});
  if (options.amend) options.amend(spec, selection.plan);
  std::vector<std::unique_ptr<Check>>& checks = selection.plan.checks;
  const auto wanted = [&](const auto& check) { return is_wanted(spec, options, check->promise.id); };
  const bool all_run =
      std::ranges::any_of(checks, [&](const auto& check) { return check->judged_last() && wanted(check); });
  // A change at the end is made for itself, unless only some of the checks are wanted.
  if (!all_run && std::erase_if(checks, [&](const auto& check) { return !wanted(check); }) > 0) {
    drop_idle_changes(selection.plan);
  }
  for (const auto& check : checks) selection.wanted.push_back(wanted(check));
  return selection;
}

}  // namespace plumbline::engine
