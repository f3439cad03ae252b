#include "harness/engine/report/explain.hpp"

#include <fmt/format.h>

#include "harness/engine/report/console_detail.hpp"
#include "harness/engine/report/console_style.hpp"
#include "harness/engine/report/reporter.hpp"
#include "harness/engine/report/text.hpp"

namespace plumbline::engine {

std::string headline(const CheckResult& check) {
  return fmt::format("{}  {}", console::mark(ConsoleOptions{}, check.verdict), printable(check.id));
}

std::string explain(const CheckResult& check) {
  return console::detail(ConsoleOptions{}, check);
}

std::string explain(const ScenarioError& error) {
  return console::detail(ConsoleOptions{}, error);
}

}  // namespace plumbline::engine
