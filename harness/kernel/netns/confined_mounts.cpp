#include "harness/kernel/netns/confined_mounts.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <exception>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>
#include <system_error>
#include <thread>

#include "harness/base/error.hpp"
#include "harness/kernel/netns/confined_places.hpp"
#include "harness/kernel/netns/private_upper.hpp"

namespace plumbline::kernel {
namespace {

/// In a thread of its own, for a thread that has left our mount namespace cannot be trusted with anything
/// else. What it throws is thrown.
template <class Work>
void apart(const Work& work) {
  std::exception_ptr problem;
  std::thread thread([&] {
    try {
      work();
    } catch (...) {
      problem = std::current_exception();
    }
  });
  thread.join();
  if (problem) std::rethrow_exception(problem);
}

/// mountinfo writes spaces and the like as \040.
std::string unescaped(std::string_view text) {
  std::string plain;
  const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && text.size() - i > 3 && std::all_of(&text[i + 1], &text[i + 1] + 3, is_octal)) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

/// "36 35 98:0 /root /path options … - type source options"
std::vector<MountPoint> own_mount_points() {
  std::ifstream file("/proc/thread-self/mountinfo");
  if (!file) throw Error::from_errno(errno, "reading /proc/thread-self/mountinfo");
  std::vector<MountPoint> points;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string word;
    MountPoint point;
    for (int i = 0; i < 5; ++i) words >> point.path;
    point.path = unescaped(point.path);
    while (words >> word && word != "-") continue;
    if (words >> point.type >> point.source >> point.options) points.push_back(std::move(point));
  }
  return points;
}

bool is_below(std::string_view path, std::string_view folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

/// The sandbox's own, which end with it.
bool is_own(const MountPoint& point) {
  if (point.path == "/run" || point.path == "/run/netns" || is_below(point.path, "/run/netns")) return true;
  if (point.type == "tmpfs" && point.source == "plumbline") return true;
  return point.type == "overlay" && point.options.find(kUppers) != std::string::npos;
}

/// Whether it can be covered: nothing is mounted below it, and what is written to it would be the machine's.
bool can_cover(const std::string& folder, const std::vector<MountPoint>& points) {
  std::error_code problem;
  if (folder == "/" || !std::filesystem::is_directory(folder, problem)) return false;
  for (const char* kernels : {"/proc", "/sys", "/dev"}) {
    if (folder == kernels || is_below(folder, kernels)) return false;
  }
  return std::ranges::none_of(points, [&](const MountPoint& point) {
    return is_below(point.path, folder) ||
           (is_own(point) && (point.path == folder || is_below(folder, point.path)));
  });
}

void cover(const std::vector<std::string>& folders, std::vector<ConfinedMounts::Covered>& covered) {
  for (const std::string& folder : folders) {
    if (!can_cover(folder, own_mount_points())) continue;
    std::string name = folder;
    std::ranges::replace(name, '/', '_');
    const std::string base = fmt::format("{}/apart{}", kUppers, name);
    try {
      mount_upper(folder, base);
    } catch (const Error&) {  // it will be read-only
      continue;
    }
    covered.push_back({folder, base + "/upper"});
  }
}

/// But for the sandbox's own, and what `stays`, by its path, as it is.
template <class Stays>
void make_rest_read_only(const Stays& stays) {
  const std::vector<MountPoint> points = own_mount_points();
  std::set<std::string> kept;  // one path may have several mounts, and the flags are those of the topmost
  for (const MountPoint& point : points) {
    if (is_own(point) || stays(point.path)) kept.insert(point.path);
  }
  mount_attr read_only{};
  read_only.attr_set = MOUNT_ATTR_RDONLY;
  for (const MountPoint& point : points) {
    if (kept.contains(point.path)) continue;
    if (::mount_setattr(AT_FDCWD, point.path.c_str(), AT_SYMLINK_NOFOLLOW, &read_only, sizeof read_only) ==
        0) {
      continue;
    }
    // Hidden by what was mounted over it: nobody gets there.
    if (errno == ENOENT || errno == EINVAL || errno == ENOTDIR) continue;
    throw Error::from_errno(errno, fmt::format("making {} read-only for programs", point.path))
        .with_kind(ErrorKind::environment);
  }
}

/// A mount namespace beside our own, which `narrow` has been in. What is mounted in /run and in /run/netns is
/// so in both.
template <class Narrow>
Fd mounts_beside(const Narrow& narrow) {
  for (const char* shared : {"/run", "/run/netns"}) {
    if (::mount(nullptr, shared, nullptr, MS_SHARED, nullptr) != 0) {
      throw Error::from_errno(errno, fmt::format("sharing what is mounted in {}", shared));
    }
  }
  Fd fd;
  apart([&] {
    if (::unshare(CLONE_NEWNS) != 0) throw Error::from_errno(errno, "making a mount namespace for programs");
    narrow();
    fd = Fd(::open("/proc/thread-self/ns/mnt", O_RDONLY | O_CLOEXEC));
    if (!fd) throw Error::from_errno(errno, "opening a mount namespace for programs");
  });
  return fd;
}

}  // namespace

ConfinedMounts confine_mounts(std::span<const std::string> folders, const Netns* network) {
  require_uppers();
  // The outer of two first: what is below it is private by that.
  std::vector<std::string> sorted(folders.begin(), folders.end());
  std::ranges::sort(sorted);
  ConfinedMounts confined;
  confined.fd = mounts_beside([&] {
    std::vector<std::string> writable = narrow_kernel_folders(network);
    hide_run(own_mount_points(), confined.covered);
    for (const auto& each : confined.covered) writable.push_back(each.folder);
    narrow_devices();
    cover(sorted, confined.covered);
    make_rest_read_only(
        [&](const std::string& path) { return std::ranges::find(writable, path) != writable.end(); });
  });
  return confined;
}

Fd read_only_mounts() {
  return mounts_beside([] {
    make_rest_read_only([](const std::string& path) {
      return path == "/proc" || is_below(path, "/proc") || path == "/sys" || is_below(path, "/sys");
    });
  });
}

std::vector<MountPoint> mount_points(int mounts) {
  if (mounts < 0) return own_mount_points();
  std::vector<MountPoint> points;
  apart([&] {
    if (::unshare(CLONE_FS) != 0 || ::setns(mounts, CLONE_NEWNS) != 0) {
      throw Error::from_errno(errno, "entering a mount namespace");
    }
    points = own_mount_points();
  });
  return points;
}

}  // namespace plumbline::kernel
