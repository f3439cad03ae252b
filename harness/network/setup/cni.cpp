#include "harness/network/setup/cni.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>

#include "harness/base/error.hpp"
#include "harness/kernel/netns/sandbox.hpp"
#include "harness/network/cni/cache.hpp"
#include "harness/network/discovery/discover.hpp"
#include "harness/network/setup/cni_ground.hpp"
#include "harness/network/setup/cni_leftovers.hpp"

namespace plumbline::network {
namespace {

constexpr std::size_t kMostLines = 40;  // of a list of what is left

cni::Attachment attachment_of(const CniPlan::Container& container) {
  return {"plumbline-" + container.name, std::string(kernel::kNetnsDirectory) + "/" + container.name,
          container.interface, container.arguments};
}

const kernel::Netns& host_of(ScriptHost& host) {
  return host.network().netns(host.world().host()->name);
}

/// Whether the container's namespace is still there under its name.
bool is_there(ScriptHost& host, const CniPlan::Container& container) {
  const auto& nodes = host.network().nodes();
  return nodes.find(container.name) != nodes.end();
}

bool holds(const std::vector<InterfaceAddress>& held, const IpAddress& address) {
  return std::ranges::any_of(held, [&](const InterfaceAddress& each) { return each.address == address; });
}

std::string listed(const std::vector<InterfaceAddress>& held) {
  std::string text;
  for (const InterfaceAddress& each : held) text += (text.empty() ? "" : ", ") + each.to_string();
  return text.empty() ? "none" : text;
}

/// The addresses that checks go by, as the plugins said and as the kernel has them.
void require_addresses(const CniPlan::Container& container, const cni::Result& result, const Node& found) {
  const Interface* interface = found.find_interface(container.interface);
  if (interface == nullptr) {
    throw Error(
        fmt::format("ADD of {} went well, but there is no {} in it", container.name, container.interface),
        ErrorKind::setup);
  }
  for (const InterfaceAddress& said : result.addresses) {
    if (holds(interface->addresses, said.address)) continue;
    throw Error(fmt::format("the plugins say that {} has {}, but in the kernel its {} has {}", container.name,
                            said.to_string(), container.interface, listed(interface->addresses)),
                ErrorKind::setup);
  }
  for (const IpAddress& wanted : container.addresses) {
    if (holds(result.addresses, wanted)) continue;
    throw Error(fmt::format("{} was given {} instead of {}", container.name, listed(result.addresses),
                            wanted.to_string()),
                ErrorKind::setup)
        .with_remedy("correct its 'address:', or have the network give it that one");
  }
}

/// What will tell that something in the host is the container's, as long as all of it is there.
Belongings belongings_of(ScriptHost& host, const CniPlan::Container& container, const cni::Result& result,
                         const std::vector<HostEntry>& entries) {
  Belongings own;
  own.id = attachment_of(container).container;
  for (const InterfaceAddress& each : result.addresses) own.addresses.push_back(each.address);
  const std::string& host_name = host.world().host()->name;
  const Node now = discover_node(host.network(), host_name, host.world());
  for (const cni::Result::Link& link : result.interfaces) {
    const Interface* interface = link.sandbox.empty() ? now.find_interface(link.name) : nullptr;
    // Bridges are shared, and stay.
    if (interface == nullptr || interface->kind == LinkKind::bridge) continue;
    if (host.world().host()->find_interface(link.name) == nullptr) own.names.insert(link.name);
  }
  const auto peer = is_there(host, container)
                        ? discover_peer(host.network(), container.name, container.interface)
                        : std::nullopt;
  if (peer && peer->node == host_name) own.names.insert(peer->interface);
  learn_chains(entries, own);
  return own;
}

void append(std::string& text, const std::string& line) {
  text += (text.empty() ? "" : "\n    ") + line;
}

std::string line_of(const HostEntry& entry) {
  return entry.removal.empty() ? entry.text : fmt::format("{} (remove it: {})", entry.text, entry.removal);
}

std::string listed(const std::vector<std::string>& lines) {
  std::string text;
  for (std::size_t i = 0; i < std::min(lines.size(), kMostLines); ++i) text += "\n    " + lines[i];
  if (lines.size() > kMostLines) text += fmt::format("\n    … and {} more", lines.size() - kMostLines);
  return text;
}

void tell(std::string& problems, const std::string& beginning, const std::vector<std::string>& lines) {
  if (!lines.empty()) problems += (problems.empty() ? "" : "\n    ") + beginning + listed(lines);
}

/// Takes what is the container's out of `left`.
std::vector<std::string> take_own(std::vector<HostEntry>& left, const Belongings& own) {
  std::vector<std::string> lines;
  std::erase_if(left, [&](const HostEntry& entry) {
    if (!mentions(entry.text, own)) return false;
    lines.push_back(line_of(entry));
    return true;
  });
  return lines;
}

/// What is left in a container's own namespace.
std::vector<std::string> left_inside(ScriptHost& host, const std::string& container) {
  std::vector<std::string> lines;
  for (const Interface& interface : discover_node(host.network(), container, host.world()).interfaces) {
    if (interface.kind == LinkKind::loopback) continue;
    lines.push_back(fmt::format("link {} in the container's own namespace", interface.name));
  }
  return lines;
}

/// What plugins stand on since set_up.
CniGround& ground_of(ScriptHost& host) {
  auto* ground = dynamic_cast<CniGround*>(host.kept());
  if (ground == nullptr) throw Error("no CNI plugin was called in this host yet");
  return *ground;
}

}  // namespace

Topology CniSetup::expected(const Topology& world) const {
  ScriptSetup setup;
  for (const CniPlan::Container& each : plan_.containers)
    setup.expected.push_back({each.name, each.addresses});
  return expected_of(setup, world);
}

cni::Site CniSetup::site_in(ScriptHost& host) const {
  cni::Site site;
  site.host = &host_of(host);
  site.path = plan_.path;
  site.environment = host.environment();
  if (const auto* ground = dynamic_cast<const CniGround*>(host.kept())) site.mounts = ground->mounts();
  return site;
}

boost::asio::awaitable<std::optional<std::string>> CniSetup::set_up(ScriptHost& host,
                                                                    Topology& declared) const {
  const cni::Site nowhere = site_in(host);
  for (const CniPlan::Network& network : plan_.networks) {
    if (auto missing = cni::missing_plugin(network.configuration, nowhere)) co_return missing;
  }
  host.show_devices();
  host.keep(std::make_unique<CniGround>(host, plan_));
  CniGround& ground = ground_of(host);
  const cni::Site site = site_in(host);
  ground.remember_before_add();
  try {
    for (const CniPlan::Network& network : plan_.networks) {
      co_await cni::require_versions(network.configuration, site);
    }
    for (const CniPlan::Container& container : plan_.containers) co_await add(host, container, declared);
  } catch (const Error& error) {
    throw plan_.where.empty() ? error : error.within(plan_.where);
  }
  host.settle();
  ground.remember_after_add();
  co_return std::nullopt;
}

boost::asio::awaitable<void> CniSetup::add(ScriptHost& host, const CniPlan::Container& container,
                                           Topology& declared) const {
  const cni::Configuration& network = plan_.networks.at(container.network).configuration;
  const cni::Site site = site_in(host);
  const cni::Attachment attachment = attachment_of(container);
  // A namespace with a loopback that is up, as runtimes hand it to plugins.
  Topology alone;
  Node& node = alone.nodes.emplace_back();
  node.name = container.name;
  node.role = Role::container;
  host.network().build(alone);
  const cni::Result result = co_await cni::add(network, site, attachment, container.known);
  cni::remember(network, attachment, container.known, result);
  require_addresses(container, result, discover_node(host.network(), container.name, declared));
  co_await cni::check(network, site, attachment, container.known, result.json);
  Node* stated = declared.find(container.name);
  if (stated != nullptr && !result.resolvers.empty()) stated->resolvers = result.resolvers;
}

boost::asio::awaitable<void> CniSetup::remove(ScriptHost& host, const CniPlan::Container& container,
                                              std::string& problems) const {
  const cni::Site site = site_in(host);
  const cni::Configuration& network = plan_.networks.at(container.network).configuration;
  const cni::Attachment attachment = attachment_of(container);
  const auto result = cni::recall(network, attachment);
  const bool gone = !is_there(host, container);
  if (gone) {
    append(problems, fmt::format("the namespace of {} was gone before its DEL: something in the scenario has "
                                 "taken {} away",
                                 attachment.container, attachment.netns));
  }
  try {
    if (result && !gone) co_await cni::check(network, site, attachment, container.known, result->json);
  } catch (const Error& error) {
    append(problems, fmt::format("before DEL: {}", error.what()));
  }
  try {
    co_await cni::del(network, site, attachment, container.known, result ? &result->json : nullptr);
  } catch (const Error& error) {
    append(problems, error.what());
  }
  cni::forget(network, attachment);
}

boost::asio::awaitable<void> CniSetup::take_down(ScriptHost& host) const {
  CniGround& ground = ground_of(host);
  ground.remember_before_del();
  std::vector<Belongings> all;
  for (const CniPlan::Container& container : plan_.containers) {
    const auto result =
        cni::recall(plan_.networks.at(container.network).configuration, attachment_of(container));
    all.push_back(belongings_of(host, container, result.value_or(cni::Result()), ground.before_del()));
  }
  std::string problems;
  for (std::size_t i = plan_.containers.size(); i-- > 0;)
    co_await remove(host, plan_.containers[i], problems);
  auto [left, gone] = ground.difference(all);
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::vector<std::string> lines = take_own(left, all[i]);
    if (is_there(host, plan_.containers[i])) {
      std::ranges::move(left_inside(host, plan_.containers[i].name), std::back_inserter(lines));
    }
    tell(problems, fmt::format("DEL of {} has left behind:", all[i].id), lines);
  }
  std::vector<std::string> lines;
  for (const HostEntry& entry : left) lines.push_back(line_of(entry));
  tell(problems, "after the last DEL the host still holds what was not there before the first ADD:", lines);
  lines.clear();
  for (const HostEntry& entry : gone) lines.push_back(entry.text);
  tell(problems, "after the last DEL the host no longer holds what was there before the first ADD:", lines);
  if (const auto programs = ground.programs_of_steps();
      !programs.empty() && !(left.empty() && gone.empty())) {
    append(problems,
           fmt::format("unless it was {}, which the scenario itself has started", programs[0].name));
  }
  if (problems.empty()) co_return;
  throw Error((plan_.where.empty() ? "" : plan_.where + ": ") + problems, ErrorKind::setup)
      .with_remedy("mend the plugin: what it leaves behind would pile up on a real host");
}

}  // namespace plumbline::network
