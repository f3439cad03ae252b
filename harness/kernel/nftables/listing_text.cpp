#include <charconv>
#include <utility>

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

/// The rest of what stands behind `comment "` or `counter packets `, up to what ends it; absent without it.
std::optional<std::string_view> after(std::string_view text, std::string_view beginning, char end) {
  const std::size_t at = text.find(beginning);
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + beginning.size());
  return text.substr(0, text.find(end));
}

std::optional<std::uint64_t> counted(std::string_view text) {
  const auto digits = after(text, "counter packets ", ' ');
  std::uint64_t packets = 0;
  if (!digits) return std::nullopt;
  const auto [stopped, problem] = std::from_chars(digits->data(), digits->data() + digits->size(), packets);
  return problem == std::errc{} ? std::optional(packets) : std::nullopt;
}

/// `device "ens4"`, `devices = { ens4, ens5 }`
std::vector<std::string> devices_in(std::string_view line) {
  if (const auto one = after(line, " device \"", '"')) return {std::string(*one)};
  std::vector<std::string> devices;
  std::string_view all = after(line, " devices = { ", '}').value_or("");
  while (!all.empty()) {
    const std::string_view name = all.substr(0, all.find_first_of(", "));
    if (!name.empty()) devices.emplace_back(name);
    all.remove_prefix(std::min(name.size() + 1, all.size()));
  }
  return devices;
}

/// "type filter hook forward priority filter; policy drop;"
void read_base(std::string_view line, TextChain& chain) {
  chain.type = after(line, "type ", ' ').value_or("");
  chain.hook = after(line, " hook ", ' ').value_or("");
  chain.priority = after(line, " priority ", ';').value_or("");
  chain.policy = after(line, "; policy ", ';').value_or("accept");
  chain.devices = devices_in(line);
}

}  // namespace

// A table begins at the margin, what it holds one tab further in, a chain's rules two. A rule that nft breaks
// into lines (a set's elements) goes on until its handle.
std::vector<TextChain> parse_chains(std::string_view text) {
  std::vector<TextChain> chains;
  std::string family, table, rule;
  bool in_chain = false;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (line.starts_with("table ")) {
      take_word(line);
      family = take_word(line);
      table = take_word(line);
      in_chain = false;
    } else if (line.starts_with("\tchain ")) {
      line.remove_prefix(1);
      take_word(line);
      TextChain& chain = chains.emplace_back();
      chain.family = family;
      chain.table = table;
      chain.name = take_word(line);
      in_chain = true;
      rule.clear();
    } else if (line == "\t}") {
      in_chain = false;
    } else if (in_chain && line.starts_with("\t\t")) {
      const std::string_view body = line.substr(2);
      if (rule.empty() && body.starts_with("type ")) read_base(body, chains.back());
      if (rule.empty() && (body.starts_with("type ") || body.starts_with("comment "))) continue;
      if (!rule.empty()) rule += ' ';
      append_squeezed(rule, body);
      if (const auto handle = take_handle(rule)) {
        const std::string comment(after(rule, " comment \"", '"').value_or(""));
        const auto packets = counted(rule);
        chains.back().rules.push_back({*handle, std::exchange(rule, {}), comment, packets});
      }
    }
  }
  return chains;
}

std::map<Listing::RuleKey, std::string> parse_rules(std::string_view text) {
  std::map<Listing::RuleKey, std::string> rules;
  for (TextChain& chain : parse_chains(text)) {
    for (TextRule& rule : chain.rules) {
      rules[{chain.family, chain.table, chain.name, rule.handle}] = std::move(rule.text);
    }
  }
  return rules;
}

}  // namespace plumbline::kernel::nft
