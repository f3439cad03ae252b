#include <fmt/format.h>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/dns.hpp"
#include "harness/proof/diagnosis/reasons.hpp"

namespace plumbline::proof {
namespace {

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  auto found = question.dns_over_tcp ? transport_alone(question, facts) : std::nullopt;
  if (!found) return std::nullopt;
  Finding finding;
  finding.certainty = found->proven ? Certainty::proven : Certainty::likely;
  finding.summary = fmt::format("{}: DNS works over UDP at most.", found->how);
  finding.evidence = std::move(found->evidence);
  finding.fix = std::move(found->fix);
  return finding;
}

}  // namespace

CauseKind dns_udp_only_cause() {
  return {
      "dns-udp-only",
      "DNS is served over UDP, but not over TCP.",
      "A resolver asks over UDP first and again over TCP when the answer is too large for one datagram (it "
      "comes back truncated), as with many addresses, long TXT records or DNSSEC. RFC 7766 makes TCP "
      "mandatory, yet it is often forgotten: in a firewall that opens `udp dport 53` alone, in a Service or "
      "a port mapping with one protocol (`-p 53:53/udp`), or in a server that listens on UDP only. Then "
      "most names resolve, and a few never do.",
      "The question over TCP came to the server, which refused the connection or said nothing, though it "
      "serves DNS; or a firewall stopped it in a chain that accepts port 53 over UDP. `dig +tcp "
      "@SERVER NAME` shows it.",
      "Open the port over TCP too, for example\n```\nnft insert rule inet filter forward ip daddr SERVER tcp "
      "dport "
      "53 accept\n```\nor publish it (`-p 53:53/tcp`), or let the server listen (unbound: `do-tcp: yes`; "
      "dnsmasq and BIND do by themselves).",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of({reasons::links(), reasons::frames(), reasons::steering(), reasons::translation(),
                       reasons::rules(), reasons::ways()})};
}

}  // namespace plumbline::proof
