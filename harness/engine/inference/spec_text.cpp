#include "harness/engine/inference/spec_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/base/text.hpp"
#include "harness/engine/inference/context.hpp"

namespace plumbline::engine {
namespace {

constexpr std::size_t kColumns = 110;

std::string comment(const std::string& text, const std::string& indent) {
  std::string lines;
  for (const std::string& line : wrap(printable(text), kColumns - indent.size())) {
    lines += fmt::format("{}# {}\n", indent, line);
  }
  return lines;
}

std::string head(const network::HostView& view) {
  std::string text =
      "# This host's container networks as `plumbline discover` found them. What stands under `checks` "
      "holds, or\n"
      "# plainly should: strike what is not meant, add what is, then `plumbline validate` this file.\n#\n"
      "# Looked at:\n";
  for (const std::string& line : view.looked_at) text += comment("  " + line, "");
  for (const auto& [who, whose] : view.sharing) {
    text += comment(fmt::format("  {}: has the network of {}", who, whose), "");
  }
  if (!view.notes.empty()) text += "# Could not be read:\n";
  for (const network::HostNote& note : view.notes) {
    text += comment("  " + note.text + (note.remedy.empty() ? "" : "; remedy: " + note.remedy), "");
  }
  return text;
}

std::string locator_text(const network::Locator& locator) {
  const bool pid = locator.kind == network::Locator::Kind::pid;
  return fmt::format("{{{}: {}}}", network::to_text(locator.kind),
                     pid ? locator.value : detail::word(locator.value));
}

std::string nodes_text(const network::HostView& view) {
  std::string text = "nodes:\n  host: {netns: self}\n";
  for (const network::FoundNode& node : view.nodes) {
    std::vector<std::string> origins = node.origins;
    if (node.locator.kind == network::Locator::Kind::pid) {
      origins.emplace_back("a process' number changes when it is started again");
    }
    text += comment(fmt::format("{}", fmt::join(origins, "; ")), "  ");
    text += fmt::format("  {}: {}\n", detail::word(node.name), locator_text(node.locator));
  }
  return text;
}

/// Where nothing is promised.
std::string remarks_text(const std::vector<Promise>& promises) {
  std::string text;
  for (const Promise& promise : promises) text += comment("not promised: " + promise.comment, "");
  return text;
}

std::string checks_text(const std::vector<Promise>& promises) {
  std::string text = "checks:\n";
  std::string section;
  std::string said;
  for (const Promise& promise : promises) {
    if (promise.section != section) {
      text += comment("---- " + promise.section, "\n  ");
      section = promise.section;
      said.clear();
    }
    if (promise.comment != said || promise.check.empty()) {
      text += comment(promise.check.empty() ? "not promised: " + promise.comment : promise.comment, "  ");
    }
    said = promise.comment;
    if (!promise.check.empty()) text += fmt::format("  - {}\n", promise.check);
  }
  return text;
}

}  // namespace

bool has_checks(const std::vector<Promise>& promises) {
  return std::ranges::any_of(promises, [](const Promise& promise) { return !promise.check.empty(); });
}

std::string spec_text(const network::HostView& view, const std::vector<Promise>& promises) {
  std::string text = head(view);
  if (view.nodes.empty() && !view.blind)
    text += "#\n# No containers were found on this host: no namespace but its own.\n";
  if (!has_checks(promises))
    text += "#\n# There is nothing to promise, so this is no spec yet: it has no checks.\n";
  text += "version: 1\nname: discovered\nabout: This host's container networks, as they were found.\n";
  text += nodes_text(view);
  if (!promises.empty()) text += has_checks(promises) ? checks_text(promises) : remarks_text(promises);
  return text;
}

}  // namespace plumbline::engine
