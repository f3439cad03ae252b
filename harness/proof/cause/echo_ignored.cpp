#include <fmt/format.h>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/reading.hpp"
#include "harness/proof/diagnosis/reasons.hpp"
#include "harness/proof/diagnosis/routing.hpp"

namespace plumbline::proof {
namespace {

/// The node's setting that silences it, by its path below /proc/sys.
std::string setting(IpFamily family) {
  return family == IpFamily::v4 ? "net/ipv4/icmp_echo_ignore_all" : "net/ipv6/icmp/echo_ignore_all";
}

std::string as_typed(std::string path) {
  for (char& c : path) {
    if (c == '/') c = '.';
  }
  return path;
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (question.protocol != traffic::Protocol::ping || question.dns) return std::nullopt;
  if (question.outcome.status != traffic::ProbeOutcome::Status::timeout || stopper(question.kernel))
    return std::nullopt;
  const Sighting* arrived = question.to_node.empty() ? nullptr : question.journey.passed(question.to_node);
  if (arrived == nullptr || !question.journey.answers().empty()) return std::nullopt;
  const std::string path = setting(question.family());
  if (facts.sysctl(question.to_node, path) != "1") return std::nullopt;
  const std::string name = as_typed(path);
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary = fmt::format("{} got the ping and is told to answer none.", question.to_node);
  finding.evidence = {fmt::format("the probe came to {}", place(*arrived)), "no answer of its was seen",
                      fmt::format("{} of {} is 1", name, question.to_node)};
  finding.fix = {on(question.to_node, question, fmt::format("sysctl -w {}=0", name))};
  return finding;
}

}  // namespace

CauseKind echo_ignored_cause() {
  return {
      "echo-ignored",
      "The target is told to answer no ping.",
      "`icmp_echo_ignore_all=1` makes a kernel drop each echo request that is for itself, in silence; IPv6 "
      "has "
      "a setting of its own. Hardening guides and scanners ask for it. Nothing else suffers: TCP and UDP "
      "work, "
      "so that a machine which seems dead to monitoring by ping serves all the same, and a ping that is not "
      "answered proves nothing about a firewall.",
      "The ping was seen at the node that it was for, no rule stopped it, no answer was seen, and the "
      "setting "
      "of its family is 1 there. `sysctl net.ipv4.icmp_echo_ignore_all net.ipv6.icmp.echo_ignore_all` on the "
      "target shows it, and its counter `Icmp: InEchos` rises while `OutEchoReps` does not (`nstat -az`).",
      "```\nsysctl -w net.ipv4.icmp_echo_ignore_all=0 net.ipv6.icmp.echo_ignore_all=0\n```\n"
      "and take it out of /etc/sysctl.d. Where it is meant, promise `with: tcp/PORT` instead of a ping.",
      recognise,
      CauseKind::Depth::network,
      reasons::any_of({reasons::links(), reasons::frames(), reasons::rules()})};
}

}  // namespace plumbline::proof
