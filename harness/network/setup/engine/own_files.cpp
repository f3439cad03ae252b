#include "harness/network/setup/engine/own_files.hpp"

#include <fmt/format.h>
#include <sys/mount.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "harness/base/error.hpp"
#include "harness/kernel/netns/private_folders.hpp"

namespace plumbline::network {
namespace {

constexpr std::array kOfAdministrators{"/etc/cdi",        "/etc/cni",    "/etc/containerd",
                                       "/etc/containers", "/etc/docker", "/etc/nri"};
/// Podman's defaults of the distribution (hooks, mounts, seccomp's profile), and Docker's plugins.
constexpr std::array kOfDistributions{"/usr/share/containers", "/usr/local/share/containers",
                                      "/usr/lib/docker/plugins"};

bool is_folder(const char* path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

}  // namespace

void hide_machine_settings() {
  for (const char* folder : kOfAdministrators) {
    if (is_folder(folder)) kernel::make_empty(folder);
  }
  for (const char* folder : kOfDistributions) {
    if (!is_folder(folder)) continue;
    if (::mount("plumbline", folder, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") != 0) {
      throw Error::from_errno(errno, fmt::format("covering {}", folder)).with_kind(ErrorKind::environment);
    }
  }
}

}  // namespace plumbline::network
