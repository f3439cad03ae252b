#include "harness/kernel/netns/sysfs.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/fd.hpp"
#include "harness/kernel/netns/sandbox.hpp"
#include "harness/kernel/netns/sandbox_mounts.hpp"

namespace plumbline::kernel {
namespace {

constexpr int kMostMounts = 16;  // on /sys, that programs inside may have added

Fd open_directory(const char* path) {
  return Fd(::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

std::optional<dev_t> file_system_at(const char* path) {
  struct stat status {};
  if (::stat(path, &status) != 0) return std::nullopt;
  return status.st_dev;
}

/// Whether a file system of its own is mounted at `name` below `directory`.
bool is_mounted_on(const Fd& directory, const char* name) {
  struct stat above {};
  struct stat there {};
  return ::fstat(directory.get(), &above) == 0 &&
         ::fstatat(directory.get(), name, &there, AT_NO_AUTOMOUNT) == 0 && above.st_dev != there.st_dev;
}

}  // namespace

bool mount_sysfs() {
  const Fd old = open_directory("/sys");
  if (!old) return false;
  if (::mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) return false;
  const Fd fresh = open_directory("/sys");
  if (!fresh) return true;
  for (const char* name : {"fs/cgroup", "fs/bpf", "kernel/debug", "kernel/tracing", "kernel/security"}) {
    if (is_mounted_on(old, name)) graft(old, fresh, name);
  }
  return true;
}

SysfsView::SysfsView(const Netns& netns) {
  if (!in_sandbox()) return;
  const std::optional<dev_t> below = file_system_at("/sys");
  if (netns.run(mount_sysfs)) below_ = below;
}

SysfsView::~SysfsView() {
  for (int i = 0; below_ && i < kMostMounts && file_system_at("/sys") != below_; ++i) {
    if (::umount2("/sys", MNT_DETACH) != 0) return;
  }
}

}  // namespace plumbline::kernel
