#include "harness/network/discovery/json_read.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace plumbline::network::detail {

namespace json = boost::json;

const json::value* at(const json::value& value, JsonPath path) {
  const json::value* found = &value;
  for (const std::string_view key : path) {
    const json::object* object = found->if_object();
    found = object == nullptr ? nullptr : object->if_contains(key);
    if (found == nullptr) return nullptr;
  }
  return found;
}

std::string text_at(const json::value& value, JsonPath path) {
  const json::value* found = at(value, path);
  const json::string* text = found == nullptr ? nullptr : found->if_string();
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

std::int64_t number_at(const json::value& value, JsonPath path) {
  const json::value* found = at(value, path);
  const std::int64_t* number = found == nullptr ? nullptr : found->if_int64();
  return number == nullptr ? 0 : *number;
}

bool truth_at(const json::value& value, JsonPath path, bool otherwise) {
  const json::value* found = at(value, path);
  if (found == nullptr) return otherwise;
  if (const bool* truth = found->if_bool()) return *truth;
  const std::string text = text_at(*found, {});
  if (text == "true" || text == "1") return true;
  return text == "false" || text == "0" ? false : otherwise;
}

const json::object& object_at(const json::value& value, JsonPath path) {
  static const json::object kNone;
  const json::value* found = at(value, path);
  const json::object* object = found == nullptr ? nullptr : found->if_object();
  return object == nullptr ? kNone : *object;
}

const json::array& array_at(const json::value& value, JsonPath path) {
  static const json::array kNone;
  const json::value* found = at(value, path);
  const json::array* array = found == nullptr ? nullptr : found->if_array();
  return array == nullptr ? kNone : *array;
}

}  // namespace plumbline::network::detail
