#include <algorithm>
#include <boost/json.hpp>

#include "harness/engine/report/json_text.hpp"
#include "harness/engine/selftest/report.hpp"

namespace plumbline::engine::selftest {
namespace {

namespace json = boost::json;

/// "wrong cause" as a key.
std::string key(Outcome outcome) {
  std::string name = to_text(outcome);
  std::ranges::replace(name, ' ', '_');
  return name;
}

template <class Wanted>
json::object counts(const Selftest& selftest, const Wanted& wanted) {
  json::object counted;
  std::size_t all = 0;
  for (const Outcome outcome : kOutcomes) {
    const auto count = std::ranges::count_if(
        selftest.faults, [&](const FaultResult& fault) { return fault.outcome == outcome && wanted(fault); });
    counted[key(outcome)] = count;
    all += static_cast<std::size_t>(count);
  }
  counted["faults"] = all;
  return counted;
}

json::value to_json(const Finding& finding) {
  return {{"outcome", key(finding.outcome)},
          {"check", json_text(finding.check.id)},
          {"expected", json_text(finding.expected)},
          {"observed", json_text(finding.observed)},
          {"said", json_text(finding.check.observed)}};
}

json::value to_json(const FaultResult& fault) {
  json::array findings;
  for (const Finding& finding : fault.findings) findings.push_back(to_json(finding));
  json::array causes;
  for (const std::string& cause : fault.causes) causes.push_back(json_text(cause));
  json::object object{{"id", json_text(fault.id)},        {"class", json_text(fault.kind)},
                      {"about", json_text(fault.about)},  {"file", json_text(fault.file)},
                      {"setup", json_text(fault.setup)},  {"outcome", key(fault.outcome)},
                      {"noticed", fault.noticed},         {"causes", std::move(causes)},
                      {"duration_ms", fault.duration_ms}, {"findings", std::move(findings)}};
  if (!fault.problem.empty()) object["problem"] = json_text(fault.problem);
  if (!fault.remedy.empty()) object["remedy"] = json_text(fault.remedy);
  return object;
}

}  // namespace

std::string to_json(const Selftest& selftest) {
  json::object classes;
  for (const std::string_view kind : fault_classes()) {
    json::object counted = counts(selftest, [&](const FaultResult& fault) { return fault.kind == kind; });
    if (counted.at("faults").as_uint64() > 0) classes[kind] = std::move(counted);
  }
  json::array faults;
  for (const FaultResult& fault : selftest.faults) faults.push_back(to_json(fault));
  return pretty(json::object{{"schema", 1},
                             {"summary", counts(selftest, [](const FaultResult&) { return true; })},
                             {"classes", std::move(classes)},
                             {"duration_ms", selftest.duration_ms},
                             {"interrupted", selftest.interrupted},
                             {"faults", std::move(faults)}});
}

}  // namespace plumbline::engine::selftest
