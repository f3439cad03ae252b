#include "harness/proof/witness/kernel_path.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/kernel/nftables/names.hpp"

namespace plumbline::proof {

bool RuleMet::stops() const {
  return verdict == "drop" || verdict == "reject" || verdict == "queue" || verdict == "stolen";
}

const RuleMet* Passage::stopper() const {
  if (copies == Copies::went_on) return nullptr;
  const auto found = std::ranges::find_if(rules, &RuleMet::stops);
  return found == rules.end() ? nullptr : &*found;
}

std::string Passage::hook_text() const {
  return fmt::format("{}{}", bridge ? "bridge " : "", kernel::nft::to_string(hook));
}

std::optional<std::string> KernelPath::blind(std::string_view node) const {
  const auto found = std::ranges::find(nodes, node, &Node::name);
  if (found == nodes.end()) return fmt::format("no trace was taken in {}", node);
  if (!found->problem.empty())
    return fmt::format("the trace in {} is not complete: {}", node, found->problem);
  if (!found->alive) return fmt::format("the trace in {} has not reported a single packet", node);
  return std::nullopt;
}

// Until a hook comes again: that is the next packet, or the same on another round.
std::vector<Hook> KernelPath::hooks(std::string_view node, Leg leg) const {
  std::vector<Hook> hooks;
  for (const Passage& passage : passages) {
    if (passage.node != node || passage.leg != leg || passage.bridge) continue;
    if (std::ranges::count(hooks, passage.hook) != 0) break;
    hooks.push_back(passage.hook);
  }
  return hooks;
}

bool KernelPath::passed(std::string_view node, Leg leg) const {
  return std::ranges::any_of(passages,
                             [&](const Passage& p) { return p.node == node && p.leg == leg && !p.bridge; });
}

std::string to_text(const std::vector<Hook>& hooks) {
  std::string text;
  for (const Hook hook : hooks) {
    if (!text.empty()) text += ", ";
    text += kernel::nft::to_string(hook);
  }
  return text.empty() ? "none" : text;
}

}  // namespace plumbline::proof
