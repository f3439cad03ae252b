#include "harness/engine/report/place.hpp"

#include <algorithm>

namespace plumbline::engine {
namespace {

/// Takes ":41" off the end of `text`. Empty: no number is there.
std::string take_number(std::string_view& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) return {};
  const std::string_view digits = text.substr(colon + 1);
  if (!std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; })) return {};
  text = text.substr(0, colon);
  return std::string(digits);
}

}  // namespace

Place place_of(std::string_view where) {
  Place place;
  std::string last = take_number(where);
  place.line = take_number(where);
  if (place.line.empty()) {
    place.line = std::move(last);
  } else {
    place.column = std::move(last);
  }
  place.file = where;
  return place;
}

std::string place_in(std::string_view file, std::string_view message) {
  const std::string_view where = message.substr(0, message.find(": "));
  const Place place = place_of(where);
  const bool is_told = !place.column.empty() && place.file == file && where.size() < message.size();
  return std::string(is_told ? where : file);
}

}  // namespace plumbline::engine
