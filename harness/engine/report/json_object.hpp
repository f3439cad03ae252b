#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/engine/check/result.hpp"
#include "harness/engine/report/json_value.hpp"

/// What reads JSON that must be of one form, and says where it is not.
namespace plumbline::engine::reading {

namespace json = boost::json;

/// Where a value stands. Told only when something is wrong with it, so it is put together only then.
struct Place {
  const Place* above = nullptr;
  std::string_view key;   ///< of an object; empty: an item of an array, or the whole document
  std::size_t index = 0;  ///< in an array
};

inline constexpr std::array kVerdicts{Verdict::pass, Verdict::fail, Verdict::inconclusive, Verdict::skip,
                                      Verdict::error};

/// Throws Error of kind usage, with the place.
[[noreturn]] void fail(const Place& place, const std::string& problem);
[[noreturn]] void unexpected(const Place& place, std::string_view expected, const json::value& value);

const json::array& array_at(const Place& place, const json::value& value);
std::string text_at(const Place& place, const json::value& value);
std::size_t count_at(const Place& place, const json::value& value);
bool boolean_at(const Place& place, const json::value& value);
/// One of `words`.
std::string word_at(const Place& place, const json::value& value, std::span<const std::string_view> words);
Verdict verdict_at(const Place& place, const json::value& value);
ErrorKind kind_at(const Place& place, const json::value& value);

template <class Number>
Number integer_at(const Place& place, const json::value& value, std::string_view expected) {
  boost::system::error_code problem;
  if (!value.is_int64() && !value.is_uint64()) unexpected(place, expected, value);
  const auto number = value.to_number<Number>(problem);
  if (problem) unexpected(place, expected, value);
  return number;
}

/// One of `words`, which are the texts of an enumeration's values.
template <class Word>
Word word_at(const Place& place, const json::value& value, std::span<const Word> words) {
  const json::string* string = value.if_string();
  std::string expected;
  for (const Word word : words) {
    const std::string_view text = to_text(word);
    if (string != nullptr && *string == text) return word;
    expected += fmt::format("{}{}", expected.empty() ? "" : ", ", text);
  }
  unexpected(place, "one of " + expected, value);
}

/// An object whose every key must be asked for.
class Object {
 public:
  Object(const Place& place, const json::value& value) : place_(place), object_(value.if_object()) {
    if (object_ == nullptr) unexpected(place, "an object", value);
  }

  std::string text(std::string_view key) { return text_at(at(key), require(key)); }
  std::string optional_text(std::string_view key) {
    const json::value* value = find(key);
    return value == nullptr ? "" : text_at(at(key), *value);
  }
  std::string nullable_text(std::string_view key) {
    const json::value& value = require(key);
    return value.is_null() ? "" : text_at(at(key), value);
  }
  std::string word(std::string_view key, std::span<const std::string_view> words) {
    return word_at(at(key), require(key), words);
  }
  /// Empty where it is absent.
  std::string optional_word(std::string_view key, std::span<const std::string_view> words) {
    const json::value* value = find(key);
    return value == nullptr ? "" : word_at(at(key), *value, words);
  }
  /// Empty where it is null.
  std::string nullable_word(std::string_view key, std::span<const std::string_view> words) {
    const json::value& value = require(key);
    return value.is_null() ? "" : word_at(at(key), value, words);
  }
  bool boolean(std::string_view key) { return boolean_at(at(key), require(key)); }
  double milliseconds(std::string_view key) {
    const json::value& value = require(key);
    if (!value.is_number()) unexpected(at(key), "milliseconds", value);
    const auto number = value.to_number<double>();
    constexpr double kMost = 1e15;  // thirty thousand years: the sum of many is a number, too
    if (!(number >= 0 && number <= kMost)) unexpected(at(key), "milliseconds", value);
    return number;
  }
  std::size_t count(std::string_view key) { return count_at(at(key), require(key)); }
  Verdict verdict(std::string_view key) { return verdict_at(at(key), require(key)); }

  /// `read` turns a place and a value into an item.
  template <class Read>
  auto array(std::string_view key, Read read) {
    const Place here = at(key);
    const json::array& values = array_at(here, require(key));
    std::vector<decltype(read(here, values[0]))> items;
    items.reserve(values.size());
    for (const json::value& value : values) items.push_back(read(Place{&here, {}, items.size()}, value));
    return items;
  }
  /// Absent where the key is missing.
  template <class Read>
  auto optional(std::string_view key, Read read) {
    using Item = decltype(read(place_, std::declval<const json::value&>()));
    const json::value* value = find(key);
    return value == nullptr ? std::optional<Item>{} : std::optional<Item>{read(at(key), *value)};
  }
  /// Absent where it is null.
  template <class Read>
  auto nullable(std::string_view key, Read read) {
    using Item = decltype(read(place_, std::declval<const json::value&>()));
    const json::value& value = require(key);
    return value.is_null() ? std::optional<Item>{} : std::optional<Item>{read(at(key), value)};
  }

  Place at(std::string_view key) const { return {&place_, key}; }
  const json::value& require(std::string_view key) {
    if (const json::value* value = find(key)) return *value;
    fail(place_, fmt::format("'{}' is missing", key));
  }
  const json::value* find(std::string_view key) {
    const json::value* value = object_->if_contains(key);
    if (value != nullptr && std::ranges::find(known_, key) == known_.end()) known_.push_back(key);
    return value;
  }
  /// To be called once all have been asked for.
  void end() const {
    if (known_.size() == object_->size()) return;
    for (const auto& member : *object_) {
      if (std::find(known_.begin(), known_.end(), std::string_view(member.key())) == known_.end())
        fail(place_, fmt::format("'{}' is not known in schema 1", std::string_view(member.key())));
    }
  }

 private:
  const Place& place_;
  const json::object* object_;
  std::vector<std::string_view> known_;
};

}  // namespace plumbline::engine::reading
