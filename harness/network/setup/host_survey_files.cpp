#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <system_error>

#include "harness/base/error.hpp"
#include "harness/base/text.hpp"
#include "harness/kernel/netns/sandbox.hpp"
#include "harness/network/setup/host_survey.hpp"

namespace plumbline::network {
namespace {

namespace fs = std::filesystem;

HostEntry entry_of(std::string text, std::string removal) {
  HostEntry entry;
  entry.text = std::move(text);
  entry.removal = std::move(removal);
  return entry;
}

HostEntry entry_of_file(const fs::path& path, const struct stat& status, const std::string& shown) {
  constexpr std::size_t longest = 4096;  // bytes of a file
  // An overlay's note of what was taken away.
  if (S_ISCHR(status.st_mode) && status.st_rdev == 0)
    return entry_of("file " + shown + " was taken away", {});
  if (!S_ISREG(status.st_mode)) return entry_of("file " + shown, "rm " + shown);
  std::string content(longest, '\0');
  std::ifstream file(path);
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  content.resize(static_cast<std::size_t>(file.gcount()));
  // Of a longer one its length tells of what was added.
  if (status.st_size > static_cast<off_t>(longest)) content += fmt::format("… ({} bytes)", status.st_size);
  return entry_of(fmt::format("file {}: {}", shown, printable(content)), "rm " + shown);
}

void survey_tree(const FileTree& tree, std::vector<HostEntry>& entries) {
  constexpr std::size_t most = 10'000;
  struct stat root {};
  if (::stat(tree.folder.c_str(), &root) != 0) return;
  std::error_code problem;
  fs::recursive_directory_iterator entry(tree.folder, fs::directory_options::skip_permission_denied, problem);
  for (; !problem && entry != fs::recursive_directory_iterator(); entry.increment(problem)) {
    if (entries.size() == most) {
      throw Error(fmt::format("below {} are more than {} files: what CNI plugins leave there cannot be told",
                              tree.shown.empty() ? tree.folder : tree.shown, most),
                  ErrorKind::setup)
          .with_remedy("have the scenario's steps write elsewhere, or `dataDir` name a folder of its own");
    }
    struct stat status {};
    const std::string path = entry->path().string();
    const bool there = ::lstat(path.c_str(), &status) == 0;
    if (!there || status.st_dev != root.st_dev || path == "/run/plumbline-upper") {
      entry.disable_recursion_pending();
      continue;
    }
    if (S_ISDIR(status.st_mode)) continue;
    const std::string& base = tree.shown.empty() ? tree.folder : tree.shown;
    const std::string shown = base + path.substr(tree.folder.size());
    entries.push_back(entry_of_file(entry->path(), status, shown));
    entries.back().file = shown;
  }
}

}  // namespace

std::vector<HostEntry> survey_files(const std::vector<FileTree>& trees) {
  std::vector<HostEntry> entries;
  for (const FileTree& tree : trees) survey_tree(tree, entries);
  return entries;
}

std::vector<HostEntry> survey_names() {
  std::vector<HostEntry> entries;
  std::error_code problem;
  for (fs::directory_iterator entry(kernel::kNetnsDirectory, problem);
       !problem && entry != fs::directory_iterator(); entry.increment(problem)) {
    const std::string name = entry->path().filename().string();
    entries.push_back(entry_of(fmt::format("name {} in {}", printable(name), kernel::kNetnsDirectory),
                               "ip netns delete " + name));
  }
  return entries;
}

std::vector<HostEntry> survey_mounts(const kernel::ConfinedMounts& mounts) {
  const std::string names = std::string(kernel::kNetnsDirectory) + "/";
  std::vector<HostEntry> entries;
  for (const kernel::MountPoint& each : kernel::mount_points(mounts.fd.get())) {
    if (each.path.starts_with(names)) continue;
    entries.push_back(entry_of(fmt::format("mount {} ({} {})", printable(each.path), each.type, each.source),
                               "umount " + each.path));
  }
  return entries;
}

}  // namespace plumbline::network
