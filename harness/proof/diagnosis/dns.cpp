#include "harness/proof/diagnosis/dns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "harness/proof/diagnosis/hop.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/serving.hpp"

namespace plumbline::proof {
namespace {

using Status = traffic::DnsOutcome::Status;

/// A rule that accepts port 53 of the protocol, in nft's words or iptables'.
bool lets_through(const Chain::Rule& rule, std::string_view protocol) {
  const std::string& text = rule.text;
  const auto says = [&](const std::string& words) { return text.find(words) != std::string::npos; };
  const bool nft = says(fmt::format("{} dport 53 ", protocol)) && says("accept");
  const bool legacy = says(fmt::format("-p {}", protocol)) && says("--dport 53 ") && says("ACCEPT");
  return nft || legacy;
}

/// A rule or policy stopped it that knows nothing of ports, where another lets the other transport's through.
std::optional<OneTransport> at_a_firewall(const Case& question, Facts& facts) {
  const Stopper stop = stopper(question.kernel, Leg::forward);
  if (!stop || stop.rule->text.find("dport") != std::string::npos) return std::nullopt;
  const char* own = question.dns_over_tcp ? "tcp" : "udp";
  const char* other = question.dns_over_tcp ? "udp" : "tcp";
  const Chain::Rule* accepted = nullptr;
  const Chain* in = nullptr;
  for (const Chain& chain : facts.chains(stop.passage->node)) {
    const bool same = chain.family == stop.rule->family && chain.table == stop.rule->table;
    if (!same) continue;
    for (const Chain::Rule& rule : chain.rules) {
      if (lets_through(rule, own)) return std::nullopt;
      if (!lets_through(rule, other)) continue;
      accepted = &rule;
      in = &chain;
    }
  }
  if (accepted == nullptr) return std::nullopt;
  OneTransport found;
  const std::string chain = fmt::format("{} {} {}", in->family, in->table, in->name);
  found.how = fmt::format("{}'s {} lets port 53 through over {} alone", stop.passage->node, chain, other);
  found.evidence = {rule_text(*stop.passage, *stop.rule),
                    fmt::format("the rule that lets {} through: {}", other, accepted->text)};
  const bool iptables = in->name == "FORWARD" || in->name == "INPUT" || in->name == "OUTPUT" ||
                        in->backend == RuleMet::Backend::iptables_legacy;
  const std::string to = question.to.to_string();
  const char* command = question.to.is_v4() ? "iptables" : "ip6tables";
  found.fix = {
      typed_on(stop.passage->node,
               iptables ? fmt::format("{} -I {} -d {} -p {} --dport 53 -j ACCEPT", command, in->name, to, own)
                        : fmt::format("nft insert rule {} {} daddr {} {} dport 53 accept", chain,
                                      question.to.is_v4() ? "ip" : "ip6", to, own))};
  return found;
}

/// Only the server's own kernel says this of a port without a listener.
bool port_unreachable(const Case& question) {
  const auto& icmp = question.outcome.icmp;
  if (!icmp || icmp->from != question.to) return false;
  return icmp->v6 ? icmp->type == 1 && icmp->code == 4 : icmp->type == 3 && icmp->code == 3;
}

}  // namespace

bool answered_on_loopback(const Journey& journey, const std::string& from, const IpAddress& server) {
  return server.is_loopback() && std::ranges::any_of(journey.sightings, [&](const Sighting& each) {
           return each.leg == Leg::reply && each.node == from && each.packet.ip &&
                  each.packet.ip->source == server;
         });
}

std::optional<std::string> answerer(const Case& question) {
  if (answered_on_loopback(question.journey, question.from, question.to)) return question.to_node;
  const auto answers = question.journey.answers();
  if (answers.empty()) return std::nullopt;
  const Sighting& first = *answers.front();
  const bool made_there = first.packet.direction == traffic::Direction::out || first.interface == "lo";
  return made_there ? first.node : std::string();
}

bool answered_by_server(const Case& question) {
  if (question.promise != Case::Promise::resolve || !question.dns) return false;
  if (question.outcome.status != traffic::ProbeOutcome::Status::replied) return false;
  const auto by = answerer(question);
  return !by || *by == question.to_node;
}

bool serves_dns(Facts& facts, const std::string& node, std::uint16_t port) {
  const network::Node* known = facts.topology().find(node);
  return known != nullptr && std::ranges::any_of(known->services, [&](const network::Service& service) {
           return service.kind == network::Service::Kind::dns && service.port == port;
         });
}

std::optional<OneTransport> transport_alone(const Case& question, Facts& facts) {
  if (question.promise != Case::Promise::resolve || !question.dns || question.to.is_loopback()) {
    return std::nullopt;
  }
  if (auto found = at_a_firewall(question, facts)) return found;
  if (stopper(question.kernel)) return std::nullopt;
  const bool known = !question.to_node.empty();
  const bool serves = known && serves_dns(facts, question.to_node, question.port);
  if (known && !serves) return std::nullopt;
  const Sighting* came = known ? taken_in(question, facts, Leg::forward, question.to_node) : nullptr;
  if (known && came == nullptr) return std::nullopt;
  const Status status = question.dns->status;
  const bool said = question.dns_over_tcp ? status == Status::refused_connection
                                          : status == Status::icmp_error && port_unreachable(question);
  const bool other_works = question.dns_otherwise && traffic::is_response(*question.dns_otherwise);
  if (question.dns_otherwise && !other_works) return std::nullopt;  // neither
  const auto by = answerer(question);
  if (said && by && *by != question.to_node) return std::nullopt;
  const bool silent = known && taken_in_silence(question);
  if (!said && !silent) return std::nullopt;
  if (silent && !has_way_back(question, facts)) return std::nullopt;
  OneTransport found;
  // Nobody tells whether a rule of the server's dropped it.
  const bool may_be_dropped = silent && !question.kernel.drops_problem.empty() &&
                              !question.kernel.passed(question.to_node, Leg::forward);
  found.proven = known && (other_works || (said && serves)) && !may_be_dropped &&
                 !may_have_rejected(question, facts, question.to_node);
  const char* own = question.dns_over_tcp ? "TCP" : "UDP";
  found.how =
      silent ? fmt::format("{} got the question over {} and said nothing", server_text(question), own)
      : question.dns_over_tcp
          ? fmt::format("{} {} TCP to port {} with a reset", server_text(question),
                        question.dns->error_number == ECONNRESET ? "ends" : "refuses", question.port)
          : fmt::format("{} says that nothing listens on UDP port {}", server_text(question), question.port);
  if (came != nullptr) found.evidence.push_back(fmt::format("the question came in by {}", place(*came)));
  if (serves) {
    found.evidence.push_back(
        fmt::format("{} runs a DNS service at port {}", question.to_node, question.port));
  }
  if (other_works) {
    found.evidence.push_back(fmt::format("the same question over {}: {}",
                                         question.dns_over_tcp ? "UDP" : "TCP",
                                         traffic::to_text(*question.dns_otherwise)));
  }
  const std::string at = question.to.to_string();
  const std::string where = known ? question.to_node : at;
  const char* flag = question.dns_over_tcp ? "-lntp" : "-lnup";
  found.fix = {typed_on(where, fmt::format("ss {} 'sport = :{}'", flag, question.port)),
               typed_on(where, fmt::format("nft list ruleset | grep -n 'dport {}'", question.port)),
               typed_on(question.from, fmt::format("dig {} @{} {}", question.dns_over_tcp ? "+tcp" : "+notcp",
                                                   at, question.name))};
  return found;
}

}  // namespace plumbline::proof
