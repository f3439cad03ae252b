#include "harness/network/setup/script_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "harness/base/text.hpp"

namespace plumbline::network {
namespace {

constexpr std::size_t kMostLines = 40;
constexpr std::size_t kLongestLine = 400;  // bytes

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// What a terminal would do with it, but no more than that: tabs, and the carriage return before a line's
/// end.
std::string printable_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  std::string spaced;
  for (const char c : line) {
    if (c == '\t') {
      spaced.append(8 - spaced.size() % 8, ' ');
    } else {
      spaced += c;
    }
  }
  return printable(spaced);
}

/// At the boundary of a character.
std::string shortened(std::string_view line) {
  if (line.size() <= kLongestLine) return std::string(line);
  std::size_t end = kLongestLine;
  while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xc0U) == 0x80U) --end;
  return fmt::format("{}… ({} bytes more)", line.substr(0, end), line.size() - end);
}

std::string ending(const ScriptEnd& end) {
  const double seconds = std::chrono::duration<double>(end.duration).count();
  if (end.timed_out) {
    return fmt::format("was not done after {:.3g} s, and was killed with all that it had started", seconds);
  }
  // A shell's own status says as well which signal ended the last command.
  const int signal = end.status - 128;
  const char* name = signal > 0 ? ::sigdescr_np(signal) : nullptr;
  if (name == nullptr) return fmt::format("failed after {:.3g} s with exit status {}", seconds, end.status);
  return fmt::format("failed after {:.3g} s with exit status {} (signal {}, {})", seconds, end.status, signal,
                     name);
}

std::string remedy_for(const ScriptEnd& end) {
  constexpr int kNotFound = 127;  // by a shell
  if (end.timed_out) return "see what it waits for, or give it more time with 'timeout:'";
  if (end.status == kNotFound) {
    return fmt::format("install the command that it lacks, or let it exit with {} where it is missing",
                       kScriptSkips);
  }
  return "mend what its output complains of; 'set -x' in it shows how far it came";
}

}  // namespace

std::string printable_output(std::string_view output) {
  std::string text;
  for (const std::string_view line : lines_of(output)) text += printable_line(line) + '\n';
  return text;
}

std::string label_of(const Script& script) {
  const std::string what = script.path.empty() ? "the shell text" : "script " + printable(script.path);
  return script.where.empty() ? what : fmt::format("{}: {}", script.where, what);
}

std::string said(std::string_view output) {
  const std::vector<std::string_view> lines = lines_of(output);
  if (lines.empty()) return ". It said nothing";
  const std::size_t first = lines.size() > kMostLines ? lines.size() - kMostLines : 0;
  std::string text =
      first == 0 ? ". It said:" : fmt::format(". The last {} lines of what it said:", kMostLines);
  for (std::size_t i = first; i < lines.size(); ++i) text += "\n    " + shortened(lines[i]);
  return text;
}

std::string last_line(std::string_view output) {
  const std::vector<std::string_view> lines = lines_of(output);
  const auto is_blank = [](std::string_view line) { return line.find_first_not_of(' ') == line.npos; };
  const auto found = std::find_if_not(lines.rbegin(), lines.rend(), is_blank);
  return found == lines.rend() ? std::string() : shortened(*found);
}

Error ScriptHost::failure(const Script& script, const ScriptEnd& end) {
  return Error(label_of(script) + " " + ending(end) + said(end.output), ErrorKind::setup)
      .with_remedy(remedy_for(end));
}

}  // namespace plumbline::network
