#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <set>

#include "harness/base/error.hpp"
#include "harness/cli/check_options.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/reports.hpp"
#include "harness/engine/comparison/baseline.hpp"
#include "harness/engine/comparison/merge.hpp"
#include "harness/engine/report/json_value.hpp"

namespace plumbline::cli {
namespace {

namespace fs = std::filesystem;

struct ReportArguments {
  std::vector<std::string> files;
  std::string baseline;
  ReportOptions reports;
};

/// "-" is standard input.
std::string read_text(const std::string& file) {
  if (file == "-") return {std::istreambuf_iterator<char>(std::cin), {}};
  std::error_code problem;
  if (fs::is_directory(file, problem))
    throw Error(fmt::format("{} is a folder, no report", file), ErrorKind::usage)
        .with_remedy(fmt::format("name its files: {}/*.json", file));
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw Error::from_errno(errno, "read " + file).with_kind(ErrorKind::usage);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// Traces are where the run was. Where they have come along with the report, they are found beside it.
void find_traces(engine::RunResult& run, const std::string& file) {
  const fs::path folder = file == "-" ? fs::path() : fs::path(file).parent_path();
  if (folder.empty()) return;
  for (engine::ScenarioResult& scenario : run.scenarios) {
    for (engine::CheckResult& check : scenario.checks) {
      if (check.trace.empty() || fs::path(check.trace).is_absolute()) continue;
      const fs::path beside = (folder / check.trace).lexically_normal();
      std::error_code ignored;
      if (fs::exists(beside, ignored)) check.trace = beside.string();
    }
  }
}

engine::RunResult read(const std::string& file) {
  const std::string text = read_text(file);
  try {
    engine::RunResult run = engine::read_report(text);
    find_traces(run, file);
    return run;
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", file == "-" ? "standard input" : file, error.what()), ErrorKind::usage)
        .with_remedy("`plumbline run --report json=FILE` writes a report that can be read");
  }
}

/// The same report twice would count as a repetition.
void require_different(const std::vector<std::string>& files, const std::string& baseline) {
  std::set<std::string> known;
  for (const std::string& file : files) {
    std::error_code ignored;
    const std::string place = file == "-" ? file : fs::weakly_canonical(file, ignored).string();
    if (!known.insert(place).second) throw Error(fmt::format("{} is given twice", file), ErrorKind::usage);
  }
  if (baseline == "-" && known.contains("-"))
    throw Error("--baseline -: standard input is a report already", ErrorKind::usage);
}

/// All is read before anything is written: a report may take the place of one that was read.
int report(const ReportArguments& arguments) {
  std::vector<ReportRequest> requests = parse_reports(arguments.reports.reports);
  require_different(arguments.files, arguments.baseline);
  std::vector<engine::RunResult> runs;
  runs.reserve(arguments.files.size());
  for (const std::string& file : arguments.files) runs.push_back(read(file));
  engine::RunResult run = engine::merged(std::move(runs), arguments.files);
  if (!arguments.baseline.empty())
    run.baseline = engine::compare(read(arguments.baseline), run, arguments.baseline);
  require_writable(requests);
  Reports reports(requests, arguments.reports.color, arguments.reports.verbosity(),
                  {.several_hosts = run.has_several_hosts()});
  for (engine::Reporter* reporter : reports.reporters()) engine::replay(run, *reporter);
  return reports.finish(run);
}

}  // namespace

Action add_report(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("report", "Put JSON reports of several runs together, and show what changed");
  const auto arguments = std::make_shared<ReportArguments>();
  command
      ->add_option("FILE", arguments->files,
                   "Reports that --report json wrote: of parts of a run, or of several hosts; - is standard "
                   "input")
      ->required();
  command
      ->add_option(
          "--baseline", arguments->baseline,
          "An earlier report: tell which verdicts changed since, and which hops and rules probes met "
          "that they did not meet before, or meet no more")
      ->type_name("FILE");
  declare(*command, arguments->reports);
  command->footer(
      "Examples:\n"
      "  plumbline report shard-*.json --report html=all.html    one page of a run in parts\n"
      "  plumbline report web1.json web2.json -q                 where hosts differ\n"
      "  plumbline report new.json --baseline old.json -q        what changed\n"
      "  plumbline report *.json --report json=all.json          one file, to be the next baseline\n"
      "\n"
      "What a host has run in several of the files counts as repeated. Of several files, what they "
      "themselves\n"
      "were compared with is left out: --baseline compares all of it.\n"
      "\n"
      "The exit status is what `plumbline run` would have ended with, had it run all of it; what changed or\n"
      "differs between hosts is told, and leaves the status as it is. 2: a file is no report; nothing is\n"
      "written then.\n");
  return [arguments](const Invocation&) { return report(*arguments); };
}

}  // namespace plumbline::cli
