#include "harness/engine/change/place.hpp"

#include <fmt/format.h>

#include "harness/base/error.hpp"
#include "harness/engine/check/promise.hpp"
#include "harness/kernel/netlink/link.hpp"
#include "harness/kernel/netlink/socket.hpp"

namespace plumbline::engine::change {

namespace netlink = kernel::netlink;

namespace {
constexpr std::size_t kLongestInterface = 15;  // the kernel's IFNAMSIZ with its NUL is 16
}

std::string read_in(const spec::Value& arguments, const network::Topology& intended) {
  const network::Node* host = intended.host();
  return read_node(arguments, "in", intended, host == nullptr ? std::string() : host->name);
}

Place read_place(const spec::Value& arguments, const network::Topology& intended) {
  return {read_in(arguments, intended),
          arguments.require("dev", "a change").as_name("dev", kLongestInterface)};
}

unsigned index_of(const network::LiveNetwork& network, const Place& place) {
  netlink::Socket socket = netlink::Socket::open(network.netns(place.node));
  for (const netlink::Link& link :
       socket.dump(netlink::get_links(), "listing the links", netlink::decode_link)) {
    if (link.name == place.dev) return link.index;
  }
  throw Error(fmt::format("node {} has no interface {}", place.node, place.dev), ErrorKind::setup);
}

void request(const network::LiveNetwork& network, const std::string& node, const netlink::Message& message,
             const std::string& about) {
  netlink::Socket socket = netlink::Socket::open(network.netns(node));
  netlink::Batch batch("node " + node);
  batch.add(message, [&about] { return about; });
  socket.execute(batch);
}

network::Interface& foreseen(network::Topology& intended, const Place& place) {
  network::Node* node = intended.find(place.node);
  if (network::Interface* known = node->find_interface(place.dev)) return *known;
  network::Interface made;
  made.name = place.dev;
  return node->interfaces.emplace_back(std::move(made));
}

std::string RouteArguments::text() const {
  std::string text = fmt::format("{} {}", node, to.to_string());
  if (via) text += " via " + via->to_string();
  if (!dev.empty()) text += " dev " + dev;
  if (table != network::kMainTable) text += fmt::format(" table {}", table);
  return text;
}

RouteArguments read_route(const spec::Value& arguments, const network::Topology& intended) {
  RouteArguments route;
  route.node = read_in(arguments, intended);
  if (const spec::Value* via = arguments.find("via")) route.via = via->as_address("via");
  const spec::Value& to = arguments.require("to", "a route");
  if (to.as_text("to") == "default") {
    const bool v6 = route.via && !route.via->is_v4();
    route.to = Prefix(v6 ? IpAddress::v6({}) : IpAddress::v4({}), 0);
  } else {
    route.to = to.as_prefix("to");
  }
  if (const spec::Value* dev = arguments.find("dev")) route.dev = dev->as_name("dev", kLongestInterface);
  if (const spec::Value* table = arguments.find("table")) {
    route.table = static_cast<std::uint32_t>(table->as_number("table", 1, 0xFFFFFFFFU));
  }
  return route;
}

netlink::Route resolve(const network::LiveNetwork& network, const RouteArguments& route) {
  netlink::Route resolved;
  resolved.to = route.to;
  resolved.via = route.via;
  if (!route.dev.empty()) resolved.dev = index_of(network, {route.node, route.dev});
  resolved.table = route.table;
  return resolved;
}

}  // namespace plumbline::engine::change
