#include "harness/kernel/netns/sandbox_mounts.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>

#include "harness/base/error.hpp"
#include "harness/base/fd.hpp"
#include "harness/kernel/netns/sysfs.hpp"

namespace plumbline::kernel {
namespace {

constexpr const char* kUnmask =
    "the container masks /proc: run it with --privileged (or --security-opt systempaths=unconfined; "
    "podman: unmask=ALL)";

Fd open_directory(const char* path) {
  return Fd(::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

// The old /proc belongs to an outer pid namespace. Its self and thread-self are still right, which is all
// that this program needs of it; but in containers that mask /proc, its sysctls are usually read-only as
// well.
void check_old_proc(int refusal) {
  if (::access("/proc/thread-self/ns/net", R_OK) != 0) {
    throw Error::from_errno(refusal, "mounting /proc in the sandbox, whose old /proc is unusable")
        .with_kind(ErrorKind::environment)
        .with_remedy(kUnmask);
  }
  if (::access("/proc/sys/net/ipv4/ip_forward", W_OK) != 0) {
    throw Error::from_errno(errno, "writing namespaces' sysctls in /proc/sys/net (a new /proc was refused)")
        .with_kind(ErrorKind::environment)
        .with_remedy(kUnmask);
  }
}

void mount_proc() {
  if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) check_old_proc(errno);
}

void recreate_symlink(const Fd& from, const Fd& to, const char* name) {
  std::array<char, PATH_MAX> target{};
  const ssize_t length = ::readlinkat(from.get(), name, target.data(), target.size() - 1);
  // One that cannot be read or made is passed over, like every other entry.
  if (length > 0 && ::symlinkat(target.data(), to.get(), name) != 0) return;
}

/// Shows the entry `name` of the old /run in the new one; passes over what cannot be shown.
void re_expose(const Fd& from, const Fd& to, const char* name) {
  struct stat status {};
  if (::fstatat(from.get(), name, &status, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0) return;
  if (S_ISLNK(status.st_mode)) return recreate_symlink(from, to, name);
  const bool directory = S_ISDIR(status.st_mode);
  if (directory) {
    if (::mkdirat(to.get(), name, 0755) != 0) return;
  } else {
    // Any file can be mounted on any other that is no directory: a socket on this one, for instance.
    const Fd placeholder(::openat(to.get(), name, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!placeholder) return;
  }
  if (!graft(from, to, name)) ::unlinkat(to.get(), name, directory ? AT_REMOVEDIR : 0);
}

// What must not be shared with the outside: the names of its namespaces, what mount(8) notes down of its
// mounts (mount/utab), and the lock of iptables, which is meant for one network namespace and which a user
// namespace could not even open.
bool is_private(std::string_view name) {
  return name == "." || name == ".." || name == "netns" || name == "xtables.lock" || name == "mount";
}

[[noreturn]] void run_refused(const char* attempted) {
  throw Error::from_errno(errno, attempted)
      .with_kind(ErrorKind::environment)
      .with_remedy("in a container, run it with --privileged");
}

/// Sysctls that are the machine's are read-only for whatever runs inside. What is below `net` and `user`
/// belongs to a namespace, which has folders of its own there. In a user namespace the kernel guards them
/// anyway: what cannot be mounted is passed over.
void protect_sysctls() {
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir("/proc/sys"), ::closedir);
  if (!entries) return;
  while (const dirent* entry = ::readdir(entries.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == ".." || name == "net" || name == "user") continue;
    const std::string path = "/proc/sys/" + name;
    constexpr unsigned long flags = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    if (::mount(path.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0) continue;
    ::mount(nullptr, path.c_str(), nullptr, flags, nullptr);
  }
}

void mount_run() {
  const Fd old = open_directory("/run");
  if (!old) run_refused("opening /run");
  const int listing = ::openat(old.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (listing < 0) run_refused("reading /run");
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(listing), ::closedir);
  if (!entries) run_refused("reading /run");
  if (::mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") != 0) {
    run_refused("mounting a private tmpfs on /run");
  }
  const Fd fresh = open_directory("/run");
  if (!fresh || ::mkdirat(fresh.get(), "netns", 0755) != 0) run_refused("making the private /run/netns");
  // `ip netns add` wants it to be a mount of its own, and would otherwise bind it upon itself: names from
  // before would then be there twice, and could not be removed.
  if (::mount("/run/netns", "/run/netns", nullptr, MS_BIND, nullptr) != 0) {
    run_refused("making the private /run/netns a mount of its own");
  }
  while (const dirent* entry = ::readdir(entries.get())) {
    if (!is_private(entry->d_name)) re_expose(old, fresh, entry->d_name);
  }
}

}  // namespace

bool graft(const Fd& from, const Fd& to, const char* name) {
  const Fd tree(::open_tree(
      from.get(), name,
      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT));
  return tree && ::move_mount(tree.get(), "", to.get(), name, MOVE_MOUNT_F_EMPTY_PATH) == 0;
}

void mount_sandbox() {
  // Before anything is mounted: it would spread to the outside from a shared mount.
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    const Error refused =
        Error::from_errno(errno, "making the sandbox's mounts private").with_kind(ErrorKind::environment);
    if (refused.error_number() != EINVAL) throw refused;
    throw refused.with_remedy(
        "the root folder is no mount point, as in a plain chroot: use a container instead");
  }
  mount_proc();
  protect_sysctls();
  // /sys/class/net shows the network namespace that it was mounted from. Where a container forbids mounting,
  // the old one stays: nothing here reads it, only some setup scripts would.
  mount_sysfs();
  mount_run();
}

}  // namespace plumbline::kernel
