#include "harness/engine/selftest/selftest.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "harness/engine/report/reporter.hpp"
#include "harness/engine/run/data.hpp"

namespace plumbline::engine::selftest {
namespace {

bool was_cut_short(const ScenarioResult& scenario) {
  return !scenario.error && std::ranges::any_of(scenario.checks, [](const CheckResult& check) {
    return check.verdict == Verdict::skip && (check.observed == "not run" || check.observed == "interrupted");
  });
}

/// Scenarios end in the order of their faults; each has its fault's number as its name. After an interruption
/// some are left out, and some were cut short, which tells nothing.
class Listener final : public Reporter {
 public:
  Listener(const std::vector<Fault>& faults, const std::function<void(const FaultResult&)>& told)
      : faults_(faults), told_(told) {}

  void scenario_finished(const ScenarioResult& scenario) override {
    if (was_cut_short(scenario)) return;
    result.faults.push_back(judge(faults_.at(std::stoul(scenario.name)), scenario));
    told_(result.faults.back());
  }

  void run_finished(const RunResult& run) override {
    result.duration_ms = run.duration_ms;
    result.interrupted = run.interrupted;
  }

  Selftest result;

 private:
  const std::vector<Fault>& faults_;
  const std::function<void(const FaultResult&)>& told_;
};

/// A healthy network is a scenario, which a fault names but is not.
bool is_fault(const std::string& file) {
  const spec::Value document = spec::load_yaml(file);
  return document.kind == spec::Value::Kind::mapping && document.find("change") != nullptr;
}

void append(std::vector<Fault>& to, std::vector<Fault>&& from) {
  std::ranges::move(from, std::back_inserter(to));
}

}  // namespace

std::vector<Fault> load_catalogue(const std::vector<std::string>& files) {
  const spec::LoadOptions options = shipped_load_options();
  std::vector<Fault> faults;
  if (files.empty()) {
    for (const std::string& file : shipped_faults()) append(faults, load_fault(file, options));
    for (const std::string& file : shipped_healthy()) append(faults, load_healthy(file, options));
  }
  for (const std::string& file : files)
    append(faults, is_fault(file) ? load_fault(file, options) : load_healthy(file, options));
  const auto rank = [](const Fault& fault) {
    return std::ranges::find(fault_classes(), fault.kind) - fault_classes().begin();
  };
  std::ranges::stable_sort(faults, std::ranges::less{}, rank);
  return faults;
}

Selftest run(const std::vector<Fault>& faults, const RunOptions& options, const PoolOptions& pool,
             const std::function<void(const FaultResult&)>& told) {
  std::vector<spec::Spec> specs;
  specs.reserve(faults.size());
  for (const Fault& fault : faults) {
    specs.push_back(fault.spec);
    specs.back().name = std::to_string(specs.size() - 1);
  }
  Listener listener(faults, told);
  Pool(specs, options, pool).run({&listener});
  return std::move(listener.result);
}

}  // namespace plumbline::engine::selftest
