#include "harness/proof/diagnosis/reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <variant>
#include <vector>

namespace plumbline::proof {
namespace {

bool stops(const RuleMet& rule) {
  return rule.verdict == "drop" || rule.verdict == "reject";
}

/// TCP sends again what nobody acknowledged.
bool is_sent_again(const Sighting& again, const Sighting& before) {
  const auto* one = std::get_if<traffic::TcpHeader>(&again.packet.transport);
  const auto* other = std::get_if<traffic::TcpHeader>(&before.packet.transport);
  if (one == nullptr || other == nullptr) return one == other;
  return one->sequence == other->sequence && one->syn == other->syn && one->fin == other->fin &&
         again.packet.payload_total == before.packet.payload_total;
}

/// The last sighting of the leg's last packet, where its way may have ended. What was sent again may still
/// have been on its way when the capture was read: the copy that was seen most often tells how far it gets.
const Sighting* last_of(const Journey& journey, Leg leg) {
  std::vector<const Sighting*> packet;  // the last one's, all copies
  for (const Sighting& sighting : journey.sightings) {
    if (sighting.leg != leg || !sighting.packet.ip) continue;
    if (!packet.empty() && !is_sent_again(sighting, *packet.back())) packet.clear();
    packet.push_back(&sighting);
  }
  const Sighting* last = nullptr;
  std::size_t most = 0;
  for (std::size_t begin = 0, end = 0; begin < packet.size(); begin = end) {
    const Sighting& first = *packet[begin];
    const auto sent = [&](const Sighting* each) {
      return each->node == first.node && each->interface == first.interface &&
             each->packet.direction == first.packet.direction;
    };
    end = static_cast<std::size_t>(
        std::find_if(packet.begin() + static_cast<std::ptrdiff_t>(begin) + 1, packet.end(), sent) -
        packet.begin());
    if (end - begin < most) continue;
    most = end - begin;
    last = packet[end - 1];
  }
  return last;
}

std::optional<Dead> ended_at(const Sighting& last) {
  // What an interface sees go by for others is not taken in; a bridge's port hands it to the bridge.
  const traffic::Direction direction = last.packet.direction;
  const bool for_it = direction != traffic::Direction::out && direction != traffic::Direction::other_host;
  const bool came_in = for_it || last.interface == "lo";
  if (!came_in) return std::nullopt;
  return Dead{last.leg, last.node, &last, last.packet.ip->source, last.packet.ip->destination};
}

}  // namespace

std::string place(const Sighting& sighting) {
  return fmt::format("{}:{}", sighting.node, sighting.interface);
}

std::string rule_text(const Passage& passage, const RuleMet& rule) {
  const std::string chain = fmt::format("{}'s {} {} {}", passage.node, rule.family, rule.table, rule.chain);
  if (rule.kind == RuleMet::Kind::policy) return fmt::format("policy {} of {}", rule.verdict, chain);
  const char* number = rule.backend == RuleMet::Backend::nftables ? "handle" : "number";
  const std::string text = rule.text.empty() ? rule.verdict : rule.text;
  return fmt::format("rule of {} ({} {}): {}", chain, number, rule.number, text);
}

std::optional<Dead> died_inside(const Case& question) {
  const bool arrived = !question.to_node.empty() && question.journey.arrived(question.to_node) != nullptr;
  const bool answered = !question.journey.answers().empty();
  if (!arrived && !answered) {
    if (const Sighting* last = last_of(question.journey, Leg::forward)) return ended_at(*last);
    // Nothing seen of it: its own node's kernel has it, where that reports it.
    if (question.kernel.passed(question.from, Leg::forward)) {
      return Dead{Leg::forward, question.from, nullptr, question.outcome.identity.source, question.to};
    }
    return std::nullopt;
  }
  if (question.outcome.status == traffic::ProbeOutcome::Status::replied) return std::nullopt;
  const Sighting* last = last_of(question.journey, Leg::reply);
  if (last == nullptr || last->node == question.from) return std::nullopt;
  return ended_at(*last);
}

namespace {

/// Whether it was answered, or refused. Of a connection that stands, the handshake is the kernel's, and so is
/// the end of one that the asker has ended; of one that does not, an answer to the handshake got lost.
bool was_answered(const Journey& journey, bool connected) {
  bool given_up = false;
  for (const Sighting& each : journey.sightings) {
    const auto* tcp = std::get_if<traffic::TcpHeader>(&each.packet.transport);
    if (each.leg == Leg::forward && tcp != nullptr) given_up |= tcp->fin || tcp->rst;
    if (each.leg == Leg::error) return true;
    if (each.leg != Leg::reply) continue;
    if (!connected || tcp == nullptr || each.packet.payload_total > 0) return true;
    if (!given_up && (tcp->rst || tcp->fin)) return true;
  }
  return false;
}

}  // namespace

bool taken_in_silence(const Case& question) {
  using Status = traffic::ProbeOutcome::Status;
  const traffic::ProbeOutcome& outcome = question.outcome;
  const bool connected = outcome.status == Status::no_answer && outcome.error_number == 0;
  const bool resolves = question.promise == Case::Promise::resolve;
  const bool ping = question.protocol == traffic::Protocol::ping && !resolves;  // the kernel is never late
  if (ping || (outcome.status != Status::timeout && !connected)) return false;
  if (question.to_node.empty() || question.journey.arrived(question.to_node) == nullptr) return false;
  if (stopper(question.kernel) || !question.kernel.drops.empty()) return false;
  // An answer that waits for its neighbour's hardware address is at the target's hooks, and at no tap. Over
  // TCP it may be the handshake's, which the kernel gives.
  const bool handshake = connected || (resolves && question.dns_over_tcp);
  if (!handshake && question.kernel.passed(question.to_node, Leg::reply)) return false;
  const bool taken = connected || !question.delivered_to.empty() || resolves;
  return taken && !was_answered(question.journey, connected || resolves);
}

IpAddress translated_back(const Case& question, const Dead& answer) {
  const Journey& journey = question.journey;
  const Sighting* in = journey.first(Leg::forward, answer.node, traffic::Direction::in);
  const Sighting* out = nullptr;
  for (const Sighting& sighting : journey.sightings) {
    const bool there = sighting.is(Leg::forward, answer.node, traffic::Direction::out) && sighting.packet.ip;
    if (there && sighting.packet.ip->source == answer.destination) out = &sighting;
  }
  return in != nullptr && in->packet.ip && out != nullptr ? in->packet.ip->source : answer.destination;
}

bool passed_by(const Case& question, Facts& facts, const std::string& node) {
  const auto& known = question.kernel.translations;
  if (node == question.from || node == question.to_node || question.kernel.passed(node, Leg::forward) ||
      std::ranges::any_of(known, [&](const Translation& each) { return each.node == node; })) {
    return true;
  }
  const Sighting* in = question.journey.passed(node);  // for whomsoever: a bridge's port does not know
  if (in == nullptr) return false;
  const Sighting* out = question.journey.first(Leg::forward, node, traffic::Direction::out);
  if (out == nullptr || in == out) return true;
  const network::Node* here = facts.node(node);
  const network::Interface* port = here == nullptr ? nullptr : here->find_interface(in->interface);
  const network::Interface* other = here == nullptr ? nullptr : here->find_interface(out->interface);
  const bool bridged = port != nullptr && other != nullptr && !port->master.empty() &&
                       port->master == other->master && in->packet.ip && out->packet.ip &&
                       in->packet.ip->ttl == out->packet.ip->ttl;
  return !bridged;
}

Stopper stopper(const KernelPath& kernel, Leg leg) {
  for (const Passage& passage : kernel.passages) {
    if (passage.leg != leg || passage.copies == Passage::Copies::went_on) continue;
    const auto rule = std::ranges::find_if(passage.rules, stops);
    if (rule != passage.rules.end()) return {&passage, &*rule};
  }
  return {};
}

Stopper stopper(const KernelPath& kernel) {
  const Stopper forward = stopper(kernel, Leg::forward);
  return forward ? forward : stopper(kernel, Leg::reply);
}

bool may_have_rejected(const Case& question, Facts& facts, const std::string& node) {
  const bool traced = question.kernel.passed(node, Leg::forward) && !question.kernel.blind(node);
  if (traced) return false;  // and `stopper` knows of none
  const auto rejects = [](const Chain::Rule& rule) {
    return rule.text.find("reject") != std::string::npos || rule.text.find("REJECT") != std::string::npos;
  };
  return std::ranges::any_of(facts.chains(node),
                             [&](const Chain& chain) { return std::ranges::any_of(chain.rules, rejects); });
}

const Drop* dropped(const KernelPath& kernel, std::string_view reason, std::string_view node) {
  const auto found = std::ranges::find_if(kernel.drops, [&](const Drop& drop) {
    return drop.reason == reason && (node.empty() || drop.node == node);
  });
  return found == kernel.drops.end() ? nullptr : &*found;
}

std::uint64_t rose(const KernelPath& kernel, std::string_view node, std::string_view counter) {
  const auto found = std::ranges::find_if(kernel.counters, [&](const CounterChange& change) {
    return change.node == node && change.name.ends_with(counter);
  });
  return found == kernel.counters.end() ? 0 : found->by;
}

bool holds(const network::Node& node, const IpAddress& address) {
  return std::ranges::any_of(node.interfaces, [&](const network::Interface& interface) {
    return std::ranges::any_of(interface.addresses,
                               [&](const InterfaceAddress& held) { return held.address == address; });
  });
}

const network::Interface* on_link(const network::Node& node, const IpAddress& address) {
  for (const network::Interface& interface : node.interfaces) {
    for (const InterfaceAddress& held : interface.addresses) {
      if (held.network().contains(address)) return &interface;
    }
  }
  return nullptr;
}

bool is_private(const IpAddress& address) {
  static const std::vector<Prefix> ranges = [] {
    std::vector<Prefix> parsed;
    for (const char* text : {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
                             "169.254.0.0/16", "fc00::/7", "fe80::/10"}) {
      if (const auto prefix = Prefix::parse(text)) parsed.push_back(*prefix);
    }
    return parsed;
  }();
  return std::ranges::any_of(ranges, [&](const Prefix& range) { return range.contains(address); });
}

std::string typed_on(std::string_view node, std::string_view command) {
  return fmt::format("{}  # on {}", command, node);
}

std::string_view version(IpFamily family) {
  return family == IpFamily::v4 ? "4" : "6";
}

}  // namespace plumbline::proof
