#include "harness/network/engine_api/answer.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/stream_parser.hpp>
#include <cctype>
#include <optional>

#include "harness/base/text.hpp"
#include "harness/network/engine_api/engine_api.hpp"

namespace plumbline::network {
namespace detail {
namespace {

namespace json = boost::json;

/// The JSON values that follow one another in `body`; absent: it is something else.
std::optional<json::array> values_of(std::string_view body) {
  json::array values;
  while (true) {
    while (!body.empty() && std::isspace(static_cast<unsigned char>(body.front())) != 0)
      body.remove_prefix(1);
    if (body.empty()) return values;
    json::stream_parser parser;
    json::error_code problem;
    body.remove_prefix(parser.write_some(body.data(), body.size(), problem));
    if (!problem && !parser.done()) parser.finish(problem);
    if (problem) return std::nullopt;
    values.push_back(parser.release());
  }
}

/// The text at `key`; absent where there is none.
std::optional<std::string> text_at(const json::value& value, std::string_view key) {
  const json::object* object = value.if_object();
  const json::value* found = object == nullptr ? nullptr : object->if_contains(key);
  const json::string* text = found == nullptr ? nullptr : found->if_string();
  if (text == nullptr) return std::nullopt;
  return std::string(text->data(), text->size());
}

/// In the engine's own words, where it has any.
std::string message_of(const std::optional<json::array>& values, std::string_view body) {
  if (values && !values->empty()) {
    if (const auto message = text_at(values->front(), "message")) return printable(*message);
  }
  return body.empty() ? "it does not say why" : printable(body.substr(0, 1000));
}

}  // namespace

json::value read_answer(unsigned status, std::string_view body, const std::string& label) {
  std::optional<json::array> values = values_of(body);
  if (status >= 400) {
    throw EngineRefusal(fmt::format("{}: {} (status {})", label, message_of(values, body), status), status);
  }
  if (!values) return json::string(body);
  for (const json::value& each : *values) {
    // Of progress: the status was sent before anything went wrong.
    const auto error = text_at(each, "error");
    if (error && values->front().is_object() && each.as_object().contains("errorDetail")) {
      throw EngineRefusal(fmt::format("{}: {}", label, printable(*error)), status);
    }
  }
  if (values->empty()) return nullptr;
  if (values->size() == 1) return std::move(values->front());
  return std::move(*values);
}

}  // namespace detail

std::string url_encoded(const std::string& text) {
  std::string encoded;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    const bool plain = byte < 0x80 && (std::isalnum(byte) != 0 || letter == '-' || letter == '.' ||
                                       letter == '_' || letter == '~');
    encoded += plain ? std::string(1, letter) : fmt::format("%{:02X}", byte);
  }
  return encoded;
}

}  // namespace plumbline::network
