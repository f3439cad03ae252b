#include "harness/engine/run/validate.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/cli/check_options.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/look.hpp"
#include "harness/cli/reports.hpp"
#include "harness/cli/socket_options.hpp"
#include "harness/cli/turn.hpp"
#include "harness/engine/inference/promises.hpp"
#include "harness/engine/inference/spec_text.hpp"
#include "harness/engine/run/data.hpp"
#include "harness/kernel/netns/capabilities.hpp"
#include "harness/kernel/nftables/trace.hpp"

namespace plumbline::cli {
namespace {

struct ValidateArguments {
  CheckOptions checks;
  std::string spec;
  unsigned rate = engine::LiveOptions{}.probes_per_second;
  bool trace_rules = false;
  SocketOptions sockets;
};

/// For one who is root already, that is no remedy.
std::string how_to_get(std::vector<std::string> missing) {
  if (::geteuid() != 0) {
    return "run it as root: sudo plumbline validate; `plumbline run` needs no privilege, in networks of its "
           "own";
  }
  for (std::string& capability : missing) capability = "--cap-add " + capability.substr(std::strlen("CAP_"));
  return fmt::format(
      "this root is restricted, as a container's is: run it outside, or have the container started with "
      "--privileged or {}, and with --network host --pid host",
      fmt::join(missing, " "));
}

void require_privileges() {
  const std::vector<std::string> missing = kernel::missing_capabilities();
  if (missing.empty()) return;
  throw Error(
      fmt::format("to look into the nodes of a live host takes CAP_SYS_ADMIN (entering their "
                  "namespaces), CAP_NET_RAW (taps and pings) and CAP_NET_ADMIN (asking netfilter); this "
                  "process lacks {}",
                  fmt::join(missing, ", ")),
      ErrorKind::environment)
      .with_remedy(how_to_get(missing));
}

/// Of a scenario with several setups the checks are the same.
spec::Spec load(const std::string& file) {
  spec::Spec spec = std::move(spec::load_specs(file, engine::shipped_load_options()).front());
  engine::require_unchanging(spec);
  return spec;
}

/// What holds of this host, or plainly should, as discovery has it.
spec::Spec discovered(const SocketOptions& sockets) {
  require_answers(sockets);
  network::HostSources sources;
  sources.sockets = sockets.sockets;
  const network::HostView view = look(std::move(sources));
  for (const network::HostNote& note : view.notes) spdlog::warn("{}", note.text);
  const std::vector<engine::Promise> promises = engine::infer(view, {});
  if (!engine::has_checks(promises)) {
    throw Error("nothing is found on this host that a promise could be made of", ErrorKind::usage)
        .with_remedy("`plumbline discover` says where it looked; or name a spec");
  }
  const std::string name = "discovered";
  const spec::Value document = spec::parse_yaml(engine::spec_text(view, promises), name);
  return std::move(spec::read_specs(document, name, engine::shipped_load_options()).front());
}

void tell_what_is_added(const std::vector<std::string>& nodes) {
  fmt::print(
      stderr,
      "plumbline: --trace-rules adds the nftables table `inet {}` (flags owner, five chains that mark "
      "packets "
      "for the trace) to the {} of {}, and nothing else. The kernel takes it away when this process ends.\n",
      kernel::nft::Trace::table_of_this_process(), nodes.size() == 1 ? "namespace" : "namespaces",
      fmt::join(nodes, ", "));
}

/// Everything that a user can get wrong is found before a probe is sent.
int validate(ValidateArguments arguments) {
  CheckOptions& checks = arguments.checks;
  // Nothing is written but where it was asked for.
  if (!checks.out_given && checks.trace == "failed") checks.trace = "none";
  engine::RunOptions options = checks.run_options();
  options.trace_rules = arguments.trace_rules;
  std::vector<ReportRequest> requests = parse_reports(checks.reports);
  std::optional<spec::Spec> spec;
  if (!arguments.spec.empty()) spec = load(arguments.spec);
  require_privileges();
  const Fd turn = take_turn();
  if (!spec) spec = discovered(arguments.sockets);
  require_places_to_write(checks, requests, Writer::this_process);
  engine::LiveOptions live;
  live.sockets = arguments.sockets.sockets;
  live.probes_per_second = arguments.rate;
  live.before_tracing = tell_what_is_added;
  // How many -k leaves out is known only once its nodes are: nothing is said of that here.
  Reports reports(requests, checks.color, checks.verbosity(), {});
  const engine::RunResult result = engine::validate(std::move(*spec), options, live, reports.reporters());
  return reports.finish(result);
}

void declare(CLI::App& command, ValidateArguments& arguments) {
  command.add_option(
      "SPEC", arguments.spec,
      "A spec, whose `nodes:` say where they are found; by default what `plumbline discover` prints");
  arguments.checks.out.clear();
  arguments.checks.jobs = 4;
  declare(command, arguments.checks, "Checks under way at once");
  command.add_option("--rate", arguments.rate, "Probes sent in a second, at most")
      ->check(CLI::Range(1, 10'000).description(""))
      ->type_name("N")
      ->capture_default_str();
  command.add_flag("--trace-rules", arguments.trace_rules,
                   "Have the nodes' kernels tell which rules a probe meets. Adds one nftables table to each "
                   "node's namespace, which the kernel takes away when this process ends, however it does");
  declare(command, arguments.sockets);
}

}  // namespace

Action add_validate(CLI::App& app) {
  CLI::App* command = app.add_subcommand("validate", "Check this live host, and change nothing of it");
  const auto arguments = std::make_shared<ValidateArguments>();
  declare(*command, *arguments);
  command->footer(
      "It enters the nodes' namespaces, opens sockets and taps there, and sends what the checks need: a few "
      "checks\n"
      "at once (-j), some probes a second (--rate), to the addresses that the spec or the nodes name, and to "
      "no\n"
      "others. Where a check needs a listener and the port is free, a socket of its own listens while the "
      "probe is\n"
      "under way; where a service has the port, that service is asked: for a TCP handshake, a DNS answer, no "
      "more.\n"
      "No link, address, route, rule, sysctl, nft object or kernel module is added or changed, and no file "
      "is\n"
      "written but reports and, where --out names a folder, traces.\n"
      "\n"
      "Needs root, or CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_NET_RAW.\n"
      "\n"
      "Examples:\n"
      "  plumbline validate                           what discovery finds to hold\n"
      "  plumbline validate host.yaml\n"
      "  plumbline validate host.yaml -k deny -v --out traces\n"
      "  plumbline validate host.yaml --trace-rules   which rule was it?\n"
      "\n"
      "Exit status:\n"
      "  0  all passed\n"
      "  1  a check failed\n"
      "  2  the command line or the spec is wrong, or a node of it, or an engine that --docker or --podman "
      "names, is "
      "not\n"
      "     on this host; nothing was sent\n"
      "  3  this machine or this user cannot do it, or an engine that was named does not answer; the remedy "
      "is said\n"
      "  4  none failed, but some were inconclusive\n"
      "  5  an error\n"
      "  130  interrupted by SIGINT, SIGTERM or SIGHUP; the report holds what had ended\n");
  return [arguments](const Invocation&) { return validate(*arguments); };
}

}  // namespace plumbline::cli
