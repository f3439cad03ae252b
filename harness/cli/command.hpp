#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/text.hpp"

namespace CLI {
class App;
}

/// The subcommands. Each is one file: a function that declares its options and says what runs.
namespace plumbline::cli {

/// What a subcommand works with, beside its own options.
struct Invocation {
  int argc = 0;
  char** argv = nullptr;
};

/// Runs and returns the exit status; an Error thrown becomes one in main.
using Action = std::function<int(const Invocation&)>;

Action add_run(CLI::App& app);
Action add_validate(CLI::App& app);
Action add_list(CLI::App& app);
Action add_discover(CLI::App& app);
Action add_doctor(CLI::App& app);
Action add_matrix(CLI::App& app);
Action add_explain(CLI::App& app);
Action add_report(CLI::App& app);
Action add_schema(CLI::App& app);
Action add_selftest(CLI::App& app);

inline constexpr std::string_view kExitStatuses =
    "Exit status:\n"
    "  0  all passed, but for scenarios whose setup said that it misses something (skipped)\n"
    "  1  a check failed; or a setup or a change between checks did\n"
    "  2  the command line or a spec is wrong; nothing was built\n"
    "  3  this machine cannot run it; the remedy is said\n"
    "  4  none failed, but some were inconclusive, or differed between repetitions, or all were skipped\n"
    "  5  an error; also a report that could not be written to its end, where it would be 0 otherwise\n"
    "  130  interrupted by SIGINT, SIGTERM or SIGHUP; the report holds what had ended\n"
    "  128+N  ended by signal N while the specs were read; nothing was built\n";

/// `text` to standard output; a closed pipe ends it quietly. Throws Error when it cannot be written.
void print(std::string_view text);

/// One error on standard error: `plumbline: message` and its remedy; a spec's errors begin with their place,
/// as editors expect it.
void print_error(const Error& error);

/// "500ms", "2s", "1.5s"; a number alone counts seconds. Throws Error of kind usage.
std::chrono::milliseconds parse_timeout(const std::string& text);

/// A check for an option whose value is one of `words`: empty for one of them, else the error, with the
/// nearest.
std::function<std::string(const std::string&)> one_of(std::vector<std::string> words);

/// Of `words` the one that was probably meant: mistyped, in capitals, or begun; else empty.
std::string nearest_word(std::string_view word, const std::vector<std::string>& words);
/// "; did you mean 'list'?", or nothing where no word is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& words);

}  // namespace plumbline::cli
