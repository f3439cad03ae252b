#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <map>

#include "harness/base/error.hpp"
#include "harness/cli/command.hpp"

namespace plumbline::cli {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kEnvironment = 3;
constexpr int kInternal = 5;

int exit_status(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::usage:
      return kUsage;
    case ErrorKind::setup:
      return kFailed;
    case ErrorKind::environment:
      return kEnvironment;
    case ErrorKind::internal:
      break;
  }
  return kInternal;
}

/// Diagnostics go to standard error, so that reports on standard output stay whole.
void set_up_log() {
  spdlog::set_default_logger(spdlog::stderr_color_mt("plumbline"));
  spdlog::set_pattern("%H:%M:%S.%e %^%l%$ %v");
  spdlog::set_level(spdlog::level::warn);
  const char* wanted = std::getenv("PLUMBLINE_LOG");
  if (wanted == nullptr || *wanted == '\0') return;
  const auto level = spdlog::level::from_str(wanted);  // "off" for a word that it does not know
  if (level == spdlog::level::off && std::string_view(wanted) != "off") {
    throw Error(fmt::format("PLUMBLINE_LOG={}: expected trace, debug, info, warn, error or off", wanted),
                ErrorKind::usage);
  }
  spdlog::set_level(level);
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

/// What was not expected, in the words of the subcommand that met it.
Error unexpected(const CLI::App& app, const CLI::ParseError& problem) {
  const auto chosen = app.get_subcommands();
  const CLI::App& met = chosen.empty() ? app : *chosen.front();
  const std::string help =
      chosen.empty() ? "plumbline --help" : fmt::format("plumbline {} --help", met.get_name());
  std::string message = problem.what();
  if (dynamic_cast<const CLI::ExtrasError*>(&problem) != nullptr) {
    const std::vector<std::string> extra = app.remaining(true);
    if (!extra.empty()) {
      const std::string name = extra.front().substr(0, extra.front().find('='));
      message = fmt::format("{} '{}' is not known{}", name.starts_with("-") ? "option" : "argument", name,
                            did_you_mean(name, option_names(met)));
    }
  }
  // The name of an argument that stands alone is no word that anybody wrote.
  if (message.starts_with("WHAT: ")) message.erase(0, 6);
  return Error(message, ErrorKind::usage).with_remedy(help + " lists what there is");
}

void require_known_subcommand(const CLI::App& app, int argc, char** argv) {
  std::vector<std::string> names;
  for (const CLI::App* subcommand : app.get_subcommands({})) names.push_back(subcommand->get_name());
  const std::string list = fmt::format("plumbline {}; plumbline --help says more", fmt::join(names, "|"));
  if (argc < 2) throw Error("which command?", ErrorKind::usage).with_remedy(list);
  const std::string word = argv[1];
  if (word.starts_with("-") || std::find(names.begin(), names.end(), word) != names.end()) return;
  throw Error(fmt::format("'{}' is no command{}", word, did_you_mean(word, names)), ErrorKind::usage)
      .with_remedy(list);
}

int dispatch(int argc, char** argv) {
  CLI::App app("Checks container networking with real packets, and proves what it says.", "plumbline");
  app.require_subcommand(1);
  app.set_version_flag("--version", "plumbline " PLUMBLINE_VERSION);
  app.footer(fmt::format(
      "Examples:\n"
      "  plumbline run                          all scenarios that ship\n"
      "  plumbline run my.yaml -k deny -v       only checks whose id holds \"deny\", in detail\n"
      "  plumbline run --report json=out.json   the report for programs beside the one for people\n"
      "  plumbline doctor                       can this machine run it?\n"
      "\n{}",
      kExitStatuses));
  std::map<std::string, Action> actions;
  actions["run"] = add_run(app);
  actions["list"] = add_list(app);
  actions["explain"] = add_explain(app);
  actions["doctor"] = add_doctor(app);
  actions["schema"] = add_schema(app);
  actions["selftest"] = add_selftest(app);
  require_known_subcommand(app, argc, argv);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    print(app.help());
    return 0;
  } catch (const CLI::CallForVersion& version) {
    print(std::string(version.what()) + "\n");
    return 0;
  } catch (const CLI::ParseError& problem) {
    throw unexpected(app, problem);
  }
  return actions.at(app.get_subcommands().front()->get_name())({argc, argv});
}

int guarded(int argc, char** argv) {
  try {
    // A reader that goes away (| head) is seen as EPIPE where output is written, and is no error there.
    // Probes too must not be ended by it.
    if (std::signal(SIGPIPE, SIG_IGN) == SIG_ERR) throw Error::from_errno(errno, "ignore SIGPIPE");
    set_up_log();
    return dispatch(argc, argv);
  } catch (const Error& error) {
    print_error(error);
    return exit_status(error.kind());
  } catch (const std::exception& error) {
    print_error(Error(fmt::format("internal error: {}", error.what())));
    return kInternal;
  }
}

}  // namespace
}  // namespace plumbline::cli

int main(int argc, char** argv) {
  return plumbline::cli::guarded(argc, argv);
}
