#include <boost/json.hpp>
#include <filesystem>
#include <ostream>
#include <random>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "harness/engine/report/format/format.hpp"
#include "harness/engine/report/format/page.hpp"
#include "harness/engine/report/json_text.hpp"
#include "harness/engine/report/json_value.hpp"
#include "harness/engine/report/matrix.hpp"
#include "harness/engine/report/packed.hpp"
#include "harness/engine/report/plain_list.hpp"
#include "harness/engine/report/shared_causes.hpp"
#include "harness/traffic/packet/packet.hpp"

namespace plumbline::engine {
namespace {

namespace json = boost::json;

/// JSON within an element of HTML, which only "</" and "<!" could end.
std::string embedded(const json::value& value) {
  std::string out;
  for (const char c : json::serialize(value)) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

/// What the page's own script and style know and nothing that is shown in it can: no other ones are run.
std::string nonce() {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/";
  std::random_device random;
  std::string text;
  for (int i = 0; i < 22; ++i) text += kLetters[random() % kLetters.size()];
  return text;
}

void write_page(std::ostream& out, std::string_view part, std::string_view nonce) {
  constexpr std::string_view kPlace = "@NONCE@";
  for (std::size_t at = part.find(kPlace); at != std::string_view::npos; at = part.find(kPlace)) {
    out << part.substr(0, at) << nonce;
    part.remove_prefix(at + kPlace.size());
  }
  out << part;
}

void write_data(std::ostream& out, std::string_view id, const json::value& value) {
  out << "<script type=\"application/json\" id=\"" << id << "\">" << embedded(value) << "</script>\n";
}

/// Where a trace is, as seen from the report's folder: both are often moved together.
std::string link_from(const std::string& folder, const std::string& trace) {
  if (folder.empty()) return trace;
  std::error_code error;
  const auto from = std::filesystem::absolute(folder, error);
  const auto to = std::filesystem::absolute(trace, error);
  return error ? trace : to.lexically_normal().lexically_proximate(from.lexically_normal()).string();
}

void add_headers(json::array& journey, const std::vector<JourneyStep>& steps) {
  for (std::size_t k = 0; k < journey.size(); ++k) {
    const StepFrame& frame = steps[k].frame;
    if (frame.bytes.empty()) continue;
    json::array lines;
    for (const std::string& line :
         traffic::header_lines(traffic::decode(frame.bytes, static_cast<traffic::LinkType>(frame.link_type))))
      lines.push_back(json_text(line));
    journey[k].as_object()["headers"] = std::move(lines);
  }
}

/// Who reaches whom: of all its nodes where that was asked for, else what its checks have shown.
json::array matrix_of(const ScenarioResult& scenario) {
  json::array array;
  for (const Matrix& matrix : scenario.matrix.empty() ? matrices(scenario) : scenario.matrix)
    array.push_back(to_json(matrix));
  return array;
}

/// The scenario as the JSON report has it, each frame's headers beside its bytes, the way to each trace, and
/// who reaches whom.
json::value drawn(const ScenarioResult& scenario, const std::string& folder) {
  json::value value = to_json(scenario);
  for (std::size_t i = 0; i < scenario.checks.size(); ++i) {
    const CheckResult& check = scenario.checks[i];
    json::object& object = value.at("checks").at(i).as_object();
    add_headers(object.at("journey").as_array(), check.journey);
    if (!check.trace.empty()) object["trace_link"] = json_text(link_from(folder, check.trace));
  }
  if (json::array matrix = matrix_of(scenario); !matrix.empty())
    value.as_object()["matrix"] = std::move(matrix);
  if (!scenario.matrix.empty()) value.as_object()["matrix_asked"] = true;
  return value;
}

/// What the list of scenarios shows, of all that one holds.
json::value listed(const ScenarioResult& scenario) {
  json::array checks;
  for (const CheckResult& check : scenario.checks)
    checks.push_back(json::object{{"id", json_text(check.id)}, {"verdict", to_text(check.verdict)}});
  json::object object{{"name", json_text(scenario.name)},   {"file", json_text(scenario.file)},
                      {"setup", json_text(scenario.setup)}, {"about", json_text(scenario.about)},
                      {"host", json_text(scenario.host)},   {"checks", std::move(checks)}};
  if (scenario.repetition != 0) object["repetition"] = scenario.repetition;
  if (scenario.error) object["error"] = true;
  return object;
}

json::object shared_causes_to_json(const RunResult& run) {
  const SharedCauses shared = shared_causes(run);
  json::array most;
  for (const SharedCause& each : shared.most) {
    Cause cause = each.cause;
    cause.fix = fix_text(each);
    most.push_back(json::object{
        {"headline", json_text(headline(each))}, {"cause", to_json(cause)}, {"differs", each.fixes_differ}});
  }
  return {{"most", std::move(most)}, {"others", shared.others}};
}

/// As hosts that differ are told: by verdict.
json::array differing(const RunResult& run) {
  json::array all;
  for (const Difference& one : run.differing()) {
    json::object verdicts;
    for (const auto& [verdict, repetitions] : one.repetitions)
      verdicts[to_text(verdict)] = json::array(repetitions.begin(), repetitions.end());
    all.push_back(json::object{{"scenario", json_text(one.scenario)},
                               {"setup", json_text(one.setup)},
                               {"check", json_text(one.check)},
                               {"verdicts", std::move(verdicts)}});
  }
  return all;
}

/// One page that holds all of it, and asks nobody for anything.
class HtmlReporter final : public Reporter {
 public:
  HtmlReporter(std::ostream& out, std::string folder) : out_(out), folder_(std::move(folder)) {}

  void run_finished(const RunResult& run) override {
    const Page page = html_page();
    const std::string own = nonce();
    write_page(out_, page.before_data, own);
    out_ << "<noscript>\n<p>Networks, packets and causes are drawn by this page's own script, which does not "
            "run "
            "here. `plumbline report FILE.json` tells them on the console.</p>\n";
    write_plain_list(out_, run);
    out_ << "</noscript>\n";
    const Summary all = run.summary();
    json::array scenarios;
    std::set<std::string> hosts;
    for (const ScenarioResult& scenario : run.scenarios) {
      scenarios.push_back(listed(scenario));
      hosts.insert(scenario.host);
    }
    json::object data{{"summary",
                       {{"passed", all.passed},
                        {"failed", all.failed},
                        {"inconclusive", all.inconclusive},
                        {"skipped", all.skipped},
                        {"errors", all.errors}}},
                      {"started", json_text(run.started)},
                      {"duration_ms", run.duration_ms},
                      {"interrupted", run.interrupted},
                      {"hosts", hosts.size()},
                      {"causes", shared_causes_to_json(run)},
                      {"differing", differing(run)},
                      {"across_hosts", across_hosts_to_json(run)},
                      {"scenarios", std::move(scenarios)}};
    if (run.baseline) data["baseline"] = to_json(*run.baseline);
    write_data(out_, "run-data", data);
    for (std::size_t i = 0; i < run.scenarios.size(); ++i) {
      out_ << "<script type=\"text/plain\" id=\"scenario-" << i << "\">"
           << packed(json::serialize(drawn(run.scenarios[i], folder_))) << "</script>\n";
    }
    write_page(out_, page.after_data, own);
    out_ << std::flush;
  }

 private:
  std::ostream& out_;
  std::string folder_;
};

}  // namespace

Format html_format() {
  return {"html", "one page with all of it, for browsers",
          [](std::ostream& out, const ConsoleOptions& options) -> std::unique_ptr<Reporter> {
            return std::make_unique<HtmlReporter>(out, options.folder);
          }};
}

}  // namespace plumbline::engine
