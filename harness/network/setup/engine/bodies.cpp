#include "harness/network/setup/engine/bodies.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "harness/network/engine_api/engine_api.hpp"

namespace plumbline::network {
namespace {

namespace json = boost::json;

bool has_ipv6(const std::vector<Prefix>& subnets) {
  return std::ranges::any_of(subnets, [](const Prefix& each) { return !each.address().is_v4(); });
}

json::object endpoint_of(const EngineSetup::Attachment& attachment) {
  json::object config;
  for (const IpAddress& address : attachment.addresses) {
    config[address.is_v4() ? "IPv4Address" : "IPv6Address"] = address.to_string();
  }
  json::object endpoint;
  // The default network gives addresses as they come, and refuses to be told.
  if (!attachment.network.empty() && !config.empty()) endpoint["IPAMConfig"] = std::move(config);
  return endpoint;
}

/// As the engine names it to itself in HostConfig.
std::string mode_of(const EngineSetup::Attachment& attachment) {
  return attachment.network.empty() ? "default" : attachment.network;
}

}  // namespace

std::string image_target() {
  return fmt::format("/images/create?fromSrc=-&repo={}&tag=latest", url_encoded(kImage));
}

std::string network_target() {
  return "/networks/create";
}

std::string container_target(const std::string& name) {
  return "/containers/create?name=" + url_encoded(name);
}

std::string join_target(const std::string& network) {
  return fmt::format("/networks/{}/connect", url_encoded(network));
}

std::string start_target(const std::string& container) {
  return fmt::format("/containers/{}/start", url_encoded(container));
}

std::string inspect_target(const std::string& container) {
  return fmt::format("/containers/{}/json", url_encoded(container));
}

json::object network_body(const EngineSetup::Network& network) {
  json::object body{{"Name", network.name},
                    {"Driver", "bridge"},
                    {"CheckDuplicate", true},
                    {"Internal", network.internal},
                    {"EnableIPv6", has_ipv6(network.subnets)}};
  if (!network.subnets.empty()) {
    json::array subnets;
    for (const Prefix& each : network.subnets) subnets.push_back(json::object{{"Subnet", each.to_string()}});
    body["IPAM"] = json::object{{"Driver", "default"}, {"Config", std::move(subnets)}};
  }
  json::object options;
  for (const auto& [name, value] : network.options) options[name] = value;
  if (!options.empty()) body["Options"] = std::move(options);
  return body;
}

json::object container_body(const EngineSetup::Container& container, EngineSetup::Engine engine) {
  json::object exposed;
  json::object bindings;
  for (const EngineSetup::Publish& each : container.publish) {
    const std::string port = fmt::format("{}/{}", each.port, each.udp ? "udp" : "tcp");
    exposed[port] = json::object();
    json::value& places = bindings[port];
    if (places.is_null()) places = json::array();
    places.as_array().push_back(json::object{{"HostIp", each.address ? each.address->to_string() : ""},
                                             {"HostPort", std::to_string(each.host_port)}});
  }
  const EngineSetup::Attachment& first = container.attachments.front();
  json::object host_config{{"NetworkMode", mode_of(first)}, {"PortBindings", std::move(bindings)}};
  // Before version 1.41 of the API there was no other; a namespace of cgroups is of no use without any.
  if (engine == EngineSetup::Engine::docker) host_config["CgroupnsMode"] = "host";
  json::object body{{"Image", kImage},
                    {"Hostname", container.name},
                    // It does nothing for ever, and needs no sleep that counts.
                    {"Cmd", json::array{"/bin/busybox", "tail", "-f", "/dev/null"}},
                    {"ExposedPorts", std::move(exposed)},
                    {"HostConfig", std::move(host_config)}};
  if (!first.network.empty()) {
    json::object endpoints;
    endpoints[first.network] = endpoint_of(first);
    body["NetworkingConfig"] = json::object{{"EndpointsConfig", std::move(endpoints)}};
  }
  return body;
}

json::object join_body(const std::string& name, const EngineSetup::Attachment& attachment) {
  return {{"Container", name}, {"EndpointConfig", endpoint_of(attachment)}};
}

}  // namespace plumbline::network
