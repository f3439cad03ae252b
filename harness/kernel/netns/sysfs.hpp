#pragma once

#include <sys/types.h>

#include <optional>

#include "harness/kernel/netns/netns.hpp"

namespace plumbline::kernel {

/// While it lives, /sys of the sandbox shows the devices of `netns` in class/net, as programs that run there
/// expect it. Where the kernel refuses (a container that forbids mounting), and outside a sandbox, /sys stays
/// as it is.
class SysfsView {
 public:
  explicit SysfsView(const Netns& netns);
  SysfsView(const SysfsView&) = delete;
  SysfsView& operator=(const SysfsView&) = delete;
  ~SysfsView();

 private:
  std::optional<dev_t> below_;  ///< the file system that was at /sys before; absent: nothing was mounted
};

/// Private to this folder: mounts the sysfs of the calling thread's network namespace on /sys. What a machine
/// keeps mounted below the old one (control groups, BPF, tracing) is seen there as well. False: refused.
bool mount_sysfs();

}  // namespace plumbline::kernel
