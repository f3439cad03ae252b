#include "harness/network/setup/engine/daemon_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/error.hpp"

namespace plumbline::network {
namespace {

namespace fs = std::filesystem;
using Engine = EngineSetup::Engine;
using Iptables = EngineSetup::Iptables;

/// Containers without cgroups: whatever is made there would outlive a sandbox that is killed, and where we
/// are in a container ourselves there may be none to write to. `--rootless` is how runc is told that it may
/// do without, once the bundle names none.
constexpr std::string_view kRunc = R"(#!/bin/sh
bundle= want=
for argument in "$@"; do
  [ -n "$want" ] && bundle=$argument
  want=
  { [ "$argument" = --bundle ] || [ "$argument" = -b ]; } && want=yes
done
[ -n "$bundle" ] && sed -i -E 's/"cgroupsPath":"[^"]*",?//' "$bundle/config.json"
exec runc --rootless=true "$@"
)";

/// Without raising limits, which takes a capability that containers lack.
/// The engine reads no other file beside this one (CONTAINERS_CONF), but without a folder of hooks it would
/// take the machine's.
constexpr std::string_view kContainersConf = R"([containers]
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
pids_limit = 0
log_driver = "k8s-file"
base_hosts_file = "none"
http_proxy = false
[engine]
hooks_dir = ["{0}/hooks"]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "plain"
[engine.runtimes]
plain = ["{0}/runc"]
[network]
network_backend = "netavark"
network_config_dir = "{0}/networks"
)";

void write(const fs::path& path, std::string_view text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) throw Error(fmt::format("writing {} failed", path.string()));
}

/// The tools of one back end under their plain names, so that an engine finds them first.
void link_iptables(Iptables which, const fs::path& folder) {
  fs::create_directories(folder);
  if (which == Iptables::as_installed) return;
  const std::string program =
      which == Iptables::nft ? "/usr/sbin/xtables-nft-multi" : "/usr/sbin/xtables-legacy-multi";
  for (const char* family : {"iptables", "ip6tables"}) {
    for (const char* suffix : {"", "-save", "-restore"}) {
      fs::create_symlink(program, folder / fmt::format("{}{}", family, suffix));
    }
  }
}

/// That environment is all it finds: what whoever started us has in his (another engine's host, a proxy, a
/// firewall's driver) is not meant for it.
void fix_environment(kernel::Command& command) {
  std::vector<std::string> argv{"/usr/bin/env", "-i"};
  for (const auto& [name, value] : command.environment) argv.push_back(fmt::format("{}={}", name, value));
  std::ranges::move(command.argv, std::back_inserter(argv));
  command.argv = std::move(argv);
}

kernel::Command dockerd(const EngineSetup& setup, const std::string& folder) {
  write(folder + "/daemon.json", boost::json::serialize(setup.daemon));
  kernel::Command command;
  command.argv = {"dockerd",
                  "--config-file=" + folder + "/daemon.json",
                  "--data-root=" + folder + "/data",
                  "--exec-root=" + folder + "/exec",
                  "--host=unix://" + folder + "/sock",
                  "--pidfile=" + folder + "/pid",
                  "--storage-driver=vfs",
                  "--add-runtime=plain=" + folder + "/runc",
                  "--default-runtime=plain"};
  return command;
}

kernel::Command podman(const std::string& folder) {
  write(folder + "/containers.conf", fmt::format(fmt::runtime(kContainersConf), folder));
  write(
      folder + "/storage.conf",
      fmt::format("[storage]\ndriver = \"vfs\"\ngraphroot = \"{0}/data\"\nrunroot = \"{0}/run\"\n", folder));
  write(folder + "/registries.conf", "");
  fs::create_directories(folder + "/hooks");
  const fs::path policy = "/etc/containers/policy.json";  // in the sandbox's private /etc
  fs::create_directories(policy.parent_path());
  write(policy, R"({"default": [{"type": "insecureAcceptAnything"}]})");
  kernel::Command command;
  command.argv = {"podman",
                  "--root=" + folder + "/data",
                  "--runroot=" + folder + "/run",
                  "--tmpdir=" + folder + "/tmp",
                  "--storage-driver=vfs",
                  "system",
                  "service",
                  "--time=0",
                  "unix://" + folder + "/sock"};
  command.environment["CONTAINERS_CONF"] = folder + "/containers.conf";
  command.environment["CONTAINERS_STORAGE_CONF"] = folder + "/storage.conf";
  command.environment["CONTAINERS_REGISTRIES_CONF"] = folder + "/registries.conf";
  return command;
}

}  // namespace

kernel::Command prepare_daemon(const EngineSetup& setup, const std::string& folder, const std::string& path) {
  fs::create_directories(folder + "/tmp");
  link_iptables(setup.iptables, folder + "/bin");
  write(folder + "/runc", kRunc);
  fs::permissions(folder + "/runc", fs::perms::owner_all);
  kernel::Command command = setup.engine == Engine::docker ? dockerd(setup, folder) : podman(folder);
  command.directory = folder;
  command.environment["PATH"] = fmt::format("{}/bin:{}", folder, path);
  command.environment["HOME"] = folder;
  command.environment["TMPDIR"] = folder + "/tmp";
  command.environment["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=/run/dbus/system_bus_socket";
  command.environment["LC_ALL"] = "C";
  fix_environment(command);
  return command;
}

std::map<std::string, std::string> environment_of_clients(Engine engine, const std::string& folder) {
  const std::string address = fmt::format("unix://{}/sock", folder);
  if (engine == Engine::docker) {
    // Empty is as not set.
    return {{"DOCKER_HOST", address},     {"DOCKER_CONFIG", folder + "/client"},
            {"DOCKER_CONTEXT", ""},       {"DOCKER_TLS_VERIFY", ""},
            {"DOCKER_CERT_PATH", ""},     {"DOCKER_API_VERSION", ""},
            {"DOCKER_CONTENT_TRUST", ""}, {"DOCKER_DEFAULT_PLATFORM", ""}};
  }
  return {{"CONTAINER_HOST", address},
          {"CONTAINER_CONNECTION", ""},
          {"CONTAINER_SSHKEY", ""},
          {"CONTAINERS_CONF", folder + "/containers.conf"},
          {"CONTAINERS_CONF_OVERRIDE", ""},
          {"CONTAINERS_STORAGE_CONF", folder + "/storage.conf"},
          {"CONTAINERS_REGISTRIES_CONF", folder + "/registries.conf"}};
}

}  // namespace plumbline::network
