#include "harness/engine/spec/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "harness/engine/spec/words.hpp"

namespace plumbline::spec {
namespace {

std::string described(const Value& value) {
  switch (value.kind) {
    case Value::Kind::null:
      return "nothing";
    case Value::Kind::scalar:
      return in_quotes(value.text);
    case Value::Kind::sequence:
      return "a list";
    case Value::Kind::mapping:
      return "a mapping";
  }
  return {};
}

[[noreturn]] void expected(const Value& value, std::string_view what, std::string_view wanted) {
  value.fail(fmt::format("'{}' must be {}, not {}", what, wanted, described(value)));
}

bool is_plain(const Value& value) {
  return value.kind == Value::Kind::scalar && !value.quoted;
}

/// "10.1.2.3/8" as a prefix has host bits: the network that was probably meant.
std::string meant_network(const std::string& text) {
  const auto address = InterfaceAddress::parse(text);
  if (!address) return {};
  return fmt::format("; the network of {} is {}", text, address->network().to_string());
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

}  // namespace

std::string Mark::to_string() const {
  if (!file) return fmt::format("{}:{}", line, column);
  return fmt::format("{}:{}:{}", *file, line, column);
}

SpecError::SpecError(const Mark& mark, const std::string& message)
    : Error(fmt::format("{}: {}", mark.to_string(), message), ErrorKind::usage), mark_(mark) {}

void Value::fail(const std::string& message) const {
  throw SpecError(mark, message);
}

const std::string& Value::as_text(std::string_view what) const {
  if (kind != Kind::scalar) expected(*this, what, "text");
  return text;
}

bool Value::as_bool(std::string_view what) const {
  if (is_plain(*this) && (text == "true" || text == "false")) return text == "true";
  expected(*this, what, "true or false");
}

std::uint64_t Value::as_number(std::string_view what, std::uint64_t least, std::uint64_t most) const {
  std::uint64_t number = 0;
  const char* last = text.data() + text.size();
  const auto [end, problem] = std::from_chars(text.data(), last, number);
  const bool good =
      is_plain(*this) && problem == std::errc{} && end == last && number >= least && number <= most;
  if (quoted && !text.empty() && end == last)
    fail(fmt::format("'{}' must be a number, not the text \"{}\": leave the quotes out", what, text));
  if (!good && least == most) expected(*this, what, fmt::format("{}", least));
  if (!good) expected(*this, what, fmt::format("a whole number from {} to {}", least, most));
  return number;
}

IpAddress Value::as_address(std::string_view what) const {
  const auto address = kind == Kind::scalar ? IpAddress::parse(text) : std::nullopt;
  if (!address) expected(*this, what, "an IP address such as 192.168.16.53");
  return *address;
}

InterfaceAddress Value::as_interface_address(std::string_view what) const {
  const auto address = kind == Kind::scalar ? InterfaceAddress::parse(text) : std::nullopt;
  if (!address) expected(*this, what, "an address with its prefix length such as 192.168.16.10/24");
  return *address;
}

Prefix Value::as_prefix(std::string_view what) const {
  const auto prefix = kind == Kind::scalar ? Prefix::parse(text) : std::nullopt;
  if (prefix) return *prefix;
  const std::string hint = kind == Kind::scalar ? meant_network(text) : std::string();
  fail(fmt::format("'{}' must be a network such as 10.0.0.0/8, not {}{}", what, described(*this), hint));
}

std::size_t Value::as_word(std::string_view what, std::span<const std::string_view> words) const {
  if (kind == Kind::scalar) {
    const auto found = std::find(words.begin(), words.end(), text);
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
    fail(fmt::format("unknown '{}' {}{}", what, in_quotes(text), advice(text, words, "allowed")));
  }
  expected(*this, what, fmt::format("one of {}", fmt::join(words, ", ")));
}

const std::string& Value::as_name(std::string_view what, std::size_t longest) const {
  as_text(what);
  if (text.empty()) fail(fmt::format("'{}' must be a name, and is empty", what));
  if (text.find('/') != std::string::npos || text == "." || text == "..") {
    fail(fmt::format("'{}' must be a name, not a path: {}", what, in_quotes(text)));
  }
  if (text.size() > longest) {
    fail(fmt::format("'{}' must be at most {} characters long, and {} has {}", what, longest, in_quotes(text),
                     text.size()));
  }
  if (text.front() == '-') fail(fmt::format("'{}' must not begin with a dash: {}", what, in_quotes(text)));
  if (!std::all_of(text.begin(), text.end(), is_name_character)) {
    fail(fmt::format("'{}' must be made of letters, digits, '.', '_' and '-' only, not {}", what,
                     in_quotes(text)));
  }
  return text;
}

std::span<const Value> Value::as_list() const {
  if (kind == Kind::sequence) return items;
  return {this, 1};
}

const std::vector<Value::Entry>& Value::as_mapping(std::string_view what) const {
  if (kind != Kind::mapping)
    fail(fmt::format("{} must be a mapping of keys, not {}", what, described(*this)));
  return entries;
}

const Value* Value::find(std::string_view key) const {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& each) { return each.key == key; });
  return found == entries.end() ? nullptr : &found->value;
}

const Value& Value::require(std::string_view key, std::string_view what) const {
  if (const Value* value = find(key)) return *value;
  fail(fmt::format("{} needs the key '{}'", what, key));
}

void Value::allow_keys(std::string_view what, std::span<const std::string_view> keys) const {
  for (const Entry& entry : entries) {
    if (std::find(keys.begin(), keys.end(), entry.key) != keys.end()) continue;
    throw SpecError(entry.mark, fmt::format("unknown key {} in {}{}", in_quotes(entry.key), what,
                                            advice(entry.key, keys, "allowed")));
  }
}

}  // namespace plumbline::spec
