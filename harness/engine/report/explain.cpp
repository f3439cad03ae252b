#include "harness/engine/report/explain.hpp"

#include <fmt/format.h>

#include "harness/engine/report/console_detail.hpp"
#include "harness/engine/report/console_style.hpp"
#include "harness/engine/report/reporter.hpp"
#include "harness/engine/report/text.hpp"

namespace plumbline::engine {
namespace {

std::string brief_line(std::string_view label, std::string_view value) {
  return value.empty() ? std::string() : fmt::format("{}: {}\n", label, printable(value));
}

}  // namespace

std::string headline(const CheckResult& check) {
  return fmt::format("{}  {}", console::mark(ConsoleOptions{}, check.verdict), printable(check.id));
}

std::string explain(const CheckResult& check) {
  return console::detail(ConsoleOptions{}, check);
}

std::string in_brief(const CheckResult& check) {
  std::string text;
  const auto add = [&text](std::string_view label, std::string_view value) {
    text += brief_line(label, value);
  };
  add("expected", check.expected);
  add("observed", check.observed);
  add("stopped", check.stopped);
  if (check.causes.empty()) return text;
  const Cause& cause = check.causes.front();
  add(cause.proven ? "cause" : "likely cause", fmt::format("{}: {}", cause.code, cause.summary));
  for (const std::string& line : printable_lines(cause.fix)) add("fix", line);
  return text;
}

std::string explain(const ScenarioError& error) {
  return console::detail(ConsoleOptions{}, error);
}

std::string in_brief(const ScenarioError& error) {
  std::string_view message = error.message;
  const std::string place = error.where + ": ";
  if (message.starts_with(place)) message.remove_prefix(place.size());
  std::string text;
  for (const std::string& line : printable_lines(message)) text += line + '\n';
  for (const std::string& line : printable_lines(error.remedy)) text += brief_line("remedy", line);
  return text;
}

}  // namespace plumbline::engine
