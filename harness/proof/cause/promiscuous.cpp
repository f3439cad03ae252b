#include <fmt/format.h>

#include "harness/proof/diagnosis/cause.hpp"
#include "harness/proof/diagnosis/hop.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {
namespace {

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (!question.link || !question.link->promiscuous) return std::nullopt;
  const Endpoint at{question.link->node, question.link->interface};
  const auto link = facts.link(at.node, at.interface);
  if (!link || link->promiscuous == *question.link->promiscuous) return std::nullopt;
  Finding finding;
  finding.certainty = Certainty::proven;
  finding.summary =
      link->promiscuous
          ? fmt::format("{} is promiscuous: it takes in frames that are for others.", place(at))
          : fmt::format("{} is not promiscuous: it takes in only what is addressed to it.", place(at));
  finding.evidence = {fmt::format("{} {} the flag PROMISC, as it was set by hand", place(at),
                                  link->promiscuous ? "has" : "lacks")};
  finding.fix = {typed_on(
      at.node, fmt::format("ip link set {} promisc {}", at.interface, link->promiscuous ? "off" : "on"))};
  return finding;
}

}  // namespace

CauseKind promiscuous_cause() {
  return {
      "promiscuous",
      "An interface takes in frames that are not for it, or does not though it should.",
      "An interface passes up what is addressed to its own hardware address, to groups that it joined, and "
      "to "
      "all; a promiscuous one passes up everything that comes along. Sniffers and intrusion detection set "
      "that, "
      "and whoever forgets to take it back leaves a container or host that can read what a bridge floods to "
      "it. "
      "Some set-ups need it: MACVLAN's parent, nested virtualisation, kubenet's "
      "`hairpin-mode=promiscuous-bridge`. "
      "A program that listens through a packet socket raises a count of its own, which ends with it and is "
      "not "
      "meant here.",
      "The kernel says of the interface that the administrator has set the flag, or has not. `ip -d link "
      "show "
      "DEV` shows `PROMISC` among the flags, and behind `promiscuity` how many want it.",
      "```\nip link set DEV promisc off\n```\nThen look who set it: `PromiscuousMode=` in a .network file, a "
      "script in /etc/network/if-up.d, a running sniffer's configuration.",
      recognise,
      CauseKind::Depth::link,
      {"interface-missing"}};
}

}  // namespace plumbline::proof
