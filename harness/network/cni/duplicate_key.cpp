#include "harness/network/cni/duplicate_key.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <cstdint>
#include <set>
#include <vector>

namespace plumbline::network::cni {
namespace {

namespace json = boost::json;

/// Hears of every key; Boost calls it by these names, and goes on as long as they say true.
class Keys {
 public:
  static constexpr std::size_t max_object_size = SIZE_MAX;
  static constexpr std::size_t max_array_size = SIZE_MAX;
  static constexpr std::size_t max_key_size = SIZE_MAX;
  static constexpr std::size_t max_string_size = SIZE_MAX;

  const std::optional<std::string>& twice() const noexcept { return twice_; }

  bool on_object_begin(json::error_code&) {
    objects_.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t, json::error_code&) {
    objects_.pop_back();
    return true;
  }
  bool on_key_part(json::string_view text, std::size_t, json::error_code&) {
    key_.append(text.data(), text.size());
    return true;
  }
  bool on_key(json::string_view text, std::size_t, json::error_code&) {
    key_.append(text.data(), text.size());
    if (!objects_.back().insert(key_).second && !twice_) twice_ = key_;
    key_.clear();
    return true;
  }

  // NOLINTBEGIN(readability-convert-member-functions-to-static): what is heard of beside keys
  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(std::size_t, json::error_code&) { return true; }
  bool on_string_part(json::string_view, std::size_t, json::error_code&) { return true; }
  bool on_string(json::string_view, std::size_t, json::error_code&) { return true; }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t, json::string_view, json::error_code&) { return true; }
  bool on_uint64(std::uint64_t, json::string_view, json::error_code&) { return true; }
  bool on_double(double, json::string_view, json::error_code&) { return true; }
  bool on_bool(bool, json::error_code&) { return true; }
  bool on_null(json::error_code&) { return true; }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }
  // NOLINTEND(readability-convert-member-functions-to-static)

 private:
  std::vector<std::set<std::string>> objects_;  // that are open, the innermost last
  std::string key_;
  std::optional<std::string> twice_;
};

}  // namespace

std::optional<std::string> key_said_twice(std::string_view text) {
  json::basic_parser<Keys> parser{json::parse_options()};
  json::error_code ignored;
  parser.write_some(false, text.data(), text.size(), ignored);
  return parser.handler().twice();
}

}  // namespace plumbline::network::cni
