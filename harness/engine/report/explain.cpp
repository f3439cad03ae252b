#include "harness/engine/report/explain.hpp"

#include "harness/engine/report/console_detail.hpp"
#include "harness/engine/report/reporter.hpp"

namespace plumbline::engine {

std::string explain(const CheckResult& check) {
  return console::detail(ConsoleOptions{}, check);
}

std::string explain(const ScenarioError& error) {
  return console::detail(ConsoleOptions{}, error);
}

}  // namespace plumbline::engine
