#include "harness/network/cni/result.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>

#include "harness/base/error.hpp"
#include "harness/base/text.hpp"

namespace plumbline::network::cni {
namespace {

namespace json = boost::json;

std::string text_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

/// The list under `key`; empty where there is none.
const json::array& list_at(const json::object& object, std::string_view key) {
  static const json::array none;
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_array() ? value->get_array() : none;
}

std::optional<json::object> parse_object(std::string_view text) {
  json::error_code problem;
  json::value value = json::parse({text.data(), text.size()}, problem);
  if (problem || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

constexpr std::size_t kLongestQuote = 200;  // bytes of what a plugin said

[[noreturn]] void refuse(const std::string& what, std::string_view text) {
  const std::string said = printable(text.substr(0, kLongestQuote));
  throw Error(
      fmt::format("{}: {}{}", what, said.empty() ? "nothing" : said, text.size() > kLongestQuote ? "…" : ""),
      ErrorKind::setup);
}

Result::Link read_link(const json::value& value, std::string_view text) {
  if (!value.is_object()) refuse("it gives an interface that is no object", text);
  return {text_at(value.get_object(), "name"), text_at(value.get_object(), "sandbox")};
}

InterfaceAddress read_address(const json::value& value, std::string_view text) {
  const std::string address = value.is_object() ? text_at(value.get_object(), "address") : std::string();
  const auto parsed = InterfaceAddress::parse(address);
  if (!parsed) refuse(fmt::format("it gives the address {}, which is none", printable(address)), text);
  return *parsed;
}

}  // namespace

Result parse_result(std::string_view text) {
  auto object = parse_object(text);
  if (!object) refuse("it gives no result in JSON, but", text);
  Result result;
  for (const json::value& each : list_at(*object, "interfaces")) {
    result.interfaces.push_back(read_link(each, text));
  }
  for (const json::value& each : list_at(*object, "ips"))
    result.addresses.push_back(read_address(each, text));
  if (const json::value* dns = object->if_contains("dns"); dns != nullptr && dns->is_object()) {
    for (const json::value& each : list_at(dns->get_object(), "nameservers")) {
      const auto server = each.is_string() ? IpAddress::parse(std::string(each.get_string())) : std::nullopt;
      if (server) result.resolvers.push_back(*server);
    }
  }
  result.json = *std::move(object);
  return result;
}

std::string PluginError::to_string() const {
  std::string text = fmt::format("code {}: {}", code, printable(message));
  if (!details.empty()) text += fmt::format(" ({})", printable(details));
  return text;
}

std::optional<PluginError> parse_error(std::string_view text) {
  const auto object = parse_object(text);
  if (!object) return std::nullopt;
  const json::value* code = object->if_contains("code");
  PluginError error{0, text_at(*object, "msg"), text_at(*object, "details")};
  if (code == nullptr || error.message.empty()) return std::nullopt;
  if (code->is_uint64()) error.code = code->get_uint64();
  if (code->is_int64() && code->get_int64() > 0) error.code = static_cast<std::uint64_t>(code->get_int64());
  return error;
}

std::vector<std::string> parse_versions(std::string_view text) {
  const auto object = parse_object(text);
  if (!object) refuse("it answers VERSION with no JSON, but", text);
  std::vector<std::string> versions;
  for (const json::value& each : list_at(*object, "supportedVersions")) {
    if (each.is_string()) versions.emplace_back(each.get_string());
  }
  if (versions.empty()) refuse("it answers VERSION without supportedVersions", text);
  return versions;
}

}  // namespace plumbline::network::cni
