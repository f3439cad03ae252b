#include "harness/cli/command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdio>

#include "harness/cli/output.hpp"
#include "harness/engine/report/text.hpp"
#include "harness/engine/spec/value.hpp"

namespace plumbline::cli {

void print(std::string_view text) {
  const auto output = Output::standard();
  output->stream() << text;
  output->finish();
}

void print_error(const Error& error) {
  const bool in_a_spec = dynamic_cast<const spec::SpecError*>(&error) != nullptr;
  std::string text = in_a_spec ? "" : "plumbline: ";
  std::string_view separator;
  for (const std::string& line : engine::printable_lines(error.what())) {
    text += fmt::format("{}{}", separator, line);
    separator = "\n  ";
  }
  separator = "\n  remedy: ";
  for (const std::string& line : engine::printable_lines(error.remedy())) {
    text += fmt::format("{}{}", separator, line);
    separator = "\n          ";
  }
  text += '\n';
  std::fwrite(text.data(), 1, text.size(), stderr);  // where standard error is closed there is nobody to tell
}

std::function<std::string(const std::string&)> one_of(std::vector<std::string> words) {
  return [words = std::move(words)](const std::string& word) -> std::string {
    if (std::find(words.begin(), words.end(), word) != words.end()) return {};
    const std::string near = did_you_mean(word, words);
    return fmt::format("'{}' is not known{} (there {}: {})", word, near, words.size() == 1 ? "is" : "are",
                       fmt::join(words, ", "));
  };
}

std::string nearest_word(std::string_view word, const std::vector<std::string>& words) {
  const std::string wanted = lower(word);
  const std::vector<std::string_view> views(words.begin(), words.end());
  const std::string_view near = spec::nearest(wanted, views);
  if (!near.empty()) return std::string(near);
  constexpr std::size_t kShortest = 3;
  const auto begins = [&wanted](const std::string& each) { return each.starts_with(wanted); };
  if (wanted.size() < kShortest || std::ranges::count_if(words, begins) != 1) return {};
  return *std::ranges::find_if(words, begins);
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& words) {
  const std::string near = nearest_word(word, words);
  return near.empty() ? "" : fmt::format("; did you mean '{}'?", near);
}

std::chrono::milliseconds parse_timeout(const std::string& text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, number);
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  const double milliseconds = unit == "ms" ? number : number * 1000;
  const bool known = unit.empty() || unit == "s" || unit == "ms";
  if (problem != std::errc{} || !known || !(milliseconds >= 1 && milliseconds <= 600'000)) {
    throw Error(fmt::format("--timeout {}: expected a time from 1ms to 600s, such as 500ms or 2s", text),
                ErrorKind::usage);
  }
  return std::chrono::milliseconds(static_cast<long long>(milliseconds));
}

}  // namespace plumbline::cli
