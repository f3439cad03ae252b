#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <map>
#include <string>
#include <utility>
#include <vector>

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

/// "; did you mean '--report'?": the dashes, which all have, make none of them nearer.
std::string nearest_option(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back(name);
  }
  if (!word.starts_with("-")) return {};
  const std::string near =
      nearest_word(word.substr(std::min(word.find_first_not_of('-'), word.size())), names);
  return near.empty() ? "" : fmt::format("; did you mean '--{}'?", near);
}

/// "--setup: given 2 times, and can be given once", instead of the parser's "At Most 1 required but received
/// 2".
std::string given_too_often(const std::string& message) {
  constexpr std::string_view kPhrase = ": At Most 1 required but received ";
  const std::size_t at = message.find(kPhrase);
  if (at == std::string::npos) return message;
  return fmt::format("{}: given {} times, and can be given once", message.substr(0, at),
                     message.substr(at + kPhrase.size()));
}

/// What was not expected, in the words of the subcommand that met it.
Error unexpected(const CLI::App& app, const CLI::ParseError& problem) {
  const auto chosen = app.get_subcommands();
  const CLI::App& met = chosen.empty() ? app : *chosen.front();
  const std::string help =
      chosen.empty() ? "plumbline --help" : fmt::format("plumbline {} --help", met.get_name());
  std::string message = given_too_often(problem.what());
  if (dynamic_cast<const CLI::ExtrasError*>(&problem) != nullptr) {
    const std::vector<std::string> extra = app.remaining(true);
    if (!extra.empty()) {
      const std::string name = extra.front().substr(0, extra.front().find('='));
      message = fmt::format("{} '{}' is not known{}", name.starts_with("-") ? "option" : "argument", name,
                            nearest_option(met, name));
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

/// The words of the command line, the last one first, as the parser wants them. `--podman=` says that the
/// value is empty; by itself the parser would take the word behind it for one.
std::vector<std::string> words_of(int argc, char** argv) {
  std::vector<std::string> words;
  bool options = true;  // until a word `--`
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    options = options && word != "--";
    const bool empty_value =
        options && word.size() > 3 && word.starts_with("--") && word.find('=') == word.size() - 1;
    if (empty_value) word.pop_back();
    words.push_back(std::move(word));
    if (empty_value) words.emplace_back();
  }
  std::reverse(words.begin(), words.end());
  return words;
}

int dispatch(int argc, char** argv) {
  CLI::App app("Checks container networking with real packets, and proves what it says.", "plumbline");
  app.require_subcommand(1);
  app.set_version_flag("--version", "plumbline " PLUMBLINE_VERSION);
  std::map<std::string, Action> actions;
  actions["run"] = add_run(app);
  actions["report"] = add_report(app);
  actions["validate"] = add_validate(app);
  actions["matrix"] = add_matrix(app);
  actions["list"] = add_list(app);
  actions["explain"] = add_explain(app);
  actions["discover"] = add_discover(app);
  actions["doctor"] = add_doctor(app);
  actions["schema"] = add_schema(app);
  actions["selftest"] = add_selftest(app);
  // After them: they would inherit it.
  app.footer(fmt::format(
      "Examples:\n"
      "  plumbline run                          all scenarios that ship\n"
      "  plumbline run my.yaml -k deny -v       only checks whose id holds \"deny\", in detail\n"
      "  plumbline run --report json=out.json   the report for programs beside the one for people\n"
      "  sudo plumbline validate host.yaml      the same checks on this live host, which stays as it is\n"
      "  plumbline report *.json --report html=all.html   reports of several runs as one page\n"
      "  plumbline matrix my.yaml               who reaches whom\n"
      "  plumbline doctor                       can this machine run it?\n"
      "\n{}",
      kExitStatuses));
  require_known_subcommand(app, argc, argv);
  try {
    app.parse(words_of(argc, argv));
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

/// Of the three that whoever started it has closed, none is to become the number of what is opened next:
/// reports and errors would be written into that.
void fill_standard_descriptors() {
  int fd = 0;
  while (fd >= 0 && fd <= STDERR_FILENO) fd = ::open("/dev/null", O_RDWR);
  if (fd > STDERR_FILENO) ::close(fd);
}

int guarded(int argc, char** argv) {
  try {
    // A reader that goes away (| head) is seen as EPIPE where output is written, and is no error there.
    // Probes too must not be ended by it.
    if (std::signal(SIGPIPE, SIG_IGN) == SIG_ERR) throw Error::from_errno(errno, "ignore SIGPIPE");
    // A file that may not become larger (ulimit -f) is an error of that file, as a full disk is.
    if (std::signal(SIGXFSZ, SIG_IGN) == SIG_ERR) throw Error::from_errno(errno, "ignore SIGXFSZ");
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
  plumbline::cli::fill_standard_descriptors();
  return plumbline::cli::guarded(argc, argv);
}
