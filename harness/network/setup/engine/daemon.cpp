#include "harness/network/setup/engine/daemon.hpp"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <boost/asio/this_coro.hpp>
#include <cerrno>
#include <utility>
#include <vector>

#include "harness/base/deadline.hpp"
#include "harness/base/error.hpp"
#include "harness/base/fd.hpp"
#include "harness/kernel/netns/confined_mounts.hpp"
#include "harness/network/setup/engine/await_daemon.hpp"
#include "harness/network/setup/engine/daemon_files.hpp"
#include "harness/network/setup/engine/image.hpp"

namespace plumbline::network {
namespace {

using Engine = EngineSetup::Engine;
using Iptables = EngineSetup::Iptables;

constexpr std::chrono::milliseconds kAnswersWithin{30'000};

/// The first executable file of that name in the folders of `path`.
std::optional<std::string> find(const std::string& path, const std::string& name) {
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t end = std::min(path.find(':', start), path.size());
    const std::string candidate = fmt::format("{}/{}", path.substr(start, end - start), name);
    start = end + 1;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return std::nullopt;
}

using Program = std::pair<const char*, const char*>;  // name, Debian package

std::vector<Program> programs_of(const EngineSetup& setup) {
  std::vector<Program> programs;
  if (setup.engine == Engine::docker) {
    programs = {{"dockerd", "docker.io"}, {"containerd", "containerd"}};
  } else {
    programs = {{"podman", "podman"},
                {"conmon", "conmon"},
                {"netavark", "netavark"},
                {"aardvark-dns", "aardvark-dns"}};
  }
  programs.emplace_back("runc", "runc");
  if (setup.iptables == Iptables::as_installed) programs.emplace_back("iptables", "iptables");
  if (setup.iptables == Iptables::nft) programs.emplace_back("xtables-nft-multi", "iptables");
  if (setup.iptables == Iptables::legacy) programs.emplace_back("xtables-legacy-multi", "iptables");
  return programs;
}

/// In the sandbox's own /run, so that it ends with it.
std::string make_folder(Engine engine) {
  std::string folder = fmt::format("/run/plumbline-{}-XXXXXX", engine_name(engine));
  if (::mkdtemp(folder.data()) == nullptr) throw Error::from_errno(errno, "making the folder " + folder);
  return folder;
}

}  // namespace

std::optional<std::string> missing_programs(const EngineSetup& setup, const std::string& path) {
  // Podman's helpers are in folders of their own.
  const std::string folders = path + ":/usr/libexec/podman:/usr/lib/podman:/usr/local/lib/podman";
  for (const auto& [program, package] : programs_of(setup)) {
    if (!find(folders, program)) {
      return fmt::format("{} needs {}, which is not here: apt-get install {}", engine_name(setup.engine),
                         program, package);
    }
  }
  return std::nullopt;
}

std::optional<std::string> static_busybox(const std::string& path) {
  const auto busybox = find(path, "busybox");
  return busybox && is_static(*busybox).value_or(false) ? busybox : std::nullopt;
}

boost::asio::awaitable<StartedDaemon> start_daemon(const EngineSetup& setup, ScriptHost& host) {
  const std::string folder = make_folder(setup.engine);
  kernel::Command command = prepare_daemon(setup, folder, host.environment().at("PATH"));
  std::string socket = folder + "/sock";
  const auto executor = co_await boost::asio::this_coro::executor;
  const Fd mounts = kernel::read_only_mounts();
  command.mounts = mounts.get();
  kernel::Daemon& daemon = host.leave_running(executor, std::move(command));
  co_await await_daemon(engine_name(setup.engine), daemon, socket, Deadline::after(kAnswersWithin));
  for (const auto& [name, value] : environment_of_clients(setup.engine, folder)) host.tell(name, value);
  co_return StartedDaemon{socket, &daemon};
}

}  // namespace plumbline::network
