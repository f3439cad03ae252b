#include "harness/kernel/counters/parse.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace plumbline::kernel::counters {
namespace {

constexpr std::string_view kBlank = " \t";
constexpr std::array<std::string_view, 9> kNotCounted{
    "IpForwarding", "IpDefaultTTL", "TcpRtoAlgorithm",      "TcpRtoMin",          "TcpRtoMax",
    "TcpMaxConn",   "TcpCurrEstab", "nf_conntrack entries", "MPTcpExtMPCurrEstab"};

/// What stands before the first `separator`, which is taken away as well.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return taken;
}

/// The next word; empty: there is none.
std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(kBlank));
  text.remove_prefix(word.size());
  return word;
}

std::optional<std::uint64_t> number(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

void add(std::string name, std::string_view value, int base, Counters& into) {
  const auto count = number(value, base);
  if (count && std::ranges::find(kNotCounted, name) == kNotCounted.end()) into[std::move(name)] += *count;
}

}  // namespace

void parse_snmp(std::string_view text, Counters& into) {
  while (!text.empty()) {
    std::string_view names = take_until(text, '\n');
    const std::string_view group = take_until(names, ':');
    if (!text.starts_with(group) || !text.substr(group.size()).starts_with(':')) continue;
    std::string_view values = take_until(text, '\n');
    values.remove_prefix(group.size() + 1);
    for (;;) {
      const std::string_view name = take_word(names);
      const std::string_view value = take_word(values);
      if (name.empty() || value.empty()) break;
      add(std::string(group).append(name), value, 10, into);
    }
  }
}

void parse_snmp6(std::string_view text, Counters& into) {
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    const std::string_view name = take_word(line);
    if (!name.empty()) add(std::string(name), take_word(line), 10, into);
  }
}

void parse_conntrack(std::string_view text, Counters& into) {
  std::vector<std::string> names;
  std::string_view head = take_until(text, '\n');
  for (std::string_view name = take_word(head); !name.empty(); name = take_word(head))
    names.push_back(std::string("nf_conntrack ").append(name));
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    for (const std::string& name : names) add(name, take_word(line), 16, into);
  }
}

}  // namespace plumbline::kernel::counters
