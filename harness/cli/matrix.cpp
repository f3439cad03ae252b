#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <ostream>
#include <set>

#include "harness/base/error.hpp"
#include "harness/cli/check_options.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/reports.hpp"
#include "harness/cli/selection.hpp"
#include "harness/engine/matrix/fold.hpp"
#include "harness/engine/matrix/plan.hpp"
#include "harness/engine/report/format/format.hpp"
#include "harness/engine/report/matrix_text.hpp"
#include "harness/engine/report/progress_line.hpp"
#include "harness/engine/run/data.hpp"
#include "harness/engine/run/pool.hpp"
#include "harness/engine/run/runner.hpp"

namespace plumbline::cli {
namespace {

namespace matrix = engine::matrix;

struct MatrixArguments : ReportOptions {
  std::vector<std::string> specs;
  std::string setup;
  std::vector<std::string> nodes;
  std::vector<std::string> services;
  std::string timeout = "1s";
  std::size_t jobs = 0;  ///< 0: as many as the networks bear
  engine::PoolOptions pool;
};

/// How far it is, on a terminal.
class Live final : public engine::Reporter {
 public:
  Live(std::ostream& out, const engine::ConsoleOptions& options) : line_(out, options) {}
  void progressed(const engine::Progress& progress) override {
    // A probe that does not arrive has shown what was asked.
    line_.draw({progress.done, progress.total, 0, progress.running});
  }
  void run_finished(const engine::RunResult& /*run*/) override { line_.erase(); }

 private:
  engine::ProgressLine line_;
};

/// The words of options that may be given repeatedly or with commas between.
std::vector<std::string> listed(const std::vector<std::string>& given) {
  std::vector<std::string> words;
  for (const std::string& each : given) {
    for (std::size_t start = 0; start <= each.size();) {
      const std::size_t end = std::min(each.find(',', start), each.size());
      if (end > start) words.push_back(each.substr(start, end - start));
      start = end + 1;
    }
  }
  return words;
}

std::vector<engine::Service> services_of(const std::vector<std::string>& given) {
  std::vector<engine::Service> services;
  for (const std::string& word : listed(given)) {
    const auto service = engine::parse_service(word);
    if (!service) {
      throw Error(fmt::format("--with {}: expected ping, tcp/PORT or udp/PORT", word), ErrorKind::usage)
          .with_remedy("--with ping,tcp/80,udp/53");
    }
    if (std::ranges::find(services, *service) == services.end()) services.push_back(*service);
  }
  if (services.empty() && !given.empty())
    throw Error("--with names no service", ErrorKind::usage).with_remedy("--with ping,tcp/80,udp/53");
  return services;
}

std::vector<std::string> nodes_of(const std::vector<std::string>& given,
                                  const std::vector<spec::Spec>& specs) {
  std::set<std::string> there;
  std::set<std::string> bridges;  // of segments: nobody is there to send or to be sent to
  for (const spec::Spec& spec : specs) {
    for (const network::Node& node : spec.intended().nodes)
      (matrix::may_have_address(node) ? there : bridges).insert(node.name);
  }
  const std::vector<std::string> names(there.begin(), there.end());
  std::vector<std::string> nodes = listed(given);
  for (const std::string& node : nodes) {
    if (there.contains(node)) continue;
    const std::string problem = bridges.contains(node)
                                    ? fmt::format("'{}' is a segment's bridge, which has no address", node)
                                    : fmt::format("there is no node '{}'{}", node, did_you_mean(node, names));
    throw Error("--nodes: " + problem, ErrorKind::usage)
        .with_remedy(fmt::format("the nodes are {}", fmt::join(names, ", ")));
  }
  const std::set<std::string> distinct(nodes.begin(), nodes.end());
  if (!given.empty() && distinct.size() < 2)
    throw Error("--nodes: a matrix needs two at least", ErrorKind::usage)
        .with_remedy("--nodes host,container-one");
  return nodes;
}

/// Probes under way at once. What one node of a bridge asks, all others hear: with more of them the taps hear
/// more of each probe, and what they miss proves nothing.
std::size_t bearable(const std::vector<spec::Spec>& specs) {
  constexpr std::size_t kHeard = 3'000;
  std::size_t nodes = 1;
  for (const spec::Spec& spec : specs) nodes = std::max(nodes, spec.intended().nodes.size());
  return std::clamp<std::size_t>(kHeard / nodes, 8, 128);
}

int write(const std::vector<OpenReport>& reports, const engine::RunResult& run) {
  // All are made before any speaks: one may have to say beforehand that the console's words are not its own.
  std::vector<std::unique_ptr<engine::Reporter>> others;
  for (const OpenReport& report : reports) {
    if (report.format != "console")
      others.push_back(engine::format(report.format).make(report.output->stream(), report.console));
  }
  for (const OpenReport& report : reports) {
    if (report.format == "console")
      report.output->stream() << engine::matrix_report(report.console, run) << std::flush;
  }
  for (const auto& reporter : others) engine::replay(run, *reporter);
  return finish_all(reports, run);
}

std::vector<spec::Spec> chosen(const MatrixArguments& arguments) {
  // All that ship are many matrices; one shows what this is about.
  const std::vector<std::string> files = arguments.specs.empty()
                                             ? std::vector{engine::shipped_scenario("diy")}
                                             : engine::spec_files(arguments.specs);
  std::vector<spec::Spec> specs = load_scenarios(files);
  select_setup(specs, arguments.setup);
  return specs;
}

/// Everything that a user can get wrong is found before anything is built.
int run(const MatrixArguments& arguments) {
  matrix::Scope scope;
  scope.services = services_of(arguments.services);
  engine::RunOptions options;
  options.timeout = parse_timeout(arguments.timeout);
  options.trace = engine::TraceWhich::none;
  options.amend = [&scope](const spec::Spec& spec, engine::Plan& plan) {
    matrix::complete(spec, scope, plan);
  };
  std::vector<ReportRequest> requests = parse_reports(arguments.reports);
  const std::vector<spec::Spec> specs = chosen(arguments);
  scope.nodes = nodes_of(arguments.nodes, specs);
  options.jobs = arguments.jobs == 0 ? bearable(specs) : arguments.jobs;
  if (engine::list_checks(specs, options).empty())
    throw Error("no two of these nodes have addresses of one family", ErrorKind::usage)
        .with_remedy("name more nodes with --nodes, or leave it out for all");
  require_writable(requests);
  engine::Pool pool(specs, options, arguments.pool);
  const std::vector<OpenReport> reports = open_all(requests, arguments.color, arguments.verbosity());
  const auto console = std::ranges::find_if(requests, [](const ReportRequest& request) {
    return request.format == "console" && request.file.empty();
  });
  std::vector<engine::Reporter*> live;
  std::unique_ptr<Live> progress;
  if (console != requests.end()) {
    const OpenReport& shown = reports[static_cast<std::size_t>(console - requests.begin())];
    progress = std::make_unique<Live>(shown.output->stream(), shown.console);
    live.push_back(progress.get());
  }
  engine::RunResult result = pool.run(live);
  matrix::fold(result);
  return write(reports, result);
}

void declare(CLI::App& command, MatrixArguments& arguments) {
  command.add_option("SPEC", arguments.specs,
                     "Spec files, or folders of *.yaml; by default the scenario diy that ships");
  command.add_option("--setup", arguments.setup, "Only scenarios with this setup, or kind of setup")
      ->type_name("SETUP");
  command
      .add_option("--with", arguments.services,
                  "Only these services; by default ping and all that the spec's promises name. Repeatable")
      ->type_name("SERVICE,...")
      ->allow_extra_args(false);
  command.add_option("--nodes", arguments.nodes, "Only these nodes, as senders and as targets. Repeatable")
      ->type_name("NODE,...")
      ->allow_extra_args(false);
  declare(command, static_cast<ReportOptions&>(arguments));
  command.get_option("--verbose")->description("Name who stopped what, and what proves nothing");
  command.get_option("--quiet")->description("Only what is not as promised, and the totals");
  command
      .add_option("-j,--jobs", arguments.jobs,
                  "Probes of a scenario under way at once; by default 128, fewer of many nodes")
      ->check(CLI::Range(1, 100'000).description(""))
      ->type_name("N");
  command.add_option("--parallel", arguments.pool.parallel, "Scenarios under way at once")
      ->check(CLI::Range(1, 1'000).description(""))
      ->type_name("N")
      ->capture_default_str();
  command.add_option("--timeout", arguments.timeout, "How long a probe waits: 500ms, 2s")
      ->type_name("TIME")
      ->capture_default_str();
}

}  // namespace

Action add_matrix(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("matrix", "Who reaches whom: all nodes of a scenario, by all its services");
  const auto arguments = std::make_shared<MatrixArguments>();
  declare(*command, *arguments);
  command->footer(fmt::format(
      "Rows send, columns are sent to:\n{}"
      "  -  the node itself; a space: not tried, as an address that no promise of this sender names\n"
      "Promises (reach, egress, published, resolve; deny, isolated) are checked as `run` does; every other\n"
      "pair of nodes is tried without a promise, and being denied is no failure of it. The network is that\n"
      "which the setup builds: what a spec changes between its checks is not done, and the checks after it\n"
      "are left out. Addresses that promises name are columns of their own, unless the node that holds one\n"
      "is known by it.\n"
      "\n"
      "Examples:\n"
      "  plumbline matrix                                        the scenario diy\n"
      "  plumbline matrix my.yaml --with ping,tcp/22 -v          and who stopped what\n"
      "  plumbline matrix my.yaml --nodes host,c1,c2\n"
      "  plumbline matrix my.yaml --report html=matrix.html --report console\n"
      "\n"
      "Exit status:\n"
      "  0  every promise was kept\n"
      "  1  one was not (!); or a setup failed\n"
      "  2  the command line or a spec is wrong, or there are too many pairs; nothing was built\n"
      "  3  this machine cannot run it; the remedy is said\n"
      "  4  none was broken, but some could not be proven (? of a pair that is promised)\n"
      "  5  an error\n"
      "  130  interrupted; the matrix shows what had ended\n"
      "  128+N  ended by signal N while the specs were read; nothing was built\n",
      engine::signs_legend()));
  return [arguments](const Invocation&) { return run(*arguments); };
}

}  // namespace plumbline::cli
