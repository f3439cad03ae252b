#include "harness/network/setup/engine/private_ground.hpp"

#include <fmt/format.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

#include "harness/base/error.hpp"
#include "harness/kernel/netns/confined_mounts.hpp"
#include "harness/kernel/netns/private_folders.hpp"
#include "harness/kernel/netns/sandbox.hpp"

namespace plumbline::network {
namespace {

namespace fs = std::filesystem;

/// Below /run: through these an engine in here would talk to daemons of the machine (an engine's own
/// containerd, firewalld and systemd by D-Bus), or share their state and locks.
constexpr std::array kOthers{"cni",    "containerd", "containers",  "crun",      "dbus",
                             "docker", "docker.pid", "docker.sock", "firewalld", "libpod",
                             "lock",   "netavark",   "podman",      "runc",      "systemd"};
constexpr int kMostMounts = 16;  // one upon the other

void take_off_mounts(const std::string& path) {
  for (int i = 0; i < kMostMounts && ::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0; ++i) {
  }
}

/// What is left is the placeholder in the sandbox's own /run.
void hide_others() {
  for (const char* name : kOthers) {
    const std::string path = fmt::format("/run/{}", name);
    take_off_mounts(path);
    std::error_code ignored;
    if (fs::is_symlink(path, ignored) || !fs::is_directory(path, ignored)) fs::remove(path, ignored);
  }
  std::error_code ignored;
  fs::create_directory("/run/lock", ignored);
  // A profile that an engine loads would be the whole machine's.
  take_off_mounts("/sys/kernel/security");
}

/// Empty cgroups would outlive a sandbox that is killed. So nobody in here can make any.
void protect_cgroups() {
  constexpr std::string_view root = "/sys/fs/cgroup";
  for (const auto& [point, type, source, options] : kernel::mount_points()) {
    if (point != root && !point.starts_with(fmt::format("{}/", root))) continue;
    constexpr unsigned long flags = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    if (::mount(nullptr, point.c_str(), nullptr, flags, nullptr) == 0) continue;
    if (errno != EINVAL && errno != ENOENT) {  // one that another covers is out of reach
      throw Error::from_errno(errno, "making " + point + " read-only").with_kind(ErrorKind::environment);
    }
  }
}

/// Podman keeps its locks in it.
void cover_shared_memory() {
  std::error_code ignored;
  if (!fs::is_directory("/dev/shm", ignored)) return;
  if (::mount("plumbline", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") != 0) {
    throw Error::from_errno(errno, "mounting a private /dev/shm").with_kind(ErrorKind::environment);
  }
}

void write_resolvers(std::span<const IpAddress> resolvers) {
  const fs::path path = "/etc/resolv.conf";
  std::error_code ignored;
  fs::remove(path, ignored);  // a link would lead out of the private /etc
  std::ofstream file(path);
  for (const IpAddress& each : resolvers) file << "nameserver " << each.to_string() << '\n';
  file.close();
  if (!file) throw Error("writing the private /etc/resolv.conf failed");
}

}  // namespace

std::optional<std::string> engines_refused() {
  constexpr const char* reason =
      "a container engine needs root outside of user namespaces: run plumbline as root";
  if (::geteuid() != 0) return reason;
  std::ifstream map("/proc/self/uid_map");
  std::uint64_t inside = 1;
  std::uint64_t outside = 1;
  std::uint64_t count = 0;
  if (!(map >> inside >> outside >> count)) return std::nullopt;
  const bool whole = inside == 0 && outside == 0 && count == 4294967295U;
  return whole ? std::nullopt : std::optional<std::string>(reason);
}

void keep_engines_in(std::span<const IpAddress> resolvers) {
  if (!kernel::in_sandbox()) throw Error("container engines are run in a sandbox only");
  const std::array<std::string, 3> folders{"/etc", "/var", "/opt"};
  kernel::make_private(folders);
  hide_others();
  protect_cgroups();
  cover_shared_memory();
  write_resolvers(resolvers);
}

}  // namespace plumbline::network
