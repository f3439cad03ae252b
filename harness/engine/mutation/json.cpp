#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <string>

#include "harness/engine/mutation/report.hpp"
#include "harness/engine/report/json_text.hpp"
#include "harness/engine/report/text.hpp"

namespace plumbline::engine::mutation {
namespace {

namespace json = boost::json;

json::value text(std::string_view value) {
  return json::value(valid_utf8(value));
}

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
  for (const std::string& command : mutant.commands) commands.push_back(text(command));
  return json::object{{"id", text(mutant.id)},
                      {"fate", key(fate)},
                      {"node", text(mutant.node)},
                      {"line", text(mutant.line)},
                      {"becomes", mutant.becomes.empty() ? json::value(nullptr) : text(mutant.becomes)},
                      {"commands", std::move(commands)},
                      {"noticed_by", noticing},
                      {"says", says.empty() ? json::value(nullptr) : text(says)}};
}

json::value to_json(const MutationResult& result) {
  json::array mutants;
  for (const MutantResult& mutant : result.mutants) mutants.push_back(to_json(mutant));
  json::object object{{"name", text(result.scenario)},
                      {"file", text(result.file)},
                      {"setup", text(result.setup)},
                      {"checks", result.checks},
                      {"skipped", result.skipped},
                      {"problem", result.problem ? text(*result.problem) : json::value(nullptr)},
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
    stale.push_back(
        {{"mutant", text(each.mutant)}, {"reason", text(each.reason)}, {"where", text(each.where)}});
  return pretty(json::object{{"schema", 1},
                             {"summary", summary_of(run.scenarios)},
                             {"stale", std::move(stale)},
                             {"interrupted", run.interrupted},
                             {"duration_ms", run.duration_ms},
                             {"scenarios", std::move(scenarios)}});
}

}  // namespace plumbline::engine::mutation
