#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/ip.hpp"
#include "harness/network/setup/host_survey.hpp"

/// What a host still holds of containers when it should hold nothing. Pure.
namespace plumbline::network {

/// By what a thing in a host is known to be a container's.
struct Belongings {
  std::string id;                    ///< CNI_CONTAINERID
  std::vector<IpAddress> addresses;  ///< of the container
  std::set<std::string> names;       ///< of the host's ends of its cables, and of chains of its own
};

/// Whether `text` names one of them: as a word of its own, so 10.88.0.2 is not in 10.88.0.20.
bool mentions(std::string_view text, const Belongings& belongings);

/// Whether a name holds a hash, as plugins name what they make for one container
/// (CNI-2289eab9aeb9175e503f2c16).
bool is_hash_name(std::string_view name);

/// Adds the chains that are the container's own: of those that hold a rule of its, or that one leads to, the
/// ones named by a hash. All others are shared.
void learn_chains(const std::vector<HostEntry>& entries, Belongings& belongings);

/// A host at four times.
struct HostStates {
  std::vector<HostEntry> before_add;  ///< before the first ADD
  std::vector<HostEntry> after_add;   ///< after the last
  std::vector<HostEntry> before_del;  ///< before the first DEL
  std::vector<HostEntry> after_del;   ///< after the last
};

/// What there is after the last DEL and was not there before the first ADD, but for what came between the
/// last ADD and the first DEL: that is not the plugins' doing.
std::vector<HostEntry> left_behind(const HostStates& states);

/// What there was before the first ADD and is not there after the last DEL, but for what went between the
/// last ADD and the first DEL: of the kernel's, and without what goes with another thing.
std::vector<HostEntry> taken_away(const HostStates& states);

}  // namespace plumbline::network
