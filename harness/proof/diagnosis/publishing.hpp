#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/proof/diagnosis/case.hpp"
#include "harness/proof/diagnosis/facts.hpp"
#include "harness/proof/diagnosis/firewall.hpp"

/// Rules of destination NAT as those that publish ports: where each leads, whose it is, and which nearly
/// fits.
namespace plumbline::proof::firewall {

/// Where a rule of destination NAT leads; what its words do not say is absent.
struct Lead {
  std::optional<IpAddress> address;
  std::optional<std::uint16_t> port;
  bool some_port = false;  ///< to another port than the packet's, but not told to which: a range
};
/// In nft's words or those of `iptables -S`. A range of addresses is not told.
Lead lead_of(std::string_view text);

/// An engine made the chain, and makes it anew: its rules are not to be edited.
bool is_engines(std::string_view chain);
/// Commands that show what is published there: the engine's own, else the chain. `server`: the container;
/// empty: not known.
std::vector<std::string> look_commands(const RulePlace& rule, const std::string& server);

/// A command that puts a rule into the chain of `rule`, or the one for what comes in, which leads this very
/// packet to `lead`. Empty: where that is, is not known.
std::vector<std::string> lead_commands(Facts& facts, const RulePlace& rule, const Lead& lead,
                                       const RulePacket& packet);

/// A rule that leads the probe's port to the wanted server, and did not take the probe.
struct NearMiss {
  RulePlace rule;
  Lead lead;
  std::string differs;    ///< "it takes only UDP", "it takes only what comes in by ens5"
  bool loopback = false;  ///< it is for 127.0.0.1 alone
  std::vector<std::string> fix;
};
/// The one that differs in least; `came` is the probe as it came in. Absent: none does, or in too much.
std::optional<NearMiss> near_miss(const Case& question, Facts& facts, const std::string& node,
                                  const std::string& server, const RulePacket& came);

/// Another rule of `node` than `rule` that leads the probe to `server`, if `rule` were not there.
std::optional<RulePlace> leads_there(const Case& question, Facts& facts, const RulePlace& rule,
                                     const std::string& server);

}  // namespace plumbline::proof::firewall
