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
#include "harness/kernel/netns/sandbox.hpp"

namespace plumbline::kernel {
namespace {

/// In the sandbox's own /run, which ends with it.
constexpr const char* kUpper = "/run/plumbline-upper";

void require_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
    throw Error::from_errno(errno, "making the folder " + path);
  }
}

void cover(const std::string& folder) {
  std::string name = folder;
  for (char& letter : name) letter = letter == '/' ? '_' : letter;
  const std::string base = fmt::format("{}/{}", kUpper, name);
  if (::mkdir(base.c_str(), 0755) != 0) {
    if (errno == EEXIST) return;
    throw Error::from_errno(errno, "making the folder " + base);
  }
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

}  // namespace

void make_private(std::span<const std::string> folders) {
  if (!in_sandbox()) throw Error("folders are made private in a sandbox only");
  require_folder(kUpper);
  struct statfs upper {};
  // What lies on the machine's own disk would not end with the sandbox.
  if (::statfs(kUpper, &upper) != 0 || upper.f_type != TMPFS_MAGIC) {
    throw Error(fmt::format("{} is not in the sandbox's private /run", kUpper));
  }
  for (const std::string& folder : folders) {
    std::error_code problem;
    if (std::filesystem::is_directory(folder, problem)) cover(folder);
  }
}

}  // namespace plumbline::kernel
