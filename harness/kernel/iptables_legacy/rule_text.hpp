#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "harness/kernel/iptables_legacy/tables.hpp"

namespace plumbline::kernel::iptables {

/// One interface match: the name's bytes and which of them count.
struct InterfaceMatch {
  std::array<char, 16> name{};
  std::array<std::uint8_t, 16> mask{};
  bool inverted = false;
};
struct AddressMatch {
  IpAddress address, mask;
  bool inverted = false;
};
/// A match or target module: its name, and its struct behind the common header.
struct Extension {
  std::string name;
  std::uint8_t revision = 0;
  std::span<const std::uint8_t> info;
};

/// A rule's parts as they lie in the table.
struct Entry {
  InterfaceMatch in, out;
  AddressMatch source, destination;
  std::uint16_t protocol = 0;
  bool protocol_inverted = false;
  bool go_to = false;  ///< `-g` rather than `-j`
  std::vector<Extension> matches;
  Extension target;
  /// Of a standard target: where it leads, "ACCEPT", "RETURN", a chain; empty: to the next rule.
  std::string standard;

  bool is_standard() const noexcept { return target.name.empty(); }
};

/// The rule in `chain`, in the words of `iptables -S`.
Rule describe(IpFamily family, const std::string& chain, const Entry& entry);

}  // namespace plumbline::kernel::iptables
