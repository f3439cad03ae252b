#include <fmt/format.h>

#include <set>

#include "harness/base/error.hpp"
#include "harness/network/topology/builder.hpp"

namespace plumbline::network {
namespace {

constexpr std::size_t kLongestInterfaceName = 15;  // IFNAMSIZ with its NUL is 16

[[noreturn]] void refuse(const std::string& text) {
  throw Error(text, ErrorKind::usage);
}

// It becomes a file's name, and must stay within its folder.
void check_name(const std::string& name, const char* what) {
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos ||
      name.find('\0') != std::string::npos) {
    refuse(fmt::format("\"{}\" cannot be the name of {}", name, what));
  }
}

void check_cable(const Topology& addition, const Node& node, const Interface& end) {
  const std::string label = fmt::format("node {}: veth {}", node.name, end.name);
  // Without a peer it can only be one that is there already, which the builder finds out.
  if (!end.peer) return;
  const Node* other = addition.find(end.peer->node);
  const Interface* peer = other == nullptr ? nullptr : other->find_interface(end.peer->interface);
  if (peer == nullptr) return;
  if (peer == &end || peer->kind != LinkKind::veth || peer->peer != Endpoint{node.name, end.name}) {
    refuse(fmt::format("{}: its peer {}:{} does not name it in turn", label, end.peer->node,
                       end.peer->interface));
  }
}

void check_node(const Topology& addition, const Node& node) {
  check_name(node.name, "a node");
  std::set<std::string_view> names;
  for (const Interface& interface : node.interfaces) {
    check_name(interface.name, "an interface");
    if (interface.name.size() > kLongestInterfaceName) {
      refuse(fmt::format("node {}: the interface name {} is longer than {} bytes", node.name, interface.name,
                         kLongestInterfaceName));
    }
    if (!names.insert(interface.name).second) {
      refuse(fmt::format("node {}: two interfaces are named {}", node.name, interface.name));
    }
    if (interface.kind == LinkKind::veth) check_cable(addition, node, interface);
  }
}

}  // namespace

void check_buildable(const Topology& addition) {
  std::set<std::string_view> names;
  for (const Node& node : addition.nodes) {
    check_node(addition, node);
    if (!names.insert(node.name).second) refuse(fmt::format("two nodes are named {}", node.name));
  }
}

}  // namespace plumbline::network
