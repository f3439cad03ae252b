#pragma once

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "harness/kernel/netns/confined_mounts.hpp"
#include "harness/kernel/process/others.hpp"
#include "harness/network/setup/cni.hpp"
#include "harness/network/setup/cni_by_design.hpp"
#include "harness/network/setup/cni_leftovers.hpp"

namespace plumbline::network {

/// What CNI plugins stand on in a host, from before the first ADD until after the last DEL: folders to write
/// to that are not the machine's, and what the host held at which time.
class CniGround final : public ScriptHost::Kept {
 public:
  /// Makes it. Throws Error.
  CniGround(ScriptHost& host, const CniPlan& plan);

  /// Where plugins run, for cni::Site.
  int mounts() const noexcept { return mounts_.fd.get(); }

  void remember_before_add() { before_add_ = look(); }
  void remember_after_add() { after_add_ = look(); }
  void remember_before_del() { before_del_ = look(); }
  const std::vector<HostEntry>& before_del() const noexcept { return before_del_.entries; }

  /// How the host differs.
  struct Difference {
    std::vector<HostEntry> left;  ///< and is not there by design, or is one of the containers'
    std::vector<HostEntry> gone;  ///< that was there before the first ADD
  };
  /// To be called after the last DEL. Processes that are about to end are waited for a little, and as long as
  /// programs run that the scenario's steps started, only what stays as it is counts.
  Difference difference(const std::vector<Belongings>& containers) const;

  /// The programs of the scenario's steps that run.
  std::vector<kernel::OtherProcess> programs_of_steps() const;

 private:
  struct State {
    std::vector<HostEntry> entries;
    std::vector<kernel::OtherProcess> processes;
  };
  State look() const;
  Difference judge(const std::vector<Belongings>& containers, std::vector<HostEntry> now) const;
  bool was_there(const std::string& file) const;

  const kernel::Netns& host_;
  Fd library_;  ///< the machine's own /var/lib
  kernel::ConfinedMounts mounts_;
  std::vector<FileTree> files_;
  KeptNames names_;
  std::set<std::string> own_names_;  ///< as survey_names words them: of the containers' namespaces
  State before_add_, after_add_, before_del_;
};

}  // namespace plumbline::network
