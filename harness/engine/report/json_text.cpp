#include "harness/engine/report/json_text.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>

#include "harness/engine/report/text.hpp"

namespace plumbline::engine {
namespace {

// Bytes of what stays on one line. Of objects more: a step of a journey holds its frame in hexadecimal.
constexpr std::size_t kShortArray = 200;
constexpr std::size_t kShortObject = 1000;

bool plain(const boost::json::value& value) {
  return !value.is_object() && !value.is_array();
}

class Printer {
 public:
  void print(const boost::json::value& value) {
    if (const auto* object = value.if_object()) {
      print_object(*object);
    } else if (const auto* array = value.if_array()) {
      print_array(*array);
    } else {
      text_ += scalar(value);
    }
  }
  std::string take() { return std::move(text_); }

 private:
  static std::string quoted(std::string_view text) {
    return boost::json::serialize(boost::json::string_view(text.data(), text.size()));
  }

  static std::string scalar(const boost::json::value& value) {
    const double* number = value.if_double();
    if (number == nullptr) return boost::json::serialize(value);
    return std::isfinite(*number) ? fmt::format("{}", *number) : "null";  // JSON has no infinity
  }

  void print_object(const boost::json::object& object) {
    std::string line;
    for (const auto& [key, value] : object) {
      if (!plain(value) || line.size() > kShortObject) return print_long(object);
      line += (line.empty() ? "" : ", ") + quoted(key) + ": " + scalar(value);
    }
    if (line.size() > kShortObject) return print_long(object);
    text_ += "{" + line + "}";
  }

  void print_array(const boost::json::array& array) {
    std::string line;
    for (const auto& value : array) {
      if (!plain(value) || line.size() > kShortArray) return print_long(array);
      line += (line.empty() ? "" : ", ") + scalar(value);
    }
    if (line.size() > kShortArray) return print_long(array);
    text_ += "[" + line + "]";
  }

  void print_long(const boost::json::object& object) {
    text_ += '{';
    depth_ += 1;
    std::string_view comma;
    for (const auto& [key, value] : object) {
      start_line(comma);
      text_ += quoted(key) + ": ";
      print(value);
      comma = ",";
    }
    depth_ -= 1;
    start_line({});
    text_ += '}';
  }

  void print_long(const boost::json::array& array) {
    text_ += '[';
    depth_ += 1;
    std::string_view comma;
    for (const auto& value : array) {
      start_line(comma);
      print(value);
      comma = ",";
    }
    depth_ -= 1;
    start_line({});
    text_ += ']';
  }

  void start_line(std::string_view comma) {
    text_ += comma;
    text_ += '\n';
    text_.append(depth_ * 2, ' ');
  }

  std::string text_;
  std::size_t depth_ = 0;
};

}  // namespace

std::string pretty(const boost::json::value& value) {
  Printer printer;
  printer.print(value);
  return printer.take() + "\n";
}

boost::json::value json_text(std::string_view text) {
  return boost::json::value(valid_utf8(text));
}

}  // namespace plumbline::engine
