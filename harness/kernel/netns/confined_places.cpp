#include "harness/kernel/netns/confined_places.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/fd.hpp"
#include "harness/kernel/netns/private_upper.hpp"
#include "harness/kernel/netns/sandbox_mounts.hpp"
#include "harness/kernel/netns/sysfs.hpp"

namespace plumbline::kernel {
namespace {

namespace fs = std::filesystem;

void require_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
    throw Error::from_errno(errno, "making the folder " + path);
  }
}

void require_file(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0444));
  if (!file) throw Error::from_errno(errno, "making the file " + path);
}

void bind(const std::string& from, const std::string& to, const std::string& what) {
  // What is bound from the shared /run would be shared as well.
  if (::mount(from.c_str(), to.c_str(), nullptr, MS_BIND, nullptr) == 0 &&
      ::mount(nullptr, to.c_str(), nullptr, MS_PRIVATE, nullptr) == 0) {
    return;
  }
  throw Error::from_errno(errno, what).with_kind(ErrorKind::environment);
}

bool is_folder(const std::string& path) {
  std::error_code problem;
  return fs::is_directory(path, problem);
}

/// Whether it is one of the machine's that the sandbox shows in its own /run.
bool is_machines(const MountPoint& point) {
  constexpr std::string_view run = "/run/";
  if (!point.path.starts_with(run) || point.path.find('/', run.size()) != std::string::npos) return false;
  if (point.path == "/run/netns") return false;
  return point.type != "tmpfs" || point.source != "plumbline";
}

}  // namespace

void hide_run(const std::vector<MountPoint>& points, std::vector<ConfinedMounts::Covered>& covered) {
  const std::string base = fmt::format("{}/run", kUppers);
  const std::string nothing = fmt::format("{}/nothing", kUppers);
  require_folder(base);
  require_file(nothing);
  std::set<std::string> hidden;
  for (const MountPoint& point : points) {
    struct stat status {};
    if (!is_machines(point) || !hidden.insert(point.path).second) continue;
    if (::lstat(point.path.c_str(), &status) != 0) continue;  // taken off since
    const std::string what = fmt::format("hiding the machine's {}", point.path);
    // What is mounted on a shared one would be seen in the sandbox too.
    ::mount(nullptr, point.path.c_str(), nullptr, MS_PRIVATE, nullptr);
    if (!S_ISDIR(status.st_mode)) {
      bind(nothing, point.path, what);
      continue;
    }
    const std::string empty = base + point.path.substr(4);
    require_folder(empty);
    bind(empty, point.path, what);
    covered.push_back({point.path, empty});
  }
}

std::vector<std::string> narrow_kernel_folders(const Netns* network) {
  std::vector<std::string> writable{"/proc/sys/net"};
  if (network != nullptr) {
    const auto inside = network->enter();
    if (mount_sysfs()) writable.emplace_back("/sys/devices/virtual/net");
  }
  std::erase_if(writable, [](const std::string& folder) { return !is_folder(folder); });
  for (const std::string& each : writable) bind(each, each, fmt::format("keeping {} writable", each));
  return writable;
}

void narrow_devices() {
  const Fd old(::open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!old || ::mount("plumbline-dev", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755") != 0) {
    throw Error::from_errno(errno, "mounting a /dev for programs").with_kind(ErrorKind::environment);
  }
  const Fd fresh(::open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fresh) throw Error::from_errno(errno, "opening /dev");
  require_folder("/dev/net");
  require_folder("/dev/shm");
  for (const char* name : {"full", "net/tun", "null", "random", "tty", "urandom", "zero"}) {
    struct stat status {};
    if (::fstatat(old.get(), name, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISCHR(status.st_mode)) continue;
    require_file(fmt::format("/dev/{}", name));
    if (graft(old, fresh, name)) continue;
    throw Error::from_errno(errno, fmt::format("showing /dev/{} to programs", name))
        .with_kind(ErrorKind::environment);
  }
  for (const auto& [name, target] :
       {std::pair{"/dev/fd", "/proc/self/fd"}, std::pair{"/dev/stdin", "/proc/self/fd/0"},
        std::pair{"/dev/stdout", "/proc/self/fd/1"}, std::pair{"/dev/stderr", "/proc/self/fd/2"}}) {
    if (::symlink(target, name) != 0) throw Error::from_errno(errno, fmt::format("making {}", name));
  }
}

}  // namespace plumbline::kernel
