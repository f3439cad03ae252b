#include "harness/network/setup/script_host.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <set>
#include <utility>

#include "harness/base/deadline.hpp"
#include "harness/base/scope_exit.hpp"
#include "harness/kernel/process/process.hpp"
#include "harness/network/discovery/discover.hpp"
#include "harness/network/setup/script_text.hpp"
#include "harness/network/topology/readiness.hpp"

namespace plumbline::network {
namespace {

kernel::Command command_of(const Script& script, const Environment& environment, const kernel::Netns& host) {
  kernel::Command command;
  command.directory = script.directory;
  if (script.path.empty()) {
    command.argv = {"/bin/sh", "-eu", "-c", script.shell, "sh"};
  } else {
    const std::filesystem::path path = std::filesystem::absolute(script.path);
    command.argv = {path.string()};
    if (command.directory.empty()) command.directory = path.parent_path().string();
  }
  command.argv.insert(command.argv.end(), script.arguments.begin(), script.arguments.end());
  command.environment = environment;
  for (const auto& [name, value] : script.env) command.environment[name] = value;
  command.netns = &host;
  command.timeout = script.timeout;
  return command;
}

/// Those that are no nodes of the world.
std::string names_left(const LiveNetwork& network) {
  const auto& names = network.adopted();
  return names.empty() ? "nothing" : fmt::format("{}", fmt::join(names, ", "));
}

void require_expected(const ScriptSetup& setup, const LiveNetwork& network, const ScriptEnd& end) {
  std::vector<std::string> missing;
  for (const ScriptSetup::Container& container : setup.expected) {
    if (!network.nodes().contains(container.name)) missing.push_back(container.name);
  }
  if (missing.empty()) return;
  const std::string what =
      network.adopted().empty()
          ? std::string("ended well, but left nothing behind: no namespace in /run/netns")
          : fmt::format("ended well, but in /run/netns it left {}, and not {}", names_left(network),
                        fmt::join(missing, ", "));
  throw Error(label_of(setup) + " " + what + said(end.output), ErrorKind::setup)
      .with_remedy(
          fmt::format("let it name the container's namespace (ip netns add {}), or say in 'containers:' what "
                      "it leaves behind",
                      missing.front()));
}

/// The addresses that checks go by: on another network they would be judged without anybody noticing.
void require_addresses(const ScriptSetup& setup, const Topology& found, const ScriptEnd& end) {
  for (const ScriptSetup::Container& container : setup.expected) {
    std::vector<std::string> held;
    std::set<IpAddress> addresses;
    for (const Interface& interface : found.find(container.name)->interfaces) {
      for (const InterfaceAddress& each : interface.addresses) {
        addresses.insert(each.address);
        if (interface.kind != LinkKind::loopback) held.push_back(each.to_string());
      }
    }
    for (const IpAddress& wanted : container.addresses) {
      if (addresses.contains(wanted)) continue;
      throw Error(
          fmt::format("{} ended well, but left {} without its address {}; it has {}{}", label_of(setup),
                      container.name, wanted.to_string(),
                      held.empty() ? "none" : fmt::format("{}", fmt::join(held, ", ")), said(end.output)),
          ErrorKind::setup)
          .with_remedy("let it give the address, or say in 'containers:' what it leaves behind");
    }
  }
}

}  // namespace

ScriptHost::ScriptHost(LiveNetwork& network, const Topology& world, const std::string& setup_name,
                       const std::vector<IpAddress>& resolvers)
    : network_(network), world_(world), environment_(script_environment(setup_name, world, resolvers)) {}

ScriptHost::~ScriptHost() {
  try {
    end();
  } catch (const std::exception&) {  // a destructor has nobody to tell; end() by hand tells
  }
}

boost::asio::awaitable<ScriptEnd> ScriptHost::run(Script script) {
  const kernel::Netns& host = network_.netns(world_.host()->name);
  show_devices();
  kernel::Ended ended;
  try {
    ended = co_await kernel::run(command_of(script, environment_, host));
  } catch (const Error& error) {
    throw script.where.empty() ? error : error.within(script.where);
  }
  if (ended.output_end) outputs_.push_back(std::move(ended.output_end));
  const ScriptEnd end{ended.status, ended.timed_out, printable_output(ended.output), ended.duration};
  for (const std::string& name : network_.adopt_named().removed) {
    if (world_.find(name) == nullptr) continue;
    throw Error(fmt::format("{} took the name of the node {} away from /run/netns{}", label_of(script), name,
                            said(end.output)),
                ErrorKind::setup)
        .with_remedy("let it take away only what it made");
  }
  co_return end;
}

std::optional<std::string> ScriptHost::skipped(const ScriptEnd& end) {
  if (end.timed_out || end.status != kScriptSkips) return std::nullopt;
  const std::string reason = last_line(end.output);
  return reason.empty() ? "its setup says that something is missing here" : reason;
}

boost::asio::awaitable<std::optional<std::string>> ScriptHost::set_up(ScriptSetup setup) {
  const ScriptEnd end = co_await run(static_cast<const Script&>(setup));
  if (auto reason = skipped(end)) co_return reason;
  if (end.failed()) throw failure(setup, end);
  require_expected(setup, network_, end);
  try {
    settle();
  } catch (const Error& error) {
    throw error.within("what " + label_of(setup) + " made");
  }
  require_addresses(setup, discover(network_, world_), end);
  co_return std::nullopt;
}

void ScriptHost::show_devices() {
  if (!sysfs_) sysfs_.emplace(network_.netns(world_.host()->name));
}

kernel::Daemon& ScriptHost::leave_running(const boost::asio::any_io_executor& executor,
                                          kernel::Command command) {
  show_devices();
  for (const auto& [name, value] : environment_) command.environment.emplace(name, value);
  command.netns = &network_.netns(world_.host()->name);
  return daemons_.emplace_back(kernel::Daemon::start(executor, command));
}

void ScriptHost::settle(std::chrono::milliseconds within) const {
  const Topology found = discover(network_, world_);
  try {
    await_ready(network_, found, Deadline::after(within));
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::environment) throw;
    throw error.with_kind(ErrorKind::setup)
        .with_remedy("let the script wait for what takes longer, or do without it (spanning tree)");
  }
}

void ScriptHost::end() {
  const ScopeExit give_back([this] {
    outputs_.clear();
    daemons_.clear();
    sysfs_.reset();
  });
  std::vector<const kernel::Netns*> namespaces;
  for (const auto& node : network_.nodes()) namespaces.push_back(&node.second);
  kernel::end_left_behind();
  kernel::end_processes_in(namespaces);
}

}  // namespace plumbline::network
