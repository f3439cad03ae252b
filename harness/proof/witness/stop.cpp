#include "harness/proof/witness/stop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

namespace plumbline::proof {
namespace {

using traffic::Direction;

bool on_loopback(const Sighting& sighting) {
  return sighting.interface == "lo";
}

/// One packet of a leg, and whatever said the same again.
struct Sent {
  Leg leg = Leg::forward;
  PacketIdentity identity;  ///< of the first sending
  std::vector<const Sighting*> sightings;
  std::vector<const Passage*> passages;

  bool seen_at(std::string_view node) const {
    return std::ranges::any_of(sightings, [&](const Sighting* s) { return s->node == node; });
  }
  bool came_in_at(std::string_view node) const {
    return std::ranges::any_of(sightings, [&](const Sighting* s) {
      return s->node == node && (s->packet.direction == Direction::in || on_loopback(*s));
    });
  }
  const Passage* stopped() const {
    const auto found =
        std::ranges::find_if(passages, [](const Passage* p) { return p->stopper() != nullptr; });
    return found == passages.end() ? nullptr : *found;
  }
  /// A packet without content of its own may be lost without harm.
  bool matters() const { return identity.protocol != 6 || identity.syn || identity.payload; }
};

/// The sightings of the first sending: until one comes again to where it was already, or looks otherwise.
std::vector<const Sighting*> first_sending(const Sent& sent) {
  std::vector<const Sighting*> first;
  for (const Sighting* sighting : sent.sightings) {
    const auto place = [](const Sighting& s) { return std::tie(s.node, s.interface, s.packet.direction); };
    const bool again =
        std::ranges::any_of(first, [&](const Sighting* s) { return place(*s) == place(*sighting); });
    if (again || identity_of(sighting->packet).ip_id != sent.identity.ip_id) continue;
    first.push_back(sighting);
  }
  return first;
}

class Inquiry {
 public:
  Inquiry(const Journey& journey, const KernelPath& path) : journey_(journey), path_(path) {
    for (const Sighting& sighting : journey.sightings) add(sighting);
    for (const Passage& passage : path.passages) add(passage);
    source_ = origin(Leg::forward);
    answerer_ = origin(Leg::reply);
  }

  std::optional<Stop> stop() const {
    if (answered()) return std::nullopt;
    if (const auto refused = by_error()) return refused;
    for (const Sent& sent : sent_) {
      if (const auto found = lost(sent)) return found;
    }
    return unseen_drop();
  }

 private:
  Sent& entry(Leg leg, const PacketIdentity& identity) {
    const auto known = std::ranges::find_if(
        sent_, [&](const Sent& s) { return s.leg == leg && says_the_same(s.identity, identity); });
    if (known != sent_.end()) return *known;
    Sent& fresh = sent_.emplace_back();
    fresh.leg = leg;
    fresh.identity = identity;
    return fresh;
  }
  void add(const Sighting& sighting) {
    if (sighting.leg != Leg::forward && sighting.leg != Leg::reply) return;
    entry(sighting.leg, identity_of(sighting.packet)).sightings.push_back(&sighting);
  }
  void add(const Passage& passage) {
    if (passage.leg != Leg::forward && passage.leg != Leg::reply) return;
    if (passage.identity) {
      entry(passage.leg, *passage.identity).passages.push_back(&passage);
      return;
    }
    const auto first = std::ranges::find(sent_, passage.leg, &Sent::leg);
    (first != sent_.end() ? *first : entry(passage.leg, {})).passages.push_back(&passage);
  }

  /// The node that a leg's packets are from; empty: none that we watch, or there are none.
  std::string origin(Leg leg) const {
    for (const Sent& sent : sent_) {
      if (sent.leg != leg) continue;
      if (!sent.sightings.empty()) {
        const Sighting& first = *sent.sightings.front();
        return first.packet.direction == Direction::out || on_loopback(first) ? first.node : std::string();
      }
      if (!sent.passages.empty()) return sent.passages.front()->node;
    }
    return {};
  }

  /// An answer came back to the source: of TCP, one with content or none that anything was to follow.
  bool answered() const {
    const bool turned_away = std::ranges::any_of(sent_, [](const Sent& s) {
      const Passage* stopped = s.leg == Leg::forward ? s.stopped() : nullptr;
      return stopped != nullptr && stopped->stopper()->verdict == "reject";
    });
    if (turned_away) return false;
    return std::ranges::any_of(sent_, [&](const Sent& s) {
      const bool answers = s.identity.protocol != 6 || s.identity.payload || s.identity.rst;
      return s.leg == Leg::reply && answers && s.came_in_at(source_) && s.stopped() == nullptr;
    });
  }

  /// Whether it got to the far end of its leg.
  bool arrived(const Sent& sent) const {
    if (sent.leg == Leg::reply) return sent.came_in_at(source_);
    const bool answers = std::ranges::any_of(sent_, [](const Sent& s) { return s.leg == Leg::reply; });
    if (!answers) return false;
    if (answerer_ == source_) return true;  // all within one node
    if (!answerer_.empty()) return sent.came_in_at(answerer_);
    // It was answered from beyond what we watch: so far it got that left all nodes.
    return !sent.sightings.empty() && sent.sightings.back()->packet.direction == Direction::out;
  }

  std::optional<Stop> lost(const Sent& sent) const {
    const Passage* stopped = sent.stopped();
    const bool through = arrived(sent);
    // Sent again it may have got through; but what stopped it on arrival did so after the last tap.
    if (stopped != nullptr && (!through || at_the_end(sent, *stopped))) return by_rule(sent, *stopped);
    if (through || !sent.matters()) return std::nullopt;
    return by_absence(sent);
  }
  bool at_the_end(const Sent& sent, const Passage& stopped) const {
    const std::string& end = sent.leg == Leg::reply ? source_ : answerer_;
    const auto later = [&](const Passage* p) {
      return p->node == end && p->hook == stopped.hook && p->bridge == stopped.bridge &&
             p->stopper() == nullptr;
    };
    return stopped.node == end && std::ranges::none_of(sent.passages, later);
  }

  Stop by_rule(const Sent& sent, const Passage& passage) const {
    Stop stop = in(sent, passage.node);
    stop.passage = &passage;
    stop.rule = passage.stopper();
    return stop;
  }

  /// Nobody says that it stopped it: where it was last, and what the kernel let go of there.
  std::optional<Stop> by_absence(const Sent& sent) const {
    if (const Drop* drop = drop_of(sent)) {
      Stop stop = in(sent, drop->node);
      stop.passage = last_passage(sent, drop->node);
      return stop;
    }
    if (!journey_.complete) return std::nullopt;
    const auto first = first_sending(sent);
    if (first.empty()) {
      Stop stop = in(sent, sent.passages.back()->node);
      stop.passage = sent.passages.back();
      return stop;
    }
    Stop stop = in(sent, first.back()->node);
    stop.inside = first.back()->packet.direction != Direction::out;
    stop.passage = stop.inside ? last_passage(sent, stop.node) : nullptr;
    return stop;
  }

  Stop in(const Sent& sent, const std::string& node) const {
    Stop stop;
    stop.leg = sent.leg;
    stop.node = node;
    for (const Sighting* sighting : first_sending(sent)) stop.last = sighting;
    const Drop* drop = drop_of(sent);
    if (drop != nullptr && drop->node == node) stop.drop = drop;
    return stop;
  }

  const Drop* drop_of(const Sent& sent) const {
    const auto found = std::ranges::find_if(path_.drops, [&](const Drop& drop) {
      // Of the packets of one leg, the one that was under way by then and had not arrived.
      return drop.leg == sent.leg &&
             (sent.sightings.empty() || drop.time_ns == 0 || drop.time_ns >= sent.sightings.front()->time_ns);
    });
    return found == path_.drops.end() ? nullptr : &*found;
  }

  static const Passage* last_passage(const Sent& sent, const std::string& node) {
    const Passage* last = nullptr;
    std::array<const Passage*, 2> of_kind{};  // a bridge's hooks come before IP's, among them, or after
    for (const Passage* passage : sent.passages) {
      if (passage->node != node) continue;
      const Passage*& before = of_kind.at(passage->bridge ? 1 : 0);
      // A hook that comes again is the next sending's.
      if (before != nullptr && passage->hook <= before->hook) break;
      before = last = passage;
    }
    return last;
  }

  /// Somebody sent an ICMP error: the packet that it quotes went no further than that.
  std::optional<Stop> by_error() const {
    const auto error = std::ranges::find(journey_.sightings, Leg::error, &Sighting::leg);
    if (error == journey_.sightings.end()) return std::nullopt;
    const bool from_here = error->packet.direction == Direction::out || on_loopback(*error);
    const Sent* quoted = quoted_by(*error);
    if (quoted == nullptr) return std::nullopt;
    const Passage* stopped = quoted->stopped();
    Stop stop = stopped != nullptr ? by_rule(*quoted, *stopped) : in(*quoted, from_here ? error->node : "");
    stop.inside = !stop.node.empty();
    if (stopped == nullptr && stop.inside) stop.passage = last_passage(*quoted, stop.node);
    stop.error = &*error;
    return stop;
  }
  const Sent* quoted_by(const Sighting& error) const {
    const auto* icmp = std::get_if<traffic::IcmpHeader>(&error.packet.transport);
    const traffic::Packet* quoted = icmp == nullptr ? nullptr : icmp->quoted.get();
    const auto is = [&](const Sent& sent) {
      return quoted != nullptr && std::ranges::any_of(sent.sightings, [&](const Sighting* s) {
               return quoted->ip && s->packet.ip && s->packet.ip->source == quoted->ip->source &&
                      s->packet.ip->destination == quoted->ip->destination &&
                      identity_of(*quoted).sequence == sent.identity.sequence;
             });
    };
    // Content first: a bare acknowledgment has the number of what follows it.
    for (const bool content : {true, false}) {
      for (const Sent& sent : sent_) {
        if (sent.matters() == content && is(sent)) return &sent;
      }
    }
    const auto first = std::ranges::find(sent_, Leg::forward, &Sent::leg);
    return first == sent_.end() ? nullptr : &*first;
  }

  /// No tap and no hook saw anything of the probe, but a kernel let go of it.
  std::optional<Stop> unseen_drop() const {
    if (!sent_.empty() || path_.drops.empty()) return std::nullopt;
    Stop stop;
    stop.drop = &path_.drops.front();
    stop.leg = stop.drop->leg;
    stop.node = stop.drop->node;
    return stop;
  }

  const Journey& journey_;
  const KernelPath& path_;
  std::vector<Sent> sent_;  ///< in the order in which they were seen first
  std::string source_, answerer_;
};

/// "came in by veth1, never left".
std::string last_seen(const Stop& stop) {
  if (stop.last == nullptr || stop.last->node != stop.node) return "never seen leaving";
  const bool left = stop.last->packet.direction == Direction::out && !on_loopback(*stop.last);
  if (left) return fmt::format("left by {}", stop.last->interface);
  const bool may_be_there = stop.leg == Leg::forward;
  return fmt::format("came in by {}, {}", stop.last->interface,
                     may_be_there ? "neither it nor an answer left" : "never left");
}

std::string icmp_of(const Sighting& error) {
  const auto* icmp = std::get_if<traffic::IcmpHeader>(&error.packet.transport);
  if (icmp == nullptr) return "an ICMP error";
  return fmt::format("{} {}", icmp->v6 ? "ICMPv6" : "ICMP",
                     traffic::icmp_text(icmp->type, icmp->code, icmp->v6));
}

std::string error_text(const Stop& stop) {
  if (!stop.node.empty()) return fmt::format("it sent {}", icmp_of(*stop.error));
  const std::string sender = stop.error->packet.ip ? stop.error->packet.ip->source.to_string() : "somebody";
  return fmt::format("{}, beyond {}:{}, sent {}", sender, stop.error->node, stop.error->interface,
                     icmp_of(*stop.error));
}

std::string drop_text(const Drop& drop) {
  std::string text = fmt::format("kernel drop reason {}", drop.reason);
  if (!drop.function.empty()) text += " in " + drop.function;
  return text;
}

std::string nothing_says(const Stop& stop) {
  std::string text = fmt::format("no kernel says why ({}", last_seen(stop));
  if (stop.passage != nullptr) text += fmt::format("; last at hook {}", stop.passage->hook_text());
  return text + ")";
}

std::string why(const Stop& stop) {
  if (stop.rule != nullptr) return to_text(*stop.rule);
  if (stop.error != nullptr) return error_text(stop);
  if (stop.drop != nullptr) return drop_text(*stop.drop);
  return nothing_says(stop);
}

}  // namespace

std::optional<Stop> who_stopped(const Journey& journey, const KernelPath& path) {
  return Inquiry(journey, path).stop();
}

std::string to_text(const RuleMet& rule) {
  std::string text = fmt::format("{} {} {} ", rule.family, rule.table, rule.chain);
  if (rule.kind == RuleMet::Kind::policy) return text + "policy " + rule.verdict;
  if (rule.kind == RuleMet::Kind::returned) return text + "end of chain, " + rule.verdict;
  const bool legacy = rule.backend == RuleMet::Backend::iptables_legacy;
  text += fmt::format("{} {}", legacy ? "rule" : "handle", rule.number);
  return rule.text.empty() ? fmt::format("{} ({})", text, rule.verdict)
                           : fmt::format("{}: {}", text, rule.text);
}

std::string to_text(const Stop& stop) {
  const char* const answer = stop.leg == Leg::reply ? " (the answer)" : "";
  if (stop.node.empty()) return error_text(stop) + answer;
  if (!stop.inside) {
    return fmt::format("beyond {}:{}{}: left, and arrived nowhere that is watched", stop.node,
                       stop.last->interface, answer);
  }
  const bool at_hook = stop.rule != nullptr && stop.passage != nullptr;
  return fmt::format("{}{}{}: {}", stop.node, at_hook ? " " + stop.passage->hook_text() : "", answer,
                     why(stop));
}

}  // namespace plumbline::proof
