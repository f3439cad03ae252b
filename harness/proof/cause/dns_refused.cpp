#include <fmt/format.h>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/dns.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

using Status = traffic::DnsOutcome::Status;

std::string rcode_text(const traffic::DnsOutcome& outcome) {
  switch (outcome.status) {
    case Status::refused:
      return "REFUSED";
    case Status::server_failure:
      return "SERVFAIL";
    case Status::name_error:
      return "NXDOMAIN";
    default:
      return fmt::format("error {}", outcome.rcode);
  }
}

std::string meaning_of(Status status) {
  switch (status) {
    case Status::refused:
      return ": it does not answer questions of this client";
    case Status::server_failure:
      return ": it could not find out";
    case Status::name_error:
      return ": it knows of no such name";
    default:
      return "";
  }
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  (void)facts;
  if (!answered_by_server(question)) return std::nullopt;
  const Status status = question.dns->status;
  const bool refused = status == Status::refused || status == Status::server_failure ||
                       status == Status::name_error || status == Status::other_rcode;
  if (!refused) return std::nullopt;
  const std::string rcode = rcode_text(*question.dns);
  const Sighting* came = question.to_node.empty() ? nullptr : question.journey.arrived(question.to_node);
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary =
      fmt::format("{} answers {} for {}{}.", server_text(question), rcode, question.name, meaning_of(status));
  finding.evidence = {fmt::format("the answer's code is {}, from the server that was asked", rcode)};
  if (came != nullptr && came->packet.ip) {
    finding.evidence.push_back(
        fmt::format("the server was asked by {}", came->packet.ip->source.to_string()));
  }
  finding.fix = {fmt::format("dig @{} {}  # on {}", question.to.to_string(), question.name, question.from),
                 fmt::format("dig {}  # on {}, with its own resolvers", question.name,
                             question.host.empty() ? question.from : question.host)};
  return finding;
}

}  // namespace

CauseKind dns_refused_cause() {
  return {
      "dns-refused",
      "The DNS server answered, but with an error.",
      "The network did its part: the question reached the server and its answer came back. REFUSED is a "
      "server's word to clients that it does not serve: an access list that knows the host's network and not "
      "the containers', or a server without recursion. NXDOMAIN says that there is no such name, as from a "
      "public resolver that is asked for an internal name, or with a missing search domain. SERVFAIL says "
      "that the server itself could not find out: its own upstream is out of reach, or DNSSEC failed.",
      "A DNS message came back from the server that was asked, and its code is not NOERROR. The evidence "
      "names the address by which the server knows the client, which NAT may have changed.",
      "REFUSED: let the server serve that address (unbound: `access-control: 172.17.0.0/16 allow`; BIND: "
      "`allow-query`, `allow-recursion`). NXDOMAIN: ask the server that has the zone, or add the name. "
      "SERVFAIL: look into the server's log, and try `dig +cd` to leave DNSSEC out.",
      recognise,
      CauseKind::Depth::network,
      {"duplicate-address", "dns-answer-from-elsewhere"}};
}

}  // namespace plumbline::proof
