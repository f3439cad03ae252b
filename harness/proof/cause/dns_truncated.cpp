#include <fmt/format.h>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/dns.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

using Status = traffic::DnsOutcome::Status;

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  (void)facts;
  if (!answered_by_server(question) || !question.dns->truncated) return std::nullopt;
  if (question.dns->status != Status::answered || question.dns_over_tcp) return std::nullopt;
  Finding finding;
  finding.certainty = Certainty::proven;
  const std::string server = server_text(question);
  const bool asked = question.dns_otherwise.has_value();
  const bool works = asked && question.dns_otherwise->status == Status::answered;
  const char* further = !asked  ? ", to be asked for over TCP"
                        : works ? "; over TCP the answer is whole"
                                : ", and over TCP there is no answer either";
  finding.summary = fmt::format("{}'s answer over UDP is truncated{}.", server, further);
  finding.evidence = {fmt::format("the answer over UDP says TC and holds {} of the addresses",
                                  question.dns->addresses.size())};
  if (asked) {
    finding.evidence.push_back(
        fmt::format("asked over TCP afterwards: {}", traffic::to_text(*question.dns_otherwise)));
  }
  const std::string at = question.to.to_string();
  finding.fix = {typed_on(question.from, fmt::format("dig +ignore @{} {}", at, question.name)),
                 typed_on(question.from, fmt::format("dig +tcp @{} {}", at, question.name))};
  if (asked && !works && !question.to_node.empty())
    finding.fix.insert(finding.fix.begin(), typed_on(question.to_node, "ss -lntp 'sport = :53'"));
  return finding;
}

}  // namespace

CauseKind dns_truncated_cause() {
  return {
      "dns-truncated",
      "The DNS server's answer over UDP is truncated.",
      "An answer that does not fit into a datagram (512 bytes, or what the client offers by EDNS) is cut, "
      "and "
      "says so by the TC bit; the client then asks again over TCP (RFC 7766). Where TCP to port 53 is closed "
      "on the server or by a firewall, the name never resolves, though short ones do. Some programs do not "
      "ask again at all: older musl (before 1.2.4, in Alpine up to 3.17) and many embedded resolvers.",
      "The answer from the server that was asked has the TC bit. The same question is then asked over TCP; "
      "the evidence says how that went.",
      "Open port 53 over TCP, on the server and in each firewall on the way:\n```\nnft insert rule inet "
      "filter forward ip daddr SERVER tcp dport 53 accept\n```\nor make the answer shorter (fewer addresses, "
      "`minimal-responses yes` in BIND), or let client and server agree on larger datagrams (`options edns0` "
      "in resolv.conf, `edns-buffer-size: 1232` in unbound).",
      recognise,
      CauseKind::Depth::network,
      {"duplicate-address", "dns-answer-from-elsewhere"}};
}

}  // namespace plumbline::proof
