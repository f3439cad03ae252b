#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <string>

#include "harness/engine/mutation/report.hpp"
#include "harness/engine/report/json_text.hpp"

namespace plumbline::engine::mutation {
namespace {

namespace json = boost::json;

/// "not made" as a key.
std::string key(Fate fate) {
  std::string name = to_text(fate);
  std::ranges::replace(name, ' ', '_');
  return name;
}

json::object summary_of(const std::vector<MutationResult>& results) {
  json::object summary;
  std::size_t all = 0;
  for (const Fate fate :
       {Fate::noticed, Fate::survived, Fate::equivalent, Fate::refused, Fate::not_made, Fate::broken}) {
    std::size_t count = 0;
    for (const MutationResult& result : results) count += result.count(fate);
    summary[key(fate)] = count;
    all += count;
  }
  summary["mutants"] = all;
  return summary;
}

json::value to_json(const MutantResult& result) {
  const auto& [mutant, fate, noticing, says] = result;
  json::array commands;
  for (const std::string& command : mutant.commands) commands.push_back(json_text(command));
  return json::object{{"id", json_text(mutant.id)},
                      {"fate", key(fate)},
                      {"node", json_text(mutant.node)},
                      {"line", json_text(mutant.line)},
                      {"becomes", mutant.becomes.empty() ? json::value(nullptr) : json_text(mutant.becomes)},
                      {"commands", std::move(commands)},
                      {"noticed_by", noticing},
                      {"says", says.empty() ? json::value(nullptr) : json_text(says)}};
}

json::value to_json(const MutationResult& result) {
  json::array mutants;
  for (const MutantResult& mutant : result.mutants) mutants.push_back(to_json(mutant));
  json::object object{{"name", json_text(result.scenario)},
                      {"file", json_text(result.file)},
                      {"setup", json_text(result.setup)},
                      {"checks", result.checks},
                      {"skipped", result.skipped},
                      {"problem", result.problem ? json_text(*result.problem) : json::value(nullptr)},
                      {"duration_ms", result.duration_ms},
                      {"summary", summary_of({result})},
                      {"mutants", std::move(mutants)}};
  return object;
}

}  // namespace

std::string to_json(const MutationRun& run) {
  json::array scenarios;
  for (const MutationResult& result : run.scenarios) scenarios.push_back(to_json(result));
  json::array stale;
  for (const Stale& each : run.stale)
    stale.push_back({{"mutant", json_text(each.mutant)},
                     {"reason", json_text(each.reason)},
                     {"where", json_text(each.where)}});
  return pretty(json::object{{"schema", 1},
                             {"summary", summary_of(run.scenarios)},
                             {"stale", std::move(stale)},
                             {"interrupted", run.interrupted},
                             {"duration_ms", run.duration_ms},
                             {"scenarios", std::move(scenarios)}});
}

}  // namespace plumbline::engine::mutation
