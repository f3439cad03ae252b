#include "harness/engine/comparison/interfaces.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace plumbline::engine {
namespace {

using Key = std::pair<std::string, std::string>;  // node, interface

std::map<Key, const DrawnInterface*> interfaces_of(const std::vector<DrawnNode>& network) {
  std::map<Key, const DrawnInterface*> all;
  for (const DrawnNode& node : network) {
    for (const DrawnInterface& interface : node.interfaces) all[{node.name, interface.name}] = &interface;
  }
  return all;
}

std::string node_of_peer(const DrawnInterface& interface) {
  return interface.peer.substr(0, interface.peer.find(':'));
}

/// Without those of the link alone, which follow from the MAC, often a random one.
std::vector<std::string> lasting_addresses(const DrawnInterface& interface) {
  std::vector<std::string> addresses;
  for (const std::string& address : interface.addresses) {
    if (!address.starts_with("fe80:")) addresses.push_back(address);
  }
  std::ranges::sort(addresses);
  return addresses;
}

/// Pairs the interfaces of two networks.
class Matching {
 public:
  Matching(const std::vector<DrawnNode>& network, const std::vector<DrawnNode>& other)
      : here_(interfaces_of(network)), there_(interfaces_of(other)) {}

  std::map<Key, Key> pairs() {
    by_name([](const DrawnInterface& a, const DrawnInterface& b) {
      return a.kind == b.kind && node_of_peer(a) == node_of_peer(b);
    });
    // Whose bridge has been found can be told apart by that.
    while (by_look()) {
    }
    by_name([](const DrawnInterface&, const DrawnInterface&) { return true; });
    return pairs_;
  }

 private:
  /// Node, kind, addresses, bridge by its name there, the node that it leads to.
  using Look = std::tuple<std::string, std::string, std::vector<std::string>, std::string, std::string>;

  template <class Same>
  void by_name(Same same) {
    for (const auto& [key, interface] : here_) {
      if (pairs_.contains(key) || taken_.contains(key)) continue;
      const auto that = there_.find(key);
      if (that != there_.end() && same(*interface, *that->second)) pair(key, key);
    }
  }

  bool by_look() {
    std::map<Look, std::vector<Key>> looks;
    for (const auto& [key, interface] : there_) {
      if (!taken_.contains(key)) looks[look(key, *interface, interface->master)].push_back(key);
    }
    std::map<Look, std::vector<Key>> own;
    for (const auto& [key, interface] : here_) {
      if (pairs_.contains(key)) continue;
      const auto bridge = pairs_.find({key.first, interface->master});
      const bool found = bridge != pairs_.end();
      own[look(key, *interface, found ? bridge->second.second : interface->master)].push_back(key);
    }
    bool any = false;
    for (const auto& [look, keys] : own) {
      const auto those = looks.find(look);
      if (keys.size() != 1 || those == looks.end() || those->second.size() != 1) continue;
      pair(keys.front(), those->second.front());
      any = true;
    }
    return any;
  }

  static Look look(const Key& key, const DrawnInterface& interface, const std::string& bridge) {
    return {key.first, interface.kind, lasting_addresses(interface), bridge, node_of_peer(interface)};
  }

  void pair(const Key& here, const Key& there) {
    pairs_[here] = there;
    taken_.insert(there);
  }

  std::map<Key, const DrawnInterface*> here_, there_;
  std::map<Key, Key> pairs_;
  std::set<Key> taken_;
};

/// What names of interfaces are made of.
bool is_of_a_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.' || c == '@';
}

}  // namespace

Interfaces::Interfaces(const std::vector<DrawnNode>& network, const std::vector<DrawnNode>& other) {
  const std::map<Key, Key> pairs = Matching(network, other).pairs();
  for (const DrawnNode& node : network) {
    auto& interfaces = nodes_[node.name];
    for (const DrawnInterface& interface : node.interfaces) {
      const auto pair = pairs.find({node.name, interface.name});
      One& one = interfaces[interface.name];
      one.peer = interface.peer;
      one.port = !interface.master.empty();
      one.name = pair == pairs.end() ? interface.name : pair->second.second;
      one.same_name = pair != pairs.end() && one.name == interface.name;
      if (one.name != interface.name) renames_.insert(node.name);
    }
  }
}

const Interfaces::One* Interfaces::find(std::string_view node, std::string_view name) const {
  const auto interfaces = nodes_.find(node);
  if (interfaces == nodes_.end()) return nullptr;
  const auto one = interfaces->second.find(name);
  return one == interfaces->second.end() ? nullptr : &one->second;
}

bool Interfaces::is_port(std::string_view node, std::string_view name) const {
  const One* one = find(node, name);
  return one != nullptr && one->port;
}

bool Interfaces::is_known(std::string_view node, std::string_view name) const {
  return find(node, name) != nullptr;
}

std::string_view Interfaces::name_of(std::string_view node, std::string_view name) const {
  const One* one = find(node, name);
  return one == nullptr ? name : std::string_view(one->name);
}

std::string Interfaces::told(std::string_view node, std::string_view name) const {
  const One* one = find(node, name);
  std::string text(name);
  if (one != nullptr && !one->same_name && !one->peer.empty()) text += " (to " + one->peer + ")";
  return text;
}

std::string Interfaces::renamed(std::string_view node, std::string_view text) const {
  std::string result;
  if (!renames_.contains(node)) return result.assign(text);
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && is_of_a_name(text[end])) ++end;
    if (end == i) {
      result += text[i++];
      continue;
    }
    result += name_of(node, text.substr(i, end - i));
    i = end;
  }
  return result;
}

}  // namespace plumbline::engine
