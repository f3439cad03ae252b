#pragma once

#include <span>
#include <string>
#include <vector>

#include "harness/base/fd.hpp"
#include "harness/kernel/netns/netns.hpp"

namespace plumbline::kernel {

/// A mount namespace beside our own, for programs that may write wherever they like without changing the
/// machine. Below some folders they write to overlays whose upper layers are in the sandbox's /run. That /run
/// itself, and what was made private in the sandbox before, are as they are for us, and what is mounted in
/// /run and in /run/netns is so in both; but of the machine's /run, with the sockets of its daemons, nothing
/// is to be seen: reading only would not keep anybody from connecting to them. Of /proc only the sysctls of
/// networks can be written, of /sys only a network's devices, of /dev there is what changes nothing. All else
/// is read-only.
struct ConfinedMounts {
  struct Covered {
    std::string folder;
    std::string upper;  ///< where what is written below it is kept
  };
  Fd fd;  ///< for kernel::Command, and setns(2)
  std::vector<Covered> covered;
};

/// In a sandbox, for programs in `network` (none: they see no devices that can be written). Of `folders`,
/// each is covered that is there; one that is private already is passed over, and so is, and stays read-only,
/// one that something is mounted below, or that the kernel refuses an overlay on. Throws Error.
ConfinedMounts confine_mounts(std::span<const std::string> folders, const Netns* network = nullptr);

/// In a sandbox: a mount namespace where all is read-only but the sandbox's own, and the kernel's /proc and
/// /sys as they are for us: for daemons that need more than confine_mounts() leaves. What is mounted in /run
/// and in /run/netns is so in both. For kernel::Command, and setns(2). Throws Error.
Fd read_only_mounts();

/// One mount, as mountinfo has it (proc(5)).
struct MountPoint {
  std::string path;
  std::string type;     ///< "tmpfs"
  std::string source;   ///< "plumbline", "/dev/vda"
  std::string options;  ///< of the file system
};
/// Those of a mount namespace; -1: our own. Throws Error.
std::vector<MountPoint> mount_points(int mounts = -1);

}  // namespace plumbline::kernel
