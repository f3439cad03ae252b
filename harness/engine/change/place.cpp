#include "harness/engine/change/place.hpp"

#include <fmt/format.h>

#include "harness/base/error.hpp"
#include "harness/engine/check/promise.hpp"
#include "harness/kernel/netlink/link.hpp"
#include "harness/kernel/netlink/socket.hpp"

namespace plumbline::engine::change {

namespace netlink = kernel::netlink;

std::string read_in(const spec::Value& arguments, const network::Topology& intended) {
  return read_guard(arguments, "in", intended);
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

}  // namespace plumbline::engine::change
