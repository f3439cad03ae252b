#include <fmt/format.h>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/dns.hpp"
#include "harness/proof/diagnosis/reasons.hpp"

namespace plumbline::proof {
namespace {

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  auto found = question.dns_over_tcp ? std::nullopt : transport_alone(question, facts);
  if (!found) return std::nullopt;
  Finding finding;
  finding.certainty = found->proven ? Certainty::proven : Certainty::likely;
  finding.summary = fmt::format("{}: DNS works over TCP at most.", found->how);
  finding.evidence = std::move(found->evidence);
  finding.fix = std::move(found->fix);
  return finding;
}

}  // namespace

CauseKind dns_tcp_only_cause() {
  return {
      "dns-tcp-only",
      "DNS is served over TCP, but not over UDP.",
      "Resolvers of containers ask over UDP unless told otherwise, so that a server which is there over TCP "
      "alone seems dead: every name takes the full time-out. A port mapping without `/udp` (`-p 53:53` "
      "publishes TCP only), a firewall rule `tcp dport 53`, and a load balancer or tunnel that carries TCP "
      "alone (`kubectl port-forward`, `ssh -L`) are how it happens.",
      "The question over UDP came to the server, which answered that nothing listens or said nothing, though "
      "it serves DNS; or a firewall stopped it in a chain that accepts port 53 over TCP. Compare "
      "`dig @SERVER NAME` with `dig +tcp @SERVER NAME`.",
      "Open the port over UDP too, for example\n```\nnft insert rule inet filter forward ip daddr SERVER udp "
      "dport "
      "53 accept\n```\nor publish it (`-p 53:53/udp`). Until then `options use-vc` in resolv.conf makes "
      "glibc "
      "ask over TCP.",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of({reasons::links(), reasons::frames(), reasons::steering(), reasons::translation(),
                       reasons::rules(), reasons::ways()})};
}

}  // namespace plumbline::proof
