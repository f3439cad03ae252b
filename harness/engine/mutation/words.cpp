#include "harness/engine/mutation/words.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace plumbline::engine::mutation {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n';
}

/// Of the word that begins at `at`, which is no blank.
std::size_t length_of_word(std::string_view line, std::size_t at) {
  if (line[at] == '{' || line[at] == '}' || line[at] == ',') return 1;
  std::size_t end = at;
  if (line[at] == '"') {
    for (end = at + 1; end < line.size() && line[end] != '"'; ++end) {
      if (line[end] == '\\') ++end;
    }
    return std::min(end + 1, line.size()) - at;
  }
  while (end < line.size() && !is_blank(line[end]) && line[end] != '{' && line[end] != '}') {
    const bool last = end + 1 == line.size() || is_blank(line[end + 1]);
    if (line[end] == ',' && last) break;
    ++end;
  }
  return end - at;
}

}  // namespace

std::vector<Word> words_of(std::string_view line) {
  std::vector<Word> words;
  for (std::size_t at = 0; at < line.size();) {
    if (is_blank(line[at])) {
      ++at;
      continue;
    }
    const std::size_t length = length_of_word(line, at);
    words.push_back({line.substr(at, length), at, line[at] == '"'});
    at += length;
  }
  return words;
}

std::string replaced(std::string_view line, std::size_t at, std::size_t length, std::string_view with) {
  return fmt::format("{}{}{}", line.substr(0, at), with, line.substr(at + length));
}

std::string shell_quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::string squeezed(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (!is_blank(c)) {
      result += c;
    } else if (result.empty() || result.back() != ' ') {
      result += ' ';
    }
  }
  return result;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::vector<OtherPrefix> other_prefixes(const Prefix& prefix) {
  std::vector<OtherPrefix> others;
  const std::string text = short_text(prefix);
  if (prefix.length() > 0) others.push_back({"widen " + text, Prefix(prefix.address(), prefix.length() - 1)});
  if (prefix.length() < prefix.address().bits())
    others.push_back({"narrow " + text, Prefix(prefix.address(), prefix.length() + 1)});
  return others;
}

std::string short_text(const Prefix& prefix) {
  return prefix.length() == prefix.address().bits() ? prefix.address().to_string() : prefix.to_string();
}

}  // namespace plumbline::engine::mutation
