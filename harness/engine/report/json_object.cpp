#include "harness/engine/report/json_object.hpp"

#include "harness/base/error.hpp"

namespace plumbline::engine::reading {
namespace {

std::string path_of(const Place& place) {
  if (place.above == nullptr) return "";
  std::string text = path_of(*place.above);
  if (place.key.empty()) return text + fmt::format("[{}]", place.index);
  return text + (text.empty() ? "" : ".") + std::string(place.key);
}

/// What is there, short enough for a message.
std::string found(const json::value& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  constexpr std::size_t kLongest = 60;
  std::string text = json::serialize(value);
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "...";
  return text;
}

}  // namespace

void fail(const Place& place, const std::string& problem) {
  const std::string at = path_of(place);
  throw Error(fmt::format("{}{}{}", at, at.empty() ? "" : ": ", problem), ErrorKind::usage);
}

void unexpected(const Place& place, std::string_view expected, const json::value& value) {
  fail(place, fmt::format("expected {}, found {}", expected, found(value)));
}

const json::array& array_at(const Place& place, const json::value& value) {
  if (const json::array* array = value.if_array()) return *array;
  unexpected(place, "an array", value);
}

std::string text_at(const Place& place, const json::value& value) {
  const json::string* string = value.if_string();
  if (string == nullptr) unexpected(place, "a text", value);
  return {string->data(), string->size()};
}

std::size_t count_at(const Place& place, const json::value& value) {
  return integer_at<std::size_t>(place, value, "a number of things");
}

bool boolean_at(const Place& place, const json::value& value) {
  if (!value.is_bool()) unexpected(place, "true or false", value);
  return value.get_bool();
}

std::string word_at(const Place& place, const json::value& value, std::span<const std::string_view> words) {
  const json::string* string = value.if_string();
  const auto is_it = [&](std::string_view word) { return string != nullptr && *string == word; };
  const auto word = std::ranges::find_if(words, is_it);
  if (word == words.end()) unexpected(place, fmt::format("one of {}", fmt::join(words, ", ")), value);
  return std::string(*word);
}

Verdict verdict_at(const Place& place, const json::value& value) {
  return word_at<Verdict>(place, value, kVerdicts);
}

ErrorKind kind_at(const Place& place, const json::value& value) {
  static constexpr std::array kWords{ErrorKind::usage, ErrorKind::setup, ErrorKind::environment,
                                     ErrorKind::internal};
  return word_at<ErrorKind>(place, value, kWords);
}

}  // namespace plumbline::engine::reading
