#include "harness/cli/terminal.hpp"

#include <langinfo.h>
#include <locale.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "harness/base/scope_exit.hpp"

namespace plumbline::cli {
namespace {

constexpr std::size_t kNarrowest = 40;
constexpr std::size_t kWidest = 160;  // longer lines are hard to read

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// A dumb terminal knows no escape sequences (Emacs' shell, some CI logs).
bool is_capable_terminal() {
  return ::isatty(STDOUT_FILENO) == 1 && environment("TERM") != "dumb";
}

bool locale_is_utf8() {
  const locale_t user = ::newlocale(LC_CTYPE_MASK, "", nullptr);
  if (user == nullptr) return false;  // the locale that LANG names is not installed
  const ScopeExit release([user] { ::freelocale(user); });
  return std::string_view(::nl_langinfo_l(CODESET, user)) == "UTF-8";
}

std::size_t terminal_width(std::size_t otherwise) {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return otherwise;
  return std::clamp<std::size_t>(size.ws_col, kNarrowest, kWidest);
}

}  // namespace

engine::ConsoleOptions console_on_standard_output(std::string_view color, engine::Verbosity verbosity) {
  engine::ConsoleOptions options;
  const bool terminal = is_capable_terminal();
  // https://no-color.org: set and not empty. An explicit --color always is the later word.
  options.colour = color == "always" || (color == "auto" && terminal && environment("NO_COLOR").empty());
  options.unicode = terminal && locale_is_utf8();
  options.progress = terminal && verbosity != engine::Verbosity::quiet;
  options.verbosity = verbosity;
  if (terminal) options.width = terminal_width(options.width);
  return options;
}

engine::ConsoleOptions console_in_file(std::string_view color, engine::Verbosity verbosity) {
  engine::ConsoleOptions options;
  options.colour = color == "always";
  options.verbosity = verbosity;
  return options;
}

}  // namespace plumbline::cli
