#include "harness/kernel/netns/private_folders.hpp"

#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "harness/base/error.hpp"
#include "harness/kernel/netns/private_upper.hpp"
#include "harness/kernel/netns/sandbox.hpp"

namespace plumbline::kernel {
namespace {

void require_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
    throw Error::from_errno(errno, "making the folder " + path);
  }
}

/// Where the upper layer of `folder` is kept.
std::string base_of(std::string folder) {
  for (char& letter : folder) letter = letter == '/' ? '_' : letter;
  return fmt::format("{}/{}", kUppers, folder);
}

void cover(const std::string& folder) {
  const std::string base = base_of(folder);
  if (::mkdir(base.c_str(), 0755) != 0) {
    if (errno == EEXIST) return;
    throw Error::from_errno(errno, "making the folder " + base);
  }
  mount_upper(folder, base);
}

bool is_below_private(const std::filesystem::path& folder) {
  std::error_code problem;
  for (std::filesystem::path each = folder.parent_path(); each.has_relative_path();
       each = each.parent_path()) {
    if (std::filesystem::is_directory(base_of(each.string()), problem)) return true;
  }
  return false;
}

}  // namespace

void mount_upper(const std::string& folder, const std::string& base) {
  require_folder(base);
  require_folder(base + "/upper");
  require_folder(base + "/work");
  std::string options = fmt::format("lowerdir={0},upperdir={1}/upper,workdir={1}/work", folder, base);
  // In a user namespace the trusted attributes that an overlay otherwise keeps its notes in are refused.
  if (::mount("overlay", folder.c_str(), "overlay", MS_NOSUID | MS_NODEV, options.c_str()) == 0) return;
  options += ",userxattr";
  if (::mount("overlay", folder.c_str(), "overlay", MS_NOSUID | MS_NODEV, options.c_str()) == 0) return;
  throw Error::from_errno(errno, fmt::format("covering {} with a private overlay", folder))
      .with_kind(ErrorKind::environment)
      .with_remedy(
          "load the kernel's module overlay (modprobe overlay); in a container, run it with --privileged");
}

void require_uppers() {
  if (!in_sandbox()) throw Error("folders are made private in a sandbox only");
  require_folder(kUppers);
  struct statfs upper {};
  // What lies on the machine's own disk would not end with the sandbox.
  if (::statfs(kUppers, &upper) != 0 || upper.f_type != TMPFS_MAGIC) {
    throw Error(fmt::format("{} is not in the sandbox's private /run", kUppers));
  }
}

std::string upper_of(const std::string& folder) {
  return base_of(folder) + "/upper";
}

void make_private(std::span<const std::string> folders) {
  require_uppers();
  for (const std::string& folder : folders) {
    std::error_code problem;
    if (std::filesystem::is_directory(folder, problem)) cover(folder);
  }
}

void make_empty(const std::string& folder) {
  if (!in_sandbox() || !is_below_private(folder)) throw Error(folder + " is below no private folder");
  std::error_code problem;
  if (std::filesystem::is_directory(folder, problem)) {
    if (::mount("plumbline", folder.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") == 0) return;
    throw Error::from_errno(errno, "covering " + folder);
  }
  std::filesystem::create_directories(folder, problem);
  if (problem) throw Error::from_errno(problem.value(), "making the folder " + folder);
}

}  // namespace plumbline::kernel
