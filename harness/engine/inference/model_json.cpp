#include <boost/json.hpp>

#include "harness/engine/inference/spec_text.hpp"
#include "harness/engine/report/json_text.hpp"

namespace plumbline::engine {
namespace {

namespace json = boost::json;

template <class Items>
json::array texts(const Items& items) {
  json::array array;
  for (const auto& item : items) array.push_back(json_text(item));
  return array;
}

template <class Items>
json::array spelled(const Items& items) {
  json::array array;
  for (const auto& item : items) array.push_back(json_text(item.to_string()));
  return array;
}

template <class Value>
json::value optional_text(const std::optional<Value>& value) {
  return value ? json_text(value->to_string()) : json::value(nullptr);
}

json::value endpoint(const std::optional<network::Endpoint>& end) {
  return end ? json_text(end->node + ":" + end->interface) : json::value(nullptr);
}

json::array interfaces(const network::Node& node) {
  json::array array;
  for (const network::Interface& each : node.interfaces) {
    const bool loopback = each.kind == network::LinkKind::loopback;
    array.push_back(json::object{{"name", json_text(each.name)},
                                 {"index", each.index},
                                 {"kind", json_text(loopback ? "loopback" : each.kind_name)},
                                 {"mac", optional_text(each.mac)},
                                 {"mtu", each.mtu},
                                 {"up", each.up},
                                 {"running", each.running},
                                 {"master", json_text(each.master)},
                                 {"peer", endpoint(each.peer)},
                                 {"lower", endpoint(each.lower)},
                                 {"addresses", spelled(each.addresses)}});
  }
  return array;
}

const char* type_text(network::RouteType type) {
  switch (type) {
    case network::RouteType::unicast:
      return "unicast";
    case network::RouteType::local:
      return "local";
    case network::RouteType::blackhole:
      return "blackhole";
    case network::RouteType::unreachable:
      return "unreachable";
    case network::RouteType::prohibit:
      break;
  }
  return "prohibit";
}

json::array routes(const network::Node& node) {
  json::array array;
  for (const network::Route& each : node.routes) {
    array.push_back(json::object{{"to", json_text(each.to.to_string())},
                                 {"via", optional_text(each.via)},
                                 {"dev", json_text(each.dev)},
                                 {"table", each.table},
                                 {"type", type_text(each.type)},
                                 {"source", optional_text(each.source)},
                                 {"metric", each.metric},
                                 {"automatic", each.automatic}});
  }
  return array;
}

json::array rules(const network::Node& node) {
  json::array array;
  for (const network::RoutingRule& each : node.rules) {
    array.push_back(json::object{{"family", each.family == IpFamily::v4 ? "ipv4" : "ipv6"},
                                 {"priority", each.priority},
                                 {"from", optional_text(each.from)},
                                 {"to", optional_text(each.to)},
                                 {"iif", json_text(each.iif)},
                                 {"oif", json_text(each.oif)},
                                 {"mark", each.mark},
                                 {"table", each.table}});
  }
  return array;
}

json::object firewall(const network::FirewallText& text) {
  json::object legacy;
  for (const auto& [key, table] : text.legacy) {
    json::object& chains = legacy[key.first + " " + key.second].emplace_object();
    for (const auto& [name, chain] : table) {
      json::array lines;
      for (const auto& rule : chain.rules) lines.push_back(json_text(rule.text));
      chains[name] = json::object{{"policy", json_text(chain.policy)}, {"rules", std::move(lines)}};
    }
  }
  return {{"nft", json_text(text.nft)}, {"iptables_legacy", std::move(legacy)}};
}

json::array memberships(const network::FoundNode& node) {
  json::array array;
  for (const network::Membership& each : node.memberships) {
    array.push_back(json::object{{"owner", json_text(each.owner)},
                                 {"network", json_text(each.network)},
                                 {"addresses", spelled(each.addresses)}});
  }
  return array;
}

json::array ports(const network::FoundNode& node) {
  json::array array;
  for (const network::PublishedPort& each : node.ports) {
    array.push_back(json::object{{"protocol", each.tcp ? "tcp" : "udp"},
                                 {"address", optional_text(each.address)},
                                 {"port", each.port},
                                 {"inner", each.inner}});
  }
  return array;
}

json::object node_json(const network::HostView& view, const std::string& name) {
  json::object object{{"name", json_text(name)}, {"role", name == network::kHostNode ? "host" : "container"}};
  static const network::FoundNode kHost;
  const network::FoundNode* found = view.find(name);
  const network::FoundNode& from = found == nullptr ? kHost : *found;
  const bool self = from.locator.kind == network::Locator::Kind::self;
  object["locator"] = json::object{{"kind", network::to_text(from.locator.kind)},
                                   {"value", json_text(self ? "self" : from.locator.value)}};
  object["origins"] = texts(from.origins);
  object["pid"] = from.pid;
  object["image"] = json_text(from.image);
  object["hostnames"] = texts(from.hostnames);
  object["networks"] = memberships(from);
  object["published"] = ports(from);
  if (const network::Node* node = view.topology.find(name)) {
    object["resolvers"] = spelled(node->resolvers);
    object["interfaces"] = interfaces(*node);
    object["routes"] = routes(*node);
    object["rules"] = rules(*node);
    json::array neighbours;
    for (const network::Neighbour& each : node->neighbours) {
      neighbours.push_back(json::object{{"address", json_text(each.address.to_string())},
                                        {"mac", json_text(each.mac.to_string())},
                                        {"dev", json_text(each.dev)}});
    }
    object["neighbours"] = std::move(neighbours);
    json::object sysctls;
    for (const auto& [key, value] : node->sysctls) sysctls[key] = json_text(value);
    object["sysctls"] = std::move(sysctls);
  }
  const auto filter = view.firewalls.find(name);
  object["firewall"] =
      filter == view.firewalls.end() ? json::value(nullptr) : json::value(firewall(filter->second));
  return object;
}

json::array networks(const network::HostView& view) {
  json::array array;
  for (const network::NamedNetwork& each : view.networks) {
    array.push_back(json::object{{"owner", json_text(each.owner)},
                                 {"name", json_text(each.name)},
                                 {"driver", json_text(each.driver)},
                                 {"subnets", spelled(each.subnets)},
                                 {"internal", each.internal},
                                 {"icc", each.icc},
                                 {"names", each.names}});
  }
  return array;
}

}  // namespace

std::string model_json(const network::HostView& view, const std::vector<Promise>& promises) {
  json::array nodes{node_json(view, network::kHostNode)};
  for (const network::FoundNode& node : view.nodes) nodes.push_back(node_json(view, node.name));
  json::array notes;
  for (const network::HostNote& note : view.notes) {
    notes.push_back(json::object{{"text", json_text(note.text)}, {"remedy", json_text(note.remedy)}});
  }
  json::object sharing;
  for (const auto& [who, whose] : view.sharing) sharing[who] = json_text(whose);
  json::array promised;
  for (const Promise& each : promises) {
    promised.push_back(
        json::object{{"about", json_text(each.section)},
                     {"comment", json_text(each.comment)},
                     {"check", each.check.empty() ? json::value(nullptr) : json_text(each.check)}});
  }
  return pretty(json::object{{"version", 1},
                             {"blind", view.blind},
                             {"looked_at", texts(view.looked_at)},
                             {"notes", std::move(notes)},
                             {"sharing", std::move(sharing)},
                             {"networks", networks(view)},
                             {"nodes", std::move(nodes)},
                             {"promises", std::move(promised)}});
}

}  // namespace plumbline::engine
