#include "harness/network/cni/configuration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <cctype>

#include "harness/base/error.hpp"
#include "harness/base/text.hpp"
#include "harness/network/cni/duplicate_key.hpp"

namespace plumbline::network::cni {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 4> kVersions{"0.3.0", "0.3.1", "0.4.0", "1.0.0"};

[[noreturn]] void refuse(const std::string& message) {
  throw Error(message, ErrorKind::usage);
}

std::string text_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

/// Section 1 of the specification; it becomes part of names of files and chains.
bool is_name(std::string_view text) {
  return !text.empty() && std::isalnum(static_cast<unsigned char>(text.front())) != 0 &&
         std::ranges::all_of(text, [](unsigned char c) {
           return c < 0x80 && (std::isalnum(c) != 0 || c == '_' || c == '.' || c == '-');
         });
}

json::object parse_object(std::string_view text) {
  if (const auto twice = key_said_twice(text)) {
    refuse(fmt::format("it says '{}' twice in one object, of which only the last would count",
                       printable(*twice)));
  }
  json::error_code problem;
  json::value value = json::parse({text.data(), text.size()}, problem);
  if (problem) refuse(fmt::format("it is no JSON ({})", problem.message()));
  if (!value.is_object()) refuse("it is no JSON object");
  return std::move(value.get_object());
}

void require_type(const json::object& plugin, std::size_t number) {
  const std::string type = text_at(plugin, "type");
  if (type.empty()) refuse(fmt::format("its plugin {} has no 'type', the name of its program", number));
  if (type.find('/') != std::string::npos) {
    refuse(fmt::format("its plugin {} has the type {}, which names no program in CNI_PATH", number,
                       printable(type)));
  }
}

/// A boolean, or, as older lists have it, its text.
bool is_true(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && ((value->is_bool() && value->get_bool()) || text_at(object, key) == "true");
}

}  // namespace

Configuration parse_configuration(std::string_view text) {
  json::object document = parse_object(text);
  Configuration network;
  network.text = text;
  network.name = text_at(document, "name");
  if (!is_name(network.name)) {
    refuse("it has no 'name' of letters, digits, '_', '.' and '-', beginning with a letter or digit");
  }
  network.version = text_at(document, "cniVersion");
  if (std::ranges::find(kVersions, network.version) == kVersions.end()) {
    refuse(fmt::format("its cniVersion is {}; known are {}",
                       network.version.empty() ? "not stated" : printable(network.version),
                       fmt::join(kVersions, ", ")));
  }
  network.disable_check = is_true(document, "disableCheck");
  if (const json::value* plugins = document.if_contains("plugins")) {
    if (!plugins->is_array() || plugins->get_array().empty())
      refuse("its 'plugins' are no list of at least one");
    for (const json::value& each : plugins->get_array()) {
      if (!each.is_object()) refuse("one of its 'plugins' is no JSON object");
      network.plugins.push_back(each.get_object());
    }
  } else {
    network.plugins.push_back(std::move(document));
  }
  for (std::size_t i = 0; i < network.plugins.size(); ++i) require_type(network.plugins[i], i + 1);
  return network;
}

std::string type_of(const json::object& plugin) {
  return text_at(plugin, "type");
}

std::string ipam_of(const json::object& plugin) {
  const json::value* ipam = plugin.if_contains("ipam");
  return ipam != nullptr && ipam->is_object() ? text_at(ipam->get_object(), "type") : std::string();
}

bool takes(const Configuration& network, std::string_view capability) {
  return std::ranges::any_of(network.plugins, [&](const json::object& plugin) {
    const json::value* all = plugin.if_contains("capabilities");
    return all != nullptr && all->is_object() && is_true(all->get_object(), capability);
  });
}

bool has_check(const Configuration& network) {
  return !network.version.starts_with("0.3.");
}

json::object execution_configuration(const Configuration& network, std::size_t index,
                                     const json::object* previous, const json::object& known) {
  json::object configuration = network.plugins.at(index);
  json::object runtime;
  const json::value* capabilities = configuration.if_contains("capabilities");
  if (capabilities != nullptr && capabilities->is_object()) {
    for (const auto& [name, value] : known) {
      if (is_true(capabilities->get_object(), name)) runtime[name] = value;
    }
  }
  configuration.erase("capabilities");
  configuration["name"] = network.name;
  configuration["cniVersion"] = network.version;
  if (!runtime.empty()) configuration["runtimeConfig"] = std::move(runtime);
  if (previous != nullptr) configuration["prevResult"] = *previous;
  return configuration;
}

}  // namespace plumbline::network::cni
