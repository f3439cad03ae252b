#include "harness/proof/witness/placement.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

namespace plumbline::proof {
namespace {

using traffic::Direction;

/// Not by length: a card or a router may have cut it.
bool same_packet(const PacketIdentity& a, const PacketIdentity& b) {
  const auto key = [](const PacketIdentity& p) {
    return std::tie(p.protocol, p.ip_id, p.sequence, p.acknowledgment, p.syn, p.fin, p.rst, p.payload);
  };
  return key(a) == key(b);
}

bool same_hook(const Passage& a, const Passage& b) {
  const auto key = [](const Passage& p) {
    return std::tie(p.node, p.leg, p.hook, p.bridge, p.iif, p.oif, p.identity);
  };
  return key(a) == key(b);
}

bool goes_out(Hook hook) {
  return hook == Hook::output || hook == Hook::postrouting;
}

class Placing {
 public:
  Placing(const Journey& journey, const KernelPath& path) : sightings_(journey.sightings), path_(path) {
    for (const Sighting& sighting : sightings_) identities_.push_back(identity_of(sighting.packet));
  }

  Placement place() {
    Placement placement;
    std::vector<std::optional<std::size_t>> known;
    for (std::size_t i = 0; i < path_.passages.size(); ++i) known.push_back(seen_place(i));
    std::map<std::pair<std::string_view, Leg>, std::size_t> before;
    for (std::size_t i = 0; i < known.size(); ++i) {
      const Passage& passage = path_.passages[i];
      const auto [last, first_here] = before.try_emplace({passage.node, passage.leg}, 0);
      std::size_t here = known[i] ? *known[i] : first_here ? unseen_place(passage) : last->second;
      if (!known[i]) here = std::min(here, next_known(known, i));
      last->second = std::max(last->second, here);
      placement.passages.push_back(last->second);
    }
    for (const Drop& drop : path_.drops) placement.drops.push_back(drop_place(drop, placement));
    return placement;
  }

 private:
  bool is(std::size_t sighting, const Passage& passage) const {
    const Sighting& seen = sightings_[sighting];
    return seen.leg == passage.leg && seen.node == passage.node &&
           (!passage.identity || same_packet(*passage.identity, identities_[sighting]));
  }
  /// A loopback shows each packet once, between its way out and its way in.
  static bool left(const Sighting& seen) {
    return seen.packet.direction == Direction::out || seen.interface == "lo";
  }
  static bool came(const Sighting& seen) { return seen.packet.direction != Direction::out; }

  /// Absent: no tap saw that packet there.
  std::optional<std::size_t> seen_place(std::size_t index) const {
    const Passage& passage = path_.passages[index];
    // What looks the same twice was sent twice, or went round.
    std::size_t again = 0;
    for (std::size_t i = 0; i < index; ++i)
      if (same_hook(path_.passages[i], passage)) ++again;
    const std::string& interface = goes_out(passage.hook) ? passage.oif : passage.iif;
    if (const auto exact = nth(passage, interface, again)) return exact;
    return goes_out(passage.hook) ? first_out(passage, 0) : last_in(passage);
  }
  std::optional<std::size_t> nth(const Passage& passage, std::string_view interface, std::size_t n) const {
    const bool out = goes_out(passage.hook);
    for (std::size_t i = 0; i < sightings_.size(); ++i) {
      const Sighting& seen = sightings_[i];
      if (!is(i, passage) || seen.interface != interface || !(out ? left(seen) : came(seen))) continue;
      if (n-- == 0) return out ? i : i + 1;
    }
    return std::nullopt;
  }
  std::optional<std::size_t> first_out(const Passage& passage, std::size_t from) const {
    for (std::size_t i = from; i < sightings_.size(); ++i) {
      if (is(i, passage) && left(sightings_[i])) return i;
    }
    return std::nullopt;
  }
  /// After all of its coming in, as by a bridge's port and then its bridge, and before it leaves.
  std::optional<std::size_t> last_in(const Passage& passage) const {
    std::optional<std::size_t> last;
    for (std::size_t i = 0; i < sightings_.size(); ++i) {
      if (!is(i, passage)) continue;
      if (last && !came(sightings_[i])) break;
      if (came(sightings_[i])) last = i + 1;
    }
    return last;
  }

  /// An answer's place is after what it answers; the rest is after what its leg has shown.
  std::size_t unseen_place(const Passage& passage) const {
    std::size_t after = 0;
    for (std::size_t i = 0; i < sightings_.size(); ++i) {
      const Sighting& seen = sightings_[i];
      if (seen.leg == Leg::neighbour) continue;
      const bool cause = passage.hook == Hook::output ? seen.node == passage.node && seen.leg != passage.leg
                                                      : seen.leg == passage.leg;
      if (cause) after = i + 1;
    }
    if (after == 0 && passage.leg != Leg::forward) return sightings_.size();
    return after;
  }
  std::size_t next_known(const std::vector<std::optional<std::size_t>>& known, std::size_t index) const {
    const Passage& passage = path_.passages[index];
    for (std::size_t i = index + 1; i < known.size(); ++i) {
      const Passage& later = path_.passages[i];
      if (known[i] && later.node == passage.node && later.leg == passage.leg) return *known[i];
    }
    return sightings_.size();
  }

  std::size_t drop_place(const Drop& drop, const Placement& placement) const {
    std::size_t after = 0;
    for (std::size_t i = 0; i < sightings_.size(); ++i) {
      const Sighting& seen = sightings_[i];
      const bool earlier =
          drop.time_ns != 0 ? seen.time_ns <= drop.time_ns : seen.leg == drop.leg && seen.node == drop.node;
      if (earlier) after = i + 1;
    }
    if (drop.reason != "NETFILTER_DROP") return after;
    return rule_place(drop, placement, after);
  }
  /// Of the rules that can have done it, the one closest in time.
  std::size_t rule_place(const Drop& drop, const Placement& placement, std::size_t by_time) const {
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < path_.passages.size(); ++i) {
      const Passage& passage = path_.passages[i];
      if (passage.node != drop.node || passage.leg != drop.leg || passage.stopper() == nullptr) continue;
      if (!found || placement.passages[i] <= by_time) found = placement.passages[i];
    }
    return found.value_or(by_time);
  }

  const std::vector<Sighting>& sightings_;
  const KernelPath& path_;
  std::vector<PacketIdentity> identities_;
};

}  // namespace

Placement place(const Journey& journey, const KernelPath& path) {
  return Placing(journey, path).place();
}

}  // namespace plumbline::proof
