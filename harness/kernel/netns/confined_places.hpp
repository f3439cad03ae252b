#pragma once

#include <string>
#include <vector>

#include "harness/kernel/netns/confined_mounts.hpp"

/// Private to this folder: what of the machine's /run, /proc, /sys and /dev programs get to see in a mount
/// namespace of their own. Each is called by a thread in that namespace, and throws Error.
namespace plumbline::kernel {

/// Covers what of the machine's is shown in /run, all of `points` that is mounted there: folders by empty
/// ones, which are added to `covered`, and anything else by an empty file.
void hide_run(const std::vector<MountPoint>& points, std::vector<ConfinedMounts::Covered>& covered);

/// A /sys that shows the devices of `network`, and mount points of their own for what may stay writable when
/// /proc and /sys become read-only; returns those.
std::vector<std::string> narrow_kernel_folders(const Netns* network);

/// A /dev of a few devices by which nothing of the machine's can be changed.
void narrow_devices();

}  // namespace plumbline::kernel
