#include "harness/engine/check/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace plumbline::engine {
namespace {

std::string rule_text(const KernelEvent& event) {
  std::string text = fmt::format("{} {}: {} -> {}", event.table, event.chain, event.rule,
                                 event.verdict.empty() ? "?" : event.verdict);
  std::vector<std::string> about;
  const bool legacy = event.rule.starts_with("-A ");  // in the words of `iptables -S`
  if (event.handle != 0) about.push_back(fmt::format("{} {}", legacy ? "rule" : "handle", event.handle));
  if (event.packets) about.push_back(fmt::format("counted {}", *event.packets));
  // In nft's own words it is there already.
  const bool told = event.rule.find(event.comment) != std::string::npos;
  if (!event.comment.empty() && !told) about.push_back(fmt::format("comment \"{}\"", event.comment));
  if (!about.empty()) text += fmt::format(" ({})", fmt::join(about, ", "));
  return text;
}

/// The step that an event is told with: the last of its packet's at that node before it, else the first
/// after.
std::optional<std::size_t> step_of(const KernelEvent& event, const std::vector<JourneyStep>& steps) {
  std::optional<std::size_t> before;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].node != event.node || steps[i].leg != event.leg) continue;
    if (i >= event.after) return before ? before : i;
    before = i;
  }
  if (before) return before;
  if (steps.empty()) return std::nullopt;
  return event.after == 0 || event.after > steps.size() ? 0 : event.after - 1;
}

}  // namespace

bool stops(const KernelEvent& event) {
  return event.verdict == "drop" || event.verdict == "reject" || event.verdict == "queue" ||
         event.verdict == "stolen";
}

std::string hook_text(const KernelEvent& event) {
  const bool decides = event.hook == "forward" || event.hook == "output";
  return decides && !event.oif.empty() ? fmt::format("{} to {}", event.hook, event.oif) : event.hook;
}

std::string event_text(const KernelEvent& event) {
  if (!event.drop_reason.empty()) {
    std::string text = "dropped by the kernel: " + event.drop_reason;
    return event.function.empty() ? text : text + " in " + event.function;
  }
  if (!event.table.empty()) return rule_text(event);
  return event.verdict == "accept" ? "no rule" : "no rule; seen at no hook after it";
}

std::string rules_untold(std::string_view node, std::string_view problem) {
  return fmt::format("rules of {}: {}", node, problem);
}

std::string devices_untold(std::string_view node, std::string_view chains) {
  return rules_untold(node, fmt::format("devices' chains are not traced: {}", chains));
}

bool may_miss_rules(const CheckResult& check, std::string_view node) {
  const std::string of_node = rules_untold(node, "");
  const std::string of_devices = devices_untold(node, "");
  return check.frames_lost || std::ranges::any_of(check.incomplete, [&](const std::string& gap) {
           return gap.starts_with(of_node) && !gap.starts_with(of_devices);
         });
}

std::vector<std::string> untold(const CheckResult& check) {
  std::vector<std::string> gaps = check.incomplete;
  if (check.frames_lost)
    gaps.emplace_back("frames: the capture lost some, so that packets may have been where none are shown");
  return gaps;
}

std::vector<std::string> comments(const std::vector<JourneyStep>& steps,
                                  const std::vector<KernelEvent>& events) {
  std::vector<std::string> texts;
  for (const JourneyStep& step : steps) {
    std::string& text = texts.emplace_back(step.packet);
    if (!step.translated.empty()) text += fmt::format("; translated: {}", step.translated);
    if (!step.note.empty()) text += fmt::format("; {}", step.note);
  }
  for (const KernelEvent& event : events) {
    if (event.table.empty() && event.drop_reason.empty()) continue;
    const auto index = step_of(event, steps);
    if (!index) continue;
    std::string where = event.node == steps[*index].node ? "" : event.node;
    const std::string hook = hook_text(event);
    if (!hook.empty()) where += (where.empty() ? "" : " ") + hook;
    texts[*index] += fmt::format("; {}{}{}", where, where.empty() ? "" : ": ", event_text(event));
  }
  return texts;
}

std::string cause_text(const Cause& cause) {
  const std::string likely = cause.proven ? "" : "likely ";
  return cause.code.empty() ? likely + cause.summary
                            : fmt::format("{}{}: {}", likely, cause.code, cause.summary);
}

}  // namespace plumbline::engine
