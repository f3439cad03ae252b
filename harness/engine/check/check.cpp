#include "harness/engine/check/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace plumbline::engine {

std::vector<std::unique_ptr<Check>> parse_checks(const spec::Spec& spec,
                                                 const std::vector<CheckKind>& kinds) {
  const network::Topology intended = spec.intended();
  std::vector<std::unique_ptr<Check>> checks;
  std::map<std::string, std::string> places;
  for (const spec::CheckItem& item : spec.checks) {
    const auto kind = std::ranges::find(kinds, item.kind, &CheckKind::name);
    if (kind == kinds.end()) throw spec::SpecError(item.mark, fmt::format("unknown check '{}'", item.kind));
    for (std::unique_ptr<Check>& check : kind->parse(item, intended)) {
      const auto [place, fresh] = places.emplace(check->promise.id, check->promise.where);
      if (!fresh) {
        throw spec::SpecError(
            item.mark, fmt::format("the check '{}' stands already at {}", check->promise.id, place->second));
      }
      checks.push_back(std::move(check));
    }
  }
  return checks;
}

}  // namespace plumbline::engine
