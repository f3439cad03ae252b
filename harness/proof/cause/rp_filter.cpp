#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"
#include "harness/proof/diagnosis/routing.hpp"

namespace plumbline::proof {
namespace {

constexpr int kStrict = 1;

int number(const std::optional<std::string>& text) {
  int value = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

std::string path_of(std::string_view interface) {
  return fmt::format("net/ipv4/conf/{}/rp_filter", interface);
}

/// The kernel goes by the larger of the two.
int setting(Facts& facts, const std::string& node, const std::string& interface) {
  return std::max(number(facts.sysctl(node, path_of("all"))), number(facts.sysctl(node, path_of(interface))));
}

/// A packet that came in and was seen no more.
struct Arrived {
  const Sighting* sighting = nullptr;
  const IpAddress& source() const { return sighting->packet.ip->source; }
  const std::string& node() const { return sighting->node; }
};

/// What a rule that asks the routes for the source says, as firewalld makes one for IPv6.
bool asks_for_the_way_back(std::string_view rule) {
  const bool nft = rule.find("fib saddr") != std::string_view::npos;
  return nft || rule.find("rpfilter") != std::string_view::npos;
}

std::optional<Finding> by_rule(const Case& question) {
  const Stopper stopped = stopper(question.kernel);
  if (!stopped || !asks_for_the_way_back(stopped.rule->text)) return std::nullopt;
  const Passage& passage = *stopped.passage;
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary =
      fmt::format("{} drops what comes from {} by {}, as its own route back would not leave there.",
                  passage.node, passage.source.to_string(), passage.iif);
  finding.evidence = {"dropped by the " + rule_text(passage, *stopped.rule)};
  finding.opens = {passage.node, true};
  if (stopped.rule->backend == RuleMet::Backend::nftables) {
    finding.fix = {on(passage.node, question,
                      fmt::format("nft delete rule {} {} {} handle {}", stopped.rule->family,
                                  stopped.rule->table, stopped.rule->chain, stopped.rule->number))};
  }
  return finding;
}

std::optional<Finding> by_setting(const Case& question, Facts& facts, const Arrived& packet, Leg leg) {
  const network::Node* node = facts.node(packet.node());
  if (node == nullptr || !packet.source().is_v4() || packet.sighting->interface == "lo") return std::nullopt;
  const std::string iif = layer3(*node, packet.sighting->interface);
  const bool said = dropped(question.kernel, "IP_RPFILTER", packet.node()) != nullptr;
  const auto counted = rose(question.kernel, packet.node(), "IPReversePathFilter");
  const int strictness = setting(facts, packet.node(), iif);
  if (strictness == 0 || holds(*node, packet.source())) return std::nullopt;
  RouteQuestion back;
  back.to = packet.source();
  const RouteAnswer reverse = facts.route(packet.node(), back);
  const bool told = said || counted != 0;
  if (!told) {
    if (reverse.found() ? strictness != kStrict || reverse.dev == iif : question.to_node == packet.node())
      return std::nullopt;
    RouteQuestion in{packet.sighting->packet.ip->destination, packet.source(), iif, 0};
    const int refused = facts.route(packet.node(), in).error;
    if (refused != EINVAL && refused != EXDEV) return std::nullopt;
  }
  Finding finding;
  finding.certainty = Certainty::proven;
  const std::string source = packet.source().to_string();
  const std::string way = reverse.found() ? "its own route to there leaves by " + reverse.dev
                                          : std::string("it has no route to there");
  finding.summary = fmt::format("{}'s reverse path filter drops {} from {} on {}: {}.", packet.node(),
                                leg == Leg::reply ? "the answer" : "what comes", source, iif, way);
  finding.evidence = {
      fmt::format("{} > {} came in by {} and was seen no more", source,
                  packet.sighting->packet.ip->destination.to_string(), place(*packet.sighting)),
      fmt::format("rp_filter is {} there (the larger of {} and {})", strictness, path_of("all"),
                  path_of(iif))};
  if (reverse.found()) finding.evidence.push_back(fmt::format("a way to {} is {}", source, to_text(reverse)));
  if (said) finding.evidence.emplace_back("the kernel's reason for the drop: IP_RPFILTER");
  if (counted != 0) {
    finding.evidence.push_back(fmt::format("IPReversePathFilter of {} rose by {}", packet.node(), counted));
  }
  // 2 is the larger of any two, and asks only that there is some way back.
  const std::string loose = fmt::format("sysctl -w net.ipv4.conf.{}.rp_filter=2", iif);
  if (reverse.found()) finding.fix = {on(packet.node(), question, loose)};
  finding.opens = {packet.node(), false};
  return finding;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (auto finding = by_rule(question)) return finding;
  using Status = traffic::ProbeOutcome::Status;
  if (stopper(question.kernel) || question.outcome.status == Status::replied) return std::nullopt;
  for (const Leg leg : {Leg::reply, Leg::forward}) {
    const Arrived packet{came_last(question, leg)};
    if (packet.sighting == nullptr) continue;
    if (auto finding = by_setting(question, facts, packet, leg)) return finding;
    if (leg == Leg::reply) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

CauseKind rp_filter_cause() {
  return {
      "rp-filter",
      "The reverse path filter drops a packet whose source would be answered by another interface.",
      "With `rp_filter=1` (strict, the default of systemd, Red Hat and many cloud images) the kernel drops "
      "each IPv4 packet that comes in by another interface than its own route to the source would use. That "
      "hits hosts with two uplinks, policy routing whose rules do not hold for the reverse lookup (a rule by "
      "mark counts there only with `src_valid_mark=1`), VPNs and asymmetric routers. 2 (loose) asks only for "
      "some route to the source. IPv6 has no such setting; firewalld makes a rule of it instead "
      "(`fib saddr . mark . iif oif missing drop`).",
      "The packet came in and was seen no more, no rule dropped it, and the kernel names IP_RPFILTER, or "
      "counts it (IPReversePathFilter), or refuses the source in a lookup while its route to it leaves "
      "elsewhere and the setting is strict.",
      "Look with `sysctl -a | grep '\\.rp_filter'`, `nstat -az TcpExtIPReversePathFilter` and `ip route get "
      "SOURCE`. The larger of `all` and the interface's own counts, so that 2 on the interface is enough:\n"
      "```\nsysctl -w net.ipv4.conf.ens5.rp_filter=2\n```\n"
      "To keep it, put it into a file in /etc/sysctl.d. Or make the way back symmetric: `ip rule add from "
      "ADDRESS lookup 88`.",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of({reasons::links(),
                       reasons::frames(),
                       reasons::steering(),
                       reasons::translation(),
                       {"arp-unanswered", "hairpin-off", "martian-source"}})};
}

}  // namespace plumbline::proof
