#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

/// Causes by what they are about, for others to say what they are only a consequence of.
namespace plumbline::proof::reasons {

using Codes = std::vector<std::string_view>;

/// Faults of links and addresses that make the kernel take another way, or leave it none.
inline Codes links() {
  return {"interface-missing",   "link-down",       "no-carrier",
          "not-on-bridge",       "wrong-subnet",    "ipv6-disabled",
          "duplicate-address",   "address-missing", "connected-route-missing",
          "overlapping-networks"};
}

/// Frames come to somebody else, or to nobody, though addresses and ways are right.
inline Codes frames() {
  return {"bridge-port-blocked", "bridge-port-isolated", "duplicate-mac", "static-fdb-wrong",
          "static-neighbour-wrong"};
}

/// The packet was led to another way than it should have taken, so that what became of it there is no matter.
inline Codes steering() {
  return {"policy-rule-missing", "policy-rule-order",      "table-route-missing",
          "wrong-uplink",        "destination-translated", "missing-destination-nat"};
}

/// It went out with a source to which nobody outside can answer.
inline Codes translation() {
  return {"masquerade-wrong-uplink", "missing-masquerade", "nat-leak", "wrong-snat-address"};
}

/// A rule or policy stopped it; no two of them are claimed of one packet.
inline Codes rules() {
  return {"bridge-netfilter",           "bridge-rule-drop",  "conntrack-invalid-drop",
          "forward-policy-drop",        "forward-rule-drop", "forward-rule-order",
          "icmp-rate-limited",          "input-drop",        "legacy-and-nft-mixed",
          "missing-accept-for-replies", "output-drop"};
}

/// A node let go of it on its way, or of its answer, by its routes or by what it thinks of its source.
inline Codes ways() {
  return {"blackhole-route",    "forwarding-disabled", "hairpin-off",   "martian-source", "no-default-route",
          "missing-route-back", "rp-filter",           "ttl-exceeded",  "wrong-gateway",  "neighbour-failed",
          "arp-unanswered",     "conntrack-full",      "mtu-too-small", "pmtu-black-hole"};
}

inline Codes any_of(std::initializer_list<Codes> groups) {
  Codes all;
  for (const Codes& each : groups) all.insert(all.end(), each.begin(), each.end());
  return all;
}

}  // namespace plumbline::proof::reasons
