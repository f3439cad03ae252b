#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "harness/proof/diagnosis/firewall.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::proof {

using namespace firewall;

namespace {

std::optional<std::uint64_t> number(Facts& facts, const std::string& node, const char* path) {
  const auto text = facts.sysctl(node, path);
  std::uint64_t value = 0;
  if (!text) return std::nullopt;
  const auto [end, problem] = std::from_chars(text->data(), text->data() + text->size(), value);
  return problem == std::errc{} ? std::optional(value) : std::nullopt;
}

/// Where conntrack looks at it, and nothing had it afterwards: behind the first hook.
std::string vanished_at(const Case& question) {
  const auto status = question.outcome.status;
  if (status == traffic::ProbeOutcome::Status::local_error && question.outcome.error_number == EPERM)
    return question.from;
  const auto dead = died_inside(question);
  return dead ? dead->node : std::string();
}

bool went_on(const KernelPath& kernel, const std::string& node) {
  return std::ranges::any_of(kernel.passages, [&](const Passage& passage) {
    const bool later = !passage.bridge && passage.hook != Hook::prerouting && passage.hook != Hook::output;
    return passage.node == node && passage.leg == Leg::forward && later;
  });
}

std::optional<Finding> recognise(const Case& question, Facts& facts) {
  if (!question.wanted_through() || stopper(question.kernel)) return std::nullopt;
  const std::string node = vanished_at(question);
  if (node.empty() || went_on(question.kernel, node)) return std::nullopt;
  const auto count = number(facts, node, "net/netfilter/nf_conntrack_count");
  const auto most = number(facts, node, "net/netfilter/nf_conntrack_max");
  // A few may have gone since.
  if (!count || !most || *most == 0 || *count < *most - *most / 20) return std::nullopt;
  Finding finding;
  const Drop* drop = dropped(question.kernel, "NETFILTER_DROP", node);
  finding.certainty = drop != nullptr && *count >= *most ? Certainty::proven : Certainty::likely;
  finding.summary = fmt::format("The connection table of {} is full: {} of {} entries.", node, *count, *most);
  finding.evidence = {fmt::format("the probe came to {} and to no hook behind conntrack", node)};
  if (drop != nullptr)
    finding.evidence.push_back(fmt::format("the kernel dropped it in {}: {}", drop->function, drop->reason));
  finding.fix = {fmt::format("sysctl -w net.netfilter.nf_conntrack_max={}", *most * 4)};
  return finding;
}

}  // namespace

CauseKind conntrack_full_cause() {
  return {"conntrack-full",
          "The connection table is full, and packets that would begin a connection are dropped.",
          "Conntrack keeps an entry for every flow, for as long as its time-outs say: five days for an idle "
          "TCP connection, two "
          "minutes for UDP. Once `nf_conntrack_max` entries are held and none can be thrown out, each packet "
          "that needs a new "
          "one is dropped ahead of all rules, while connections that exist go on working. Hosts with many "
          "containers, DNS "
          "traffic, port scans or peers that vanish without a FIN get there first. The kernel's log says "
          "`nf_conntrack: table full, dropping packet`.",
          "The packet came to the node and met no rule behind conntrack (or the send failed with EPERM), no "
          "rule stopped it, "
          "and `nf_conntrack_count` is at `nf_conntrack_max`, but for a twentieth. To look oneself: "
          "`conntrack -C`, "
          "`conntrack -S` (the column drop), `dmesg`.",
          "Make the table larger and its memory shorter:\n"
          "```\nsysctl -w net.netfilter.nf_conntrack_max=1048576\n"
          "sysctl -w net.netfilter.nf_conntrack_tcp_timeout_established=86400\n```\n"
          "The table's size is that of the whole machine and is set outside containers; put it into "
          "/etc/sysctl.d to keep it. "
          "Flows that need no tracking can be exempted by `notrack` in the table raw.",
          recognise};
}

}  // namespace plumbline::proof
