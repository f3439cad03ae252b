#include <charconv>

#include "harness/kernel/nftables/listing.hpp"

namespace plumbline::kernel::nft {
namespace {

constexpr std::string_view kHandle = " # handle ";

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

/// Takes "WORD " off the start.
std::string_view take_word(std::string_view& text) {
  const std::size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

/// Takes a final " # handle 7" off; absent when there is none. A comment that looks the same is followed by
/// its quote.
std::optional<std::uint64_t> take_handle(std::string& line) {
  const std::size_t at = line.rfind(kHandle);
  if (at == std::string::npos) return std::nullopt;
  const char* const begin = line.data() + at + kHandle.size();
  const char* const end = line.data() + line.size();
  std::uint64_t handle = 0;
  const auto [stopped, problem] = std::from_chars(begin, end, handle);
  if (problem != std::errc{} || stopped != end || begin == end) return std::nullopt;
  line.resize(at);
  return handle;
}

/// Without what indents it, and with one space where there are more outside quotes: iptables' matches leave
/// two.
void append_squeezed(std::string& to, std::string_view line) {
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    const bool space = (c == ' ' || c == '\t') && !quoted;
    if (space && (to.empty() || to.back() == ' ')) continue;
    to += space ? ' ' : c;
  }
}

}  // namespace

// A table begins at the margin, what it holds one tab further in, a chain's rules two. A rule that nft breaks
// into lines (a set's elements) goes on until its handle.
std::map<Listing::RuleKey, std::string> parse_rules(std::string_view text) {
  std::map<Listing::RuleKey, std::string> rules;
  std::string family, table, chain, rule;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (line.starts_with("table ")) {
      take_word(line);
      family = take_word(line);
      table = take_word(line);
      chain.clear();
    } else if (line.starts_with("\tchain ")) {
      line.remove_prefix(1);
      take_word(line);
      chain = take_word(line);
      rule.clear();
    } else if (line == "\t}") {
      chain.clear();
    } else if (!chain.empty() && line.starts_with("\t\t")) {
      const std::string_view body = line.substr(2);
      if (rule.empty() && (body.starts_with("type ") || body.starts_with("comment "))) continue;
      if (!rule.empty()) rule += ' ';
      append_squeezed(rule, body);
      if (const auto handle = take_handle(rule)) {
        rules[{family, table, chain, *handle}] = std::move(rule);
        rule.clear();
      }
    }
  }
  return rules;
}

}  // namespace plumbline::kernel::nft
