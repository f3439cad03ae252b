#include <fmt/format.h>

#include <variant>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/dns.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  (void)facts;
  if (question.promise != Case::Promise::resolve || !question.dns || question.dns_over_tcp)
    return std::nullopt;
  const auto status = question.dns->status;
  const bool none =
      status == traffic::DnsOutcome::Status::timeout || status == traffic::DnsOutcome::Status::icmp_error;
  const Sighting* asked = question.to_node.empty() ? nullptr : question.journey.arrived(question.to_node);
  if (!none || asked == nullptr || !asked->packet.ip) return std::nullopt;
  const Sighting* answer = question.journey.first(Leg::reply, question.to_node, traffic::Direction::out);
  if (answer == nullptr || !answer->packet.ip) return std::nullopt;
  const auto* to = std::get_if<traffic::UdpHeader>(&asked->packet.transport);
  const auto* from = std::get_if<traffic::UdpHeader>(&answer->packet.transport);
  const IpAddress& source = answer->packet.ip->source;
  const IpAddress& meant = asked->packet.ip->destination;
  const bool other_port = to != nullptr && from != nullptr && from->source_port != to->destination_port;
  if (source == meant && !other_port) return std::nullopt;
  Finding finding;
  finding.certainty = Certainty::proven;
  const std::string where = source == meant ? fmt::format("port {}", from->source_port) : source.to_string();
  finding.summary = fmt::format("{} was asked, and answered from {}: {} takes no answer from there.",
                                server_text(question), where, question.from);
  finding.evidence = {fmt::format("the question came in by {} for {}{}", place(*asked), meant.to_string(),
                                  to == nullptr ? "" : fmt::format(" port {}", to->destination_port)),
                      fmt::format("the answer left by {} from {}{}", place(*answer), source.to_string(),
                                  from == nullptr ? "" : fmt::format(" port {}", from->source_port))};
  finding.fix = {
      typed_on(question.to_node, fmt::format("ss -lnup 'sport = :{}'", question.port)),
      typed_on(question.from, fmt::format("dig +notcp @{} {}", question.to.to_string(), question.name))};
  return finding;
}

}  // namespace

CauseKind dns_answer_from_another_address_cause() {
  return {
      "dns-answer-from-another-address",
      "The DNS server answered from another address or port than the one that was asked.",
      "A resolver takes an answer only from where it has sent its question, and so does every NAT and "
      "stateful firewall on the way. A server on a node with several addresses that listens on the wildcard "
      "address without IP_PKTINFO lets the kernel choose the source, and that is the address of the "
      "interface by which the answer leaves: another one where the node is asked at a secondary address, a "
      "VIP, or its other network. A proxy that opens a new socket for each answer, and a load balancer "
      "whose backends answer directly without holding its address, do the same.",
      "The question was seen coming in at the server, and an answer to it (id and name are the same) leaving "
      "there with another source. `dig` says \"reply from unexpected source\".",
      "Let the server bind the very addresses at which it is asked (unbound: `interface: ADDRESS` or "
      "`interface-automatic: yes`; dnsmasq: `--bind-dynamic`; BIND: `listen-on`), or give the route a "
      "source:\n```\nip route change NETWORK dev DEV src ADDRESS\n```",
      recognise};
}

}  // namespace plumbline::proof
