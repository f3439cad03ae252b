#include "harness/engine/spec/engine_setup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <set>

#include "harness/engine/spec/engine_daemon.hpp"
#include "harness/engine/spec/engine_default.hpp"
#include "harness/engine/spec/engine_publish.hpp"
#include "harness/engine/spec/words.hpp"
#include "harness/network/setup/engine/engine.hpp"

namespace plumbline::spec {
namespace {

using network::EngineSetup;

constexpr std::array<std::string_view, 4> kDockerKeys{"iptables", "daemon", "networks", "containers"};
constexpr std::array<std::string_view, 3> kPodmanKeys{"iptables", "networks", "containers"};
constexpr std::array<std::string_view, 3> kNetworkKeys{"subnet", "internal", "options"};
constexpr std::array<std::string_view, 4> kContainerKeys{"network", "address", "networks", "publish"};
constexpr std::array<std::string_view, 2> kIptables{"nft", "legacy"};
constexpr std::array kMeant{EngineSetup::Iptables::nft, EngineSetup::Iptables::legacy};
/// Networks that engines have of their own.
constexpr std::array<std::string_view, 5> kTaken{"bridge", "default", "host", "none", "podman"};

Value key_of(const Value::Entry& entry) {
  Value key;
  key.kind = Value::Kind::scalar;
  key.mark = entry.mark;
  key.text = entry.key;
  return key;
}

/// A name that both engines take: they want two characters, of which the first is a letter or a digit.
const std::string& read_name(const Value& key, std::string_view what) {
  const std::string& name = key.as_name(what, kLongestName);
  if (name.size() < 2 || std::isalnum(static_cast<unsigned char>(name.front())) == 0) {
    key.fail(
        fmt::format("a container engine takes no {} named {}: it wants two characters or more, beginning "
                    "with a letter or a digit",
                    what, in_quotes(name)));
  }
  return name;
}

/// A network that is given out.
struct Reserved {
  Prefix subnet;
  std::string whose;  ///< "the world's", "network blue's"
};

/// Whether one address of the host would be asked for the same port by both.
bool are_one_port(const EngineSetup::Publish& one, const EngineSetup::Publish& other) {
  if (one.host_port != other.host_port || one.udp != other.udp) return false;
  if (!one.address || !other.address) return true;
  if (one.address->family() != other.address->family()) return false;
  return one.address->is_unspecified() || other.address->is_unspecified() || one.address == other.address;
}

class EngineReader {
 public:
  explicit EngineReader(const network::Topology& world) : world_(world) {
    for (const network::Node& node : world.nodes) {
      for (const network::Interface& interface : node.interfaces) {
        if (interface.kind == network::LinkKind::loopback) continue;
        for (const InterfaceAddress& held : interface.addresses)
          reserved_.push_back({held.network(), "the world's"});
      }
    }
  }

  EngineSetup read(const Value::Entry& entry) {
    const bool docker = entry.key == "docker";
    const std::string what = entry.key + " setup";
    setup_.engine = docker ? EngineSetup::Engine::docker : EngineSetup::Engine::podman;
    setup_.where = entry.mark.to_string();
    entry.value.as_mapping(what);
    if (docker) {
      entry.value.allow_keys(what, kDockerKeys);
    } else {
      entry.value.allow_keys(what, kPodmanKeys);
    }
    if (const Value* daemon = entry.value.find("daemon")) read_daemon_of(*daemon);
    default_ = default_network(setup_, world_);
    if (default_) reserved_.push_back({default_->subnet, fmt::format("{}'s default network", entry.key)});
    if (const Value* networks = entry.value.find("networks")) {
      for (const Value::Entry& each : networks->as_mapping("networks")) read_network(each);
    }
    const Value& containers = entry.value.require("containers", what);
    for (const Value::Entry& each : containers.as_mapping("containers")) read_container(each);
    if (setup_.containers.empty()) containers.fail("'containers' needs at least one container");
    return std::move(setup_);
  }

 private:
  void read_daemon_of(const Value& value) {
    setup_.daemon = read_daemon(value);
    setup_.daemon_where = value.mark.to_string();
    const Value* bip = value.find("bip");
    if (bip == nullptr) return;
    const Prefix subnet = bip->as_interface_address("bip").network();
    require_free(subnet, *bip);
    const Value* fixed = value.find("fixed-cidr");
    if (fixed == nullptr || subnet.contains(fixed->as_prefix("fixed-cidr"))) return;
    fixed->fail(fmt::format("{} is no part of {}, the network of 'bip'", fixed->text, subnet.to_string()));
  }

  void require_free(const Prefix& subnet, const Value& value) const {
    for (const Reserved& each : reserved_) {
      if (!each.subnet.overlaps(subnet)) continue;
      value.fail(fmt::format("{} overlaps {}, which is in use already: it is {}", subnet.to_string(),
                             each.subnet.to_string(), each.whose));
    }
  }

  void read_network(const Value::Entry& entry) {
    const Value key = key_of(entry);
    EngineSetup::Network network;
    network.name = read_name(key, "network");
    network.where = entry.mark.to_string();
    if (std::ranges::find(kTaken, network.name) != kTaken.end()) {
      key.fail(fmt::format("engines have a network {} of their own", in_quotes(network.name)));
    }
    const std::string what = "network " + network.name;
    if (entry.value.kind != Value::Kind::null) {
      entry.value.as_mapping(what);
      entry.value.allow_keys(what, kNetworkKeys);
      if (const Value* subnet = entry.value.find("subnet")) {
        for (const Value& item : subnet->as_list()) network.subnets.push_back(read_subnet(network, item));
      }
      if (const Value* internal = entry.value.find("internal"))
        network.internal = internal->as_bool("internal");
      if (const Value* options = entry.value.find("options")) {
        for (const Value::Entry& each : options->as_mapping("options")) {
          network.options[each.key] = each.value.as_text(each.key);
        }
      }
    }
    setup_.networks.push_back(std::move(network));
  }

  Prefix read_subnet(const EngineSetup::Network& network, const Value& value) {
    const Prefix subnet = value.as_prefix("subnet");
    if (subnet.length() > subnet.address().bits() - 2) {
      value.fail(fmt::format("{} has no room for a bridge and a container", subnet.to_string()));
    }
    for (const Prefix& each : network.subnets) {
      if (each.address().family() == subnet.address().family()) {
        value.fail("'subnet' takes at most one network of each family");
      }
    }
    require_free(subnet, value);
    reserved_.push_back({subnet, fmt::format("network {}'s", network.name)});
    return subnet;
  }

  const EngineSetup::Network& known_network(const Value& value) const {
    const auto found =
        std::ranges::find(setup_.networks, value.as_text("network"), &EngineSetup::Network::name);
    if (found == setup_.networks.end()) {
      const auto names = names_of(setup_.networks);
      fail_unknown(value, "network", names, "networks of this setup");
    }
    return *found;
  }

  void read_container(const Value::Entry& entry) {
    const Value key = key_of(entry);
    EngineSetup::Container container;
    container.name = read_name(key, "container");
    container.where = entry.mark.to_string();
    if (IpAddress::parse(container.name)) {
      key.fail(fmt::format("a container cannot be named like an address: {}", in_quotes(container.name)));
    }
    if (world_.find(container.name) != nullptr) {
      key.fail(fmt::format("the world has a node named {} already", container.name));
    }
    const std::string what = "container " + container.name;
    if (entry.value.kind != Value::Kind::null) {
      entry.value.as_mapping(what);
      entry.value.allow_keys(what, kContainerKeys);
      read_attachments(entry.value, container);
      if (const Value* publish = entry.value.find("publish")) {
        for (const Value& item : publish->as_list()) read_published(item, container);
      }
    }
    if (container.attachments.empty()) container.attachments.emplace_back();
    setup_.containers.push_back(std::move(container));
  }

  void read_attachments(const Value& value, EngineSetup::Container& container) {
    const Value* networks = value.find("networks");
    const Value* network = value.find("network");
    const Value* address = value.find("address");
    if (networks == nullptr) {
      container.attachments.push_back(read_attachment(network, address));
      return;
    }
    if (network != nullptr || address != nullptr) {
      networks->fail("'networks' says it all: it takes no 'network' or 'address' beside it");
    }
    for (const Value::Entry& each : networks->as_mapping("networks")) {
      const Value name = key_of(each);
      const bool stated = each.value.kind != Value::Kind::null;
      container.attachments.push_back(read_attachment(&name, stated ? &each.value : nullptr));
    }
    if (container.attachments.empty()) networks->fail("'networks' needs at least one network");
  }

  EngineSetup::Attachment read_attachment(const Value* name, const Value* addresses) {
    EngineSetup::Attachment attachment;
    const EngineSetup::Network* network = name == nullptr ? nullptr : &known_network(*name);
    if (network != nullptr) attachment.network = network->name;
    if (name != nullptr) attachment.where = name->mark.to_string();
    if (addresses == nullptr) return attachment;
    attachment.where = addresses->mark.to_string();
    for (const Value& item : addresses->as_list()) {
      const IpAddress address = item.as_address("address");
      for (const IpAddress& each : attachment.addresses) {
        if (each.family() == address.family())
          item.fail("'address' takes at most one address of each family");
      }
      if (network != nullptr) {
        require_inside(*network, address, item);
      } else {
        require_on_default(address, item);
      }
      if (!taken_.insert(address).second)
        item.fail(fmt::format("two containers have {}", address.to_string()));
      attachment.addresses.push_back(address);
    }
    return attachment;
  }

  static void require_inside(const EngineSetup::Network& network, const IpAddress& address,
                             const Value& item) {
    std::string subnets;
    for (const Prefix& each : network.subnets) {
      if (each.contains(address)) {
        const auto held =
            InterfaceAddress::parse(fmt::format("{}/{}", address.to_string(), each.length())).value();
        refuse_unusable(held, item);
        refuse_gateway(network, each, address, item);
        return;
      }
      subnets += (subnets.empty() ? "" : ", ") + each.to_string();
    }
    if (subnets.empty()) {
      item.fail(fmt::format("network {} has no 'subnet', so its engine chooses the addresses", network.name));
    }
    item.fail(fmt::format("{} is outside network {} ({})", address.to_string(), network.name, subnets));
  }

  /// Engines give it to the bridge, but for networks that are told to have none.
  static void refuse_gateway(const EngineSetup::Network& named, const Prefix& subnet,
                             const IpAddress& address, const Value& item) {
    const bool told = std::ranges::any_of(
        named.options, [](const auto& option) { return option.first.find("gateway") != std::string::npos; });
    if (told || address != network::first_of(subnet)) return;
    item.fail(
        fmt::format("{} is the gateway of network {}: the bridge has it", address.to_string(), named.name));
  }

  /// On the default network an address is what is expected, and there is no other way to get one.
  void require_on_default(const IpAddress& address, const Value& item) const {
    if (!default_ || !address.is_v4()) return;
    const std::string name = engine_name(setup_.engine);
    if (!default_->subnet.contains(address)) {
      item.fail(fmt::format("{} is outside {}'s default network ({})", address.to_string(), name,
                            default_->subnet.to_string()));
    }
    if (address == default_->bridge) {
      item.fail(fmt::format("{} is the gateway of {}'s default network: the bridge has it",
                            address.to_string(), name));
    }
  }

  void read_published(const Value& item, EngineSetup::Container& container) {
    EngineSetup::Publish publish = read_publish(item);
    publish.where = item.mark.to_string();
    for (const EngineSetup::Publish& each : published_) {
      if (!are_one_port(each, publish)) continue;
      item.fail(fmt::format("port {}/{} of the host is published twice: {} is as well, at {}",
                            publish.host_port, publish.udp ? "udp" : "tcp",
                            each.address ? each.address->to_string() : "every address", each.where));
    }
    published_.push_back(publish);
    container.publish.push_back(std::move(publish));
  }

  const network::Topology& world_;
  EngineSetup setup_;
  std::vector<Reserved> reserved_;
  std::optional<DefaultNetwork> default_;
  std::set<IpAddress> taken_;
  std::vector<EngineSetup::Publish> published_;
};

/// What `iptables` lists; the one that is installed where it says nothing.
std::vector<std::pair<EngineSetup::Iptables, std::string>> read_iptables(const Value::Entry& entry) {
  std::vector<std::pair<EngineSetup::Iptables, std::string>> all;
  const Value* value = entry.value.find("iptables");
  if (value == nullptr) return {{EngineSetup::Iptables::as_installed, entry.key}};
  for (const Value& item : value->as_list()) {
    const std::size_t which = item.as_word("iptables", kIptables);
    std::string name = fmt::format("{}-iptables-{}", entry.key, kIptables.at(which));
    for (const auto& each : all) {
      if (each.second == name) item.fail(fmt::format("{} stands twice in 'iptables'", in_quotes(item.text)));
    }
    all.emplace_back(kMeant.at(which), std::move(name));
  }
  if (all.empty()) value->fail("'iptables' is empty: name nft, legacy or both, or leave it out");
  if (all.size() == 1) all.front().second = entry.key;
  return all;
}

}  // namespace

std::vector<Setup> read_engines(const Value::Entry& entry, const network::Topology& world) {
  const EngineSetup read = EngineReader(world).read(entry);
  std::vector<Setup> setups;
  for (auto& [iptables, name] : read_iptables(entry)) {
    Setup& each = setups.emplace_back();
    each.kind = entry.key;
    each.name = name;
    each.mark = entry.mark;
    EngineSetup meant = read;
    meant.iptables = iptables;
    each.runtime = std::make_shared<network::EngineRuntime>(std::move(meant));
  }
  return setups;
}

}  // namespace plumbline::spec
