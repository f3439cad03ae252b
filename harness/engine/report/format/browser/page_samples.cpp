// Writes HTML reports that no run on this machine would come to, for the tests in a browser:
//   page_samples FOLDER REPORT.json     hostile.html, large.html (200 scenarios and 5,000 checks of the JSON
//   report),
//                                       crowded.html (a host with hundreds of containers)
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "harness/engine/report/format/format.hpp"
#include "harness/engine/report/json_value.hpp"
#include "harness/engine/report/testing/sample_run.hpp"

namespace plumbline::engine {
namespace {

void write(const std::filesystem::path& path, const RunResult& run) {
  const auto begin = std::chrono::steady_clock::now();
  {
    std::ofstream out(path);
    ConsoleOptions options;
    options.folder = path.parent_path();
    format("html").make(out, options)->run_finished(run);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  fmt::print("{}: {} bytes in {:.2f} s\n", path.filename().string(), std::filesystem::file_size(path),
             took.count());
}

/// Text that would like to be more than text.
RunResult hostile() {
  const std::string script = "<script>window.owned=1</script>";
  const std::string image = "<img src=http://203.0.113.1/x onerror=\"window.owned=2\">";
  const std::string end = "</script><!--\xe2\x80\xa8\xe2\x80\xa9]]>'\"`${window.owned=3}\xff\xfe";
  RunResult run = samples::hostile_run();
  ScenarioResult scenario = samples::everything().scenarios.front();
  scenario.name = script + "&lt;b&gt;";
  scenario.about = image;
  scenario.file = end;
  scenario.setup = std::string(3000, 'n');
  for (DrawnNode& node : scenario.network) {
    if (node.name == "intranet") node.name = image;
    for (DrawnInterface& one : node.interfaces) one.addresses.push_back(script);
  }
  CheckResult& check = scenario.checks[1];
  check.id = script + end;
  check.observed = image;
  check.expected = "%s%n \x1b[31m\xe2\x80\xaertl " + std::string(500, 'w');
  check.trace = "javascript:window.owned=4";
  check.stopped = script;
  for (JourneyStep& step : check.journey) step.packet = image + end;
  for (KernelEvent& event : check.kernel) event.rule = event.log_prefix ? script : image;
  check.causes.front().fix = "echo " + script;
  check.control->observed = image;
  check.conntrack.front().reply = script;
  check.incomplete = {image};
  scenario.checks[0].trace = "//203.0.113.1/share/x.pcapng";
  scenario.checks[2].trace = "a b/#c?d=%2e&\"<e>.pcapng";
  scenario.error = ScenarioError{script, image, end};
  run.scenarios.insert(run.scenarios.begin(), scenario);
  run.interrupted = true;
  return run;
}

/// 25 of `real`'s checks each. Some fail, from the second half on: what a page does for the first failure is
/// measured too.
RunResult large(const RunResult& real) {
  constexpr std::size_t kScenarios = 200, kChecks = 25;
  RunResult run = real;
  const ScenarioResult first = real.scenarios.front();
  run.scenarios.clear();
  for (std::size_t i = 0; i < kScenarios; ++i) {
    ScenarioResult scenario = first;
    scenario.name = fmt::format("{}-{}", first.name, i);
    scenario.checks.clear();
    for (std::size_t k = 0; k < kChecks; ++k)
      scenario.checks.push_back(first.checks[(i * kChecks + k) % first.checks.size()]);
    if (i >= kScenarios / 2 && i % 5 == 0) scenario.checks.back() = samples::stopped();
    run.scenarios.push_back(std::move(scenario));
  }
  return run;
}

RunResult crowded() {
  constexpr std::size_t kContainers = 600;
  RunResult run = samples::sample_run();
  run.scenarios.resize(1);
  ScenarioResult& scenario = run.scenarios.front();
  scenario.network = samples::network();
  for (std::size_t i = 0; i < kContainers; ++i) {
    const std::string name = fmt::format("box-{}", i);
    scenario.network.front().interfaces.push_back({"v" + name, "veth", {}, "br0", name + ":eth0", true});
    scenario.network.push_back({name,
                                "container",
                                {{"eth0",
                                  "veth",
                                  {fmt::format("10.9.{}.{}/16", i / 250, i % 250 + 2)},
                                  "",
                                  "host:v" + name,
                                  true}}});
  }
  scenario.checks.push_back(samples::stopped());
  return run;
}

int main_(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::filesystem::path folder = argv[1];
  std::ifstream in(argv[2]);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  write(folder / "hostile.html", hostile());
  write(folder / "large.html", large(read_report(text)));
  write(folder / "crowded.html", crowded());
  return 0;
}

}  // namespace
}  // namespace plumbline::engine

int main(int argc, char** argv) {
  try {
    return plumbline::engine::main_(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "page_samples: %s\n", error.what());
    return 1;
  }
}
