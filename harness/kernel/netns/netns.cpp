#include "harness/kernel/netns/netns.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "harness/base/error.hpp"

namespace plumbline::kernel {
namespace {

// /proc/thread-self, not /proc/self: the namespace belongs to the thread, and others may be elsewhere.
constexpr const char* kOwn = "/proc/thread-self/ns/net";

Fd open_namespace(const char* path) {
  Fd fd(::open(path, O_RDONLY | O_CLOEXEC));
  if (!fd) throw Error::from_errno(errno, fmt::format("opening the network namespace {}", path));
  return fd;
}

[[noreturn]] void lost() noexcept {
  std::perror("plumbline: cannot return to its own network namespace");
  std::abort();
}

}  // namespace

Netns Netns::create() {
  const Fd home = open_namespace(kOwn);
  if (::unshare(CLONE_NEWNET) != 0) {
    const int error = errno;
    Error refused = Error::from_errno(error, "creating a network namespace");
    if (error == EPERM) {
      refused = refused.with_kind(ErrorKind::environment)
                    .with_remedy("run it as root or, in a container, with --privileged");
    }
    if (error == ENOSPC) {
      refused = refused.with_kind(ErrorKind::environment)
                    .with_remedy("raise the sysctl user.max_net_namespaces, which is used up");
    }
    throw refused;
  }
  Fd made(::open(kOwn, O_RDONLY | O_CLOEXEC));
  const int error = errno;
  if (::setns(home.get(), CLONE_NEWNET) != 0) lost();
  if (!made) throw Error::from_errno(error, "opening a new network namespace");
  return Netns(std::move(made));
}

Netns Netns::current() {
  return Netns(open_namespace(kOwn));
}

Netns Netns::open(const std::string& path) {
  Fd fd = open_namespace(path.c_str());
  // ENOTTY: no namespace at all.
  if (::ioctl(fd.get(), NS_GET_NSTYPE) != CLONE_NEWNET) {
    throw Error(fmt::format("opening the network namespace {}: it is something else", path));
  }
  return Netns(std::move(fd));
}

std::uint64_t Netns::inode() const {
  struct stat status {};
  if (::fstat(fd(), &status) != 0) throw Error::from_errno(errno, "reading a namespace's inode");
  return status.st_ino;
}

Netns::Entered::Entered(const Netns& target) : home_(open_namespace(kOwn)) {
  if (::setns(target.fd(), CLONE_NEWNET) != 0) {
    throw Error::from_errno(errno, "entering a network namespace");
  }
}

Netns::Entered::~Entered() {
  if (::setns(home_.get(), CLONE_NEWNET) != 0) lost();
}

void Netns::bind(const std::string& path) const {
  const Fd place(::open(path.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444));
  if (!place) throw Error::from_errno(errno, fmt::format("creating {}", path));
  const std::string source = fmt::format("/proc/self/fd/{}", fd());
  if (::mount(source.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    const int error = errno;
    ::unlink(path.c_str());
    throw Error::from_errno(error, fmt::format("naming a network namespace {}", path));
  }
}

void Netns::unbind(const std::string& path) {
  // Programs inside may have mounted something more upon it. EINVAL: it is no mount point (any more).
  while (::umount2(path.c_str(), MNT_DETACH) == 0) {
  }
  if (errno != EINVAL && errno != ENOENT) throw Error::from_errno(errno, fmt::format("unmounting {}", path));
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    throw Error::from_errno(errno, fmt::format("removing {}", path));
  }
}

}  // namespace plumbline::kernel
