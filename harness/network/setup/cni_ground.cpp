#include "harness/network/setup/cni_ground.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string_view>
#include <system_error>

#include "harness/kernel/netns/private_folders.hpp"
#include "harness/kernel/netns/sandbox.hpp"

namespace plumbline::network {
namespace {

constexpr const char* kLibrary = "/var/lib";
constexpr const char* kState = "/var/lib/cni";  // of host-local, and of runtimes
constexpr std::chrono::milliseconds kEndWithin{500};
constexpr int kLooks = 20;  // at a host that steps' programs go on changing

/// Where host-local keeps what it gives out: a folder for each network in it is where its notes are.
std::set<std::string> data_folders(const KeptNames& names) {
  std::set<std::string> folders;
  for (const std::filesystem::path folder : names.note_folders) {
    if (folder.is_absolute()) folders.insert(folder.parent_path().string());
  }
  return folders;
}

/// The nearest one that is there: a folder that is made below it is private then.
std::string existing(std::filesystem::path folder) {
  std::error_code problem;
  while (folder.has_relative_path() && !std::filesystem::is_directory(folder, problem)) {
    folder = folder.parent_path();
  }
  return folder.string();
}

bool is_within(std::string_view path, std::string_view folder) {
  return path == folder || (path.starts_with(folder) && path.substr(folder.size()).starts_with('/'));
}

/// The files that count: what plugins write for a while (/tmp), or for people (/var/log), does not.
std::vector<FileTree> trees_of(const kernel::ConfinedMounts& mounts, const std::set<std::string>& data) {
  std::vector<FileTree> trees{{"/run", {}}, {kernel::upper_of(kLibrary), kLibrary}};
  const auto points = kernel::mount_points();
  const auto is_state = [](const kernel::MountPoint& point) { return point.path == kState; };
  if (std::ranges::any_of(points, is_state)) trees.push_back({kState, {}});
  for (const auto& each : mounts.covered) {
    if (each.folder == "/etc" || is_within(each.folder, "/run")) trees.push_back({each.upper, each.folder});
    for (const std::string& folder : data) {
      if (is_within(folder, each.folder)) {
        trees.push_back({each.upper + folder.substr(each.folder.size()), folder});
      }
    }
  }
  return trees;
}

std::string name_entry(const std::string& name) {
  return fmt::format("name {} in {}", name, kernel::kNetnsDirectory);
}

}  // namespace

CniGround::CniGround(ScriptHost& host, const CniPlan& plan)
    : host_(host.network().netns(host.world().host()->name)) {
  for (const CniPlan::Network& network : plan.networks) {
    KeptNames names = kept_names(network.configuration);
    names_.bridges.merge(names.bridges);
    names_.admin_chains.merge(names.admin_chains);
    names_.note_folders.merge(names.note_folders);
    names_.devices.merge(names.devices);
  }
  const std::set<std::string> data = data_folders(names_);
  std::error_code problem;
  if (!std::filesystem::exists(kernel::upper_of(kLibrary), problem)) {
    library_ = Fd(::open(kLibrary, O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  kernel::make_private(std::vector<std::string>{kLibrary});
  kernel::make_empty(kState);
  std::vector<std::string> folders{"/etc", "/tmp", "/var/log", "/var/tmp"};
  for (const std::string& folder : data) folders.push_back(existing(folder));
  mounts_ = kernel::confine_mounts(folders, &host_);
  files_ = trees_of(mounts_, data);
  for (const CniPlan::Container& container : plan.containers) own_names_.insert(name_entry(container.name));
}

CniGround::State CniGround::look() const {
  State state;
  state.entries = survey(host_);
  for (std::vector<HostEntry> more : {survey_files(files_), survey_names(), survey_mounts(mounts_)}) {
    std::ranges::move(more, std::back_inserter(state.entries));
  }
  state.processes = kernel::other_processes();
  return state;
}

std::vector<kernel::OtherProcess> CniGround::programs_of_steps() const {
  std::vector<kernel::OtherProcess> running;
  for (const kernel::OtherProcess& each : kernel::other_processes()) {
    const auto is_in = [&](const auto& list) { return std::ranges::find(list, each) != list.end(); };
    if (is_in(before_del_.processes) && !is_in(after_add_.processes)) running.push_back(each);
  }
  return running;
}

/// Before the first ADD: below /run it was seen, below /var/lib it is in the machine's own, and what else
/// plugins write to is the machine's for us.
bool CniGround::was_there(const std::string& file) const {
  const auto is_it = [&](const HostEntry& entry) { return entry.file == file; };
  if (std::ranges::any_of(before_add_.entries, is_it)) return true;
  struct stat status {};
  if (is_within(file, "/run") || is_within(file, kState)) return false;
  if (!is_within(file, kLibrary)) return ::lstat(file.c_str(), &status) == 0;
  const std::string rest = file.substr(std::string_view(kLibrary).size() + 1);
  return library_ && ::fstatat(library_.get(), rest.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

CniGround::Difference CniGround::judge(const std::vector<Belongings>& containers,
                                       std::vector<HostEntry> now) const {
  const HostStates states{before_add_.entries, after_add_.entries, before_del_.entries, std::move(now)};
  std::set<std::string> rules;  // a rule that stays by design does so once
  for (const HostEntry& entry : states.before_add) {
    if (!entry.rule.empty()) rules.insert(entry.text);
  }
  std::set<std::string_view> known;  // what steps wrote to they may go on writing to
  for (const HostEntry& entry : states.after_add) known.insert(entry.text);
  std::set<std::string_view> of_steps;
  for (const HostEntry& entry : states.before_del) {
    if (!entry.file.empty() && !known.contains(entry.text)) of_steps.insert(entry.file);
  }
  Difference found;
  for (HostEntry& entry : network::left_behind(states)) {
    if (own_names_.contains(entry.text) || is_note(entry, names_)) continue;
    if (of_steps.contains(entry.file) || is_of_an_address(entry, states.after_del)) continue;
    const bool owned =
        std::ranges::any_of(containers, [&](const Belongings& each) { return mentions(entry.text, each); });
    const bool again = !entry.rule.empty() && !rules.insert(entry.text).second;
    if (!owned && !again && stays_by_design(entry, names_)) {
      spdlog::debug("CNI plugins keep {}", entry.text);
      continue;
    }
    if (!entry.removal.empty() && !entry.file.empty() && was_there(entry.file)) {
      entry.text.insert(std::string_view("file ").size() + entry.file.size(),
                        ", which was there before, was changed");
      entry.removal.clear();
    }
    found.left.push_back(std::move(entry));
  }
  found.gone = taken_away(states);
  std::erase_if(found.gone, [&](const HostEntry& entry) {
    return names_.devices.contains(entry.link) && !entry.text.starts_with("link ");
  });
  return found;
}

CniGround::Difference CniGround::difference(const std::vector<Belongings>& containers) const {
  // What steps of the scenario started is theirs.
  std::vector<kernel::OtherProcess> known = before_add_.processes;
  std::ranges::move(programs_of_steps(), std::back_inserter(known));
  std::vector<HostEntry> processes;
  for (const kernel::OtherProcess& each : kernel::processes_beside(known, kEndWithin)) {
    HostEntry& entry = processes.emplace_back();
    entry.text = "process " + each.name;
    entry.removal = fmt::format("kill {}", each.pid);
  }
  const auto keep_common = [](std::vector<HostEntry>& entries, const std::vector<HostEntry>& again) {
    std::erase_if(entries, [&](const HostEntry& entry) {
      return std::ranges::find(again, entry.text, &HostEntry::text) == again.end();
    });
  };
  Difference found = judge(containers, look().entries);
  for (int i = 0; i < kLooks && !(found.left.empty() && found.gone.empty()); ++i) {
    if (programs_of_steps().empty()) break;
    const Difference again = judge(containers, look().entries);
    keep_common(found.left, again.left);
    keep_common(found.gone, again.gone);
  }
  found.left.insert(found.left.begin(), processes.begin(), processes.end());
  return found;
}

}  // namespace plumbline::network
