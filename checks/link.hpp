#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/engine/check/evidence.hpp"
#include "harness/network/topology/model.hpp"

namespace plumbline::checks {

/// An address as a promise names it; without a prefix length any will do.
struct PromisedAddress {
  IpAddress address;
  std::optional<int> prefix_length;
};

/// `link`: what is promised about one interface. Only what is set is judged.
struct LinkPromise {
  std::string dev;
  std::string state;  ///< "up" and running, "no-carrier": up but not running, "down"; empty: any
  std::string kind;   ///< the kernel's word; "loopback" for lo
  std::optional<network::Endpoint> peer;
  std::optional<std::string> master;  ///< empty: none
  std::uint32_t mtu = 0;              ///< 0: any
  std::optional<std::vector<PromisedAddress>> addresses;
  std::optional<MacAddress> mac;
  std::optional<bool> promiscuous;  ///< by the administrator's word, not for a program that listens
};

/// Judges `node` as it was read back. Link-local IPv6 addresses, which the kernel makes by itself, count only
/// where they are promised. Inconclusive where a promised address is still being checked for duplicates.
engine::Judgement judge_link(const LinkPromise& promise, const network::Node& node,
                             const std::optional<network::Endpoint>& peer);
/// That `node` has no such interface.
engine::Judgement judge_absent(const std::string& dev, const network::Node& node);
/// That its interfaces are exactly those.
engine::Judgement judge_only(const std::vector<std::string>& names, const network::Node& node);

}  // namespace plumbline::checks
