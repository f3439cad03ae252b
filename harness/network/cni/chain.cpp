#include "harness/network/cni/chain.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <set>
#include <sstream>

#include "harness/base/error.hpp"

namespace plumbline::network::cni {
namespace {

namespace json = boost::json;

const std::string kAdd = "ADD";
const std::string kCheck = "CHECK";
const std::string kDel = "DEL";
const std::string kVersion = "VERSION";

/// What is thrown, told of the plugin that said it.
Error of_plugin(const Error& error, const std::string& type) {
  return error.within("CNI plugin " + type);
}

/// Whether that standard plugin makes its rules by iptables.
bool needs_iptables(const json::object& plugin) {
  const std::string type = type_of(plugin);
  if (type == "portmap") return true;
  if (type == "firewall") {
    const json::value* backend = plugin.if_contains("backend");
    return backend == nullptr || *backend != "firewalld";
  }
  const json::value* masquerade = plugin.if_contains("ipMasq");
  return (type == "bridge" || type == "ptp") && masquerade != nullptr && *masquerade == true;
}

/// Whether a folder of the plugins' PATH has it.
bool is_program(const Site& site, const std::string& name) {
  const auto path = site.environment.find("PATH");
  if (path == site.environment.end()) return true;  // then ours: not known here
  std::istringstream folders(path->second);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access(fmt::format("{}/{}", folder, name).c_str(), X_OK) == 0) return true;
  }
  return false;
}

}  // namespace

std::optional<std::string> missing_plugin(const Configuration& network, const Site& site) {
  for (const json::object& plugin : network.plugins) {
    for (const std::string& type : {type_of(plugin), ipam_of(plugin)}) {
      if (type.empty() || !find_plugin(site.path, type).empty()) continue;
      const std::string what = fmt::format("the CNI plugin {} is not in {}", type, fmt::join(site.path, ":"));
      const std::string package = package_of(type);
      if (!package.empty()) return fmt::format("{}: install the package {}", what, package);
      throw Error(what, ErrorKind::setup).with_remedy("install it, or name its folder with 'path:'");
    }
    if (needs_iptables(plugin) && !is_program(site, "iptables")) {
      return fmt::format("the CNI plugin {} needs iptables: install the package iptables", type_of(plugin));
    }
  }
  return std::nullopt;
}

boost::asio::awaitable<void> require_versions(const Configuration& network, const Site& site) {
  std::set<std::string> asked;
  const Attachment nobody;
  for (const json::object& plugin : network.plugins) {
    const std::string type = type_of(plugin);
    if (!asked.insert(type).second) continue;
    json::object question;
    question["cniVersion"] = network.version;
    const std::string answer = co_await call(site, type, kVersion, question, nobody);
    std::vector<std::string> versions;
    try {
      versions = parse_versions(answer);
    } catch (const Error& error) {
      throw of_plugin(error, type);
    }
    if (std::ranges::find(versions, network.version) != versions.end()) continue;
    throw Error(fmt::format("CNI plugin {} does not speak version {} of the network {}; it speaks {}", type,
                            network.version, network.name, fmt::join(versions, ", ")),
                ErrorKind::setup)
        .with_remedy("write the configuration in a version that all its plugins speak");
  }
}

boost::asio::awaitable<Result> add(const Configuration& network, const Site& site,
                                   const Attachment& attachment, const json::object& known) {
  Result result;
  std::exception_ptr problem;
  try {
    for (std::size_t i = 0; i < network.plugins.size(); ++i) {
      const std::string type = type_of(network.plugins[i]);
      const json::object input = execution_configuration(network, i, i == 0 ? nullptr : &result.json, known);
      const std::string answer = co_await call(site, type, kAdd, input, attachment);
      try {
        result = parse_result(answer);
      } catch (const Error& error) {
        throw error.within(fmt::format("CNI plugin {}, ADD of {}", type, attachment.container));
      }
    }
    co_return result;
  } catch (const Error&) {
    problem = std::current_exception();
  }
  try {
    co_await del(network, site, attachment, known, result.json.empty() ? nullptr : &result.json);
  } catch (const Error& error) {
    // Of the two the first is what is wrong.
    spdlog::debug("after the failed ADD: {}", error.what());
  }
  std::rethrow_exception(problem);
}

boost::asio::awaitable<void> check(const Configuration& network, const Site& site,
                                   const Attachment& attachment, const json::object& known,
                                   const json::object& result) {
  if (!has_check(network) || network.disable_check) {
    spdlog::debug("network {}: no CHECK: {}", network.name,
                  network.disable_check ? "its configuration says disableCheck" : "its version has none");
    co_return;
  }
  for (std::size_t i = 0; i < network.plugins.size(); ++i) {
    const std::string type = type_of(network.plugins[i]);
    const json::object input = execution_configuration(network, i, &result, known);
    co_await call(site, type, kCheck, input, attachment);
  }
}

boost::asio::awaitable<void> del(const Configuration& network, const Site& site, const Attachment& attachment,
                                 const json::object& known, const json::object* result) {
  std::string failures;
  for (std::size_t i = network.plugins.size(); i-- > 0;) {
    const std::string type = type_of(network.plugins[i]);
    const json::object input =
        execution_configuration(network, i, has_check(network) ? result : nullptr, known);
    try {
      co_await call(site, type, kDel, input, attachment);
    } catch (const Error& error) {
      failures += (failures.empty() ? "" : "; ") + std::string(error.what());
    }
  }
  if (!failures.empty()) throw Error(failures, ErrorKind::setup);
}

}  // namespace plumbline::network::cni
