#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "harness/proof/diagnosis/case.hpp"

namespace plumbline::proof::firewall {

/// The port to which destination NAT in `node` has led a probe that is now for `destination`. Absent: not
/// known.
std::optional<std::uint16_t> port_behind_nat(const Case& question, const std::string& node,
                                             const IpAddress& destination);

}  // namespace plumbline::proof::firewall
