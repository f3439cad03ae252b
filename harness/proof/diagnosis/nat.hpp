#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/proof/diagnosis/case.hpp"
#include "harness/proof/diagnosis/facts.hpp"
#include "harness/proof/diagnosis/firewall.hpp"

/// What the causes that NAT is to blame for have in common.
namespace plumbline::proof::firewall {

/// How a packet of somebody else's left the node under test by a cable of its own.
struct Departure {
  std::string node, uplink;
  IpAddress own;          ///< the source that its sender gave it
  IpAddress seen;         ///< its source on the uplink
  IpAddress destination;  ///< there
  RulePacket packet;      ///< as the rules behind routing see it, before they change it

  bool translated() const { return own != seen; }
};
/// The first packet that left so, of an `egress` the first that did not leave as promised, where there is
/// one; of a `silent` the one that was seen. Absent: none was.
std::optional<Departure> departure(const Case& question, Facts& facts);

/// What the node's source NAT does with the packet.
struct SourceNat {
  enum class Kind : std::uint8_t {
    none,          ///< no rule is about it
    exempt,        ///< a rule lets it pass as it is before any translates it
    other_uplink,  ///< a rule would, if it left by another interface
    covers,        ///< a rule does
    doubt,         ///< it cannot be told
  };
  Kind kind = Kind::none;
  std::optional<RulePlace> place;  ///< of the rule; none: absent
  RuleWords words;                 ///< of it
};
SourceNat source_nat(const Case& question, const Departure& departure, Facts& facts);

/// A promise about the source on the uplink is broken: it left by the right one, but not as promised.
bool source_promised_otherwise(const Case& question, const Departure& departure);
/// It was to get through, was not answered, came further than the node, and nobody there knows the way back
/// to its source.
bool no_way_back(const Case& question, const Departure& departure, Facts& facts);

/// Commands that translate what leaves by the uplink from the sender's network: to `as` if that is not the
/// uplink's own first address.
std::vector<std::string> translate_commands(Facts& facts, const Departure& departure,
                                            const std::optional<IpAddress>& as);

/// The rule of destination NAT that the probe met in `node`. Absent: no trace tells of one.
std::optional<RulePlace> met_destination_nat(const Case& question, const std::string& node);
/// The same, or without a trace the only one that would take it, came it by the right interface, and that can
/// have led it `to` where that is known. Absent: none does, or several.
std::optional<RulePlace> destination_nat(const Case& question, Facts& facts, const std::string& node,
                                         const std::optional<IpAddress>& to);

}  // namespace plumbline::proof::firewall
