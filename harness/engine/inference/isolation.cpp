#include <fmt/format.h>

#include <algorithm>

#include "harness/base/text.hpp"
#include "harness/engine/inference/context.hpp"
#include "harness/engine/inference/pairs.hpp"
#include "harness/engine/inference/ways.hpp"

// Between networks of one host, and of nodes that have none.
namespace plumbline::engine::detail {
namespace {

using Kind = Outcome::Kind;
constexpr std::size_t kFewSegments = 6;  // so many are promised pair by pair, more with their neighbour alone
constexpr const char* kSection = "between networks";

/// Who stands for a segment towards another: a member with an address of the family that is not in the other
/// too; best one that is in no other network at all.
const Member* apart(const Context& context, const Segment& segment, const Segment& other, IpFamily family) {
  const Member* best = nullptr;
  std::size_t fewest = 0;
  for (const Member& member : segment.members) {
    const bool there = std::ranges::find(other.members, member.node, &Member::node) != other.members.end();
    if (member.address(family) == nullptr || there) continue;
    const std::size_t held = known_addresses(*context.view.topology.find(member.node), family).size();
    if (best != nullptr && held >= fewest) continue;
    best = &member;
    fewest = held;
  }
  return best;
}

/// "", " (shut stands for all of br-blue)"
std::string sampled(const Segment& from, const Member& source, const Segment& to, const Member& target) {
  std::string said;
  for (const auto& [segment, member] : {std::pair{&from, &source}, std::pair{&to, &target}}) {
    if (segment->members.size() < 2) continue;
    said += fmt::format("{}{} stands for all of {}", said.empty() ? " (" : ", ", member->node,
                        printable(segment->dev));
  }
  return said.empty() ? said : said + ")";
}

void isolated(const Context& context, const Member& source, const Member& target, IpFamily family,
              const std::string& names) {
  const IpAddress& there = *target.address(family);
  const network::Node* node = context.view.topology.find(target.node);
  const bool one =
      known_addresses(*node, IpFamily::v4).size() + known_addresses(*node, IpFamily::v6).size() == 1;
  const std::string at = one ? "" : fmt::format(", at: {}", word(there.to_string()));
  context.promise(kSection, fmt::format("{}: {} has no route there", names, source.node),
                  fmt::format("isolated: {{from: {}, to: {}{}}}", word(source.node), word(target.node), at));
}

void direct(const Context& context, const Segment& from, const Segment& to) {
  Pairs reached(context, "reach", Pairs::Gather::targets);
  Pairs denied(context, "deny", Pairs::Gather::targets);
  for (const IpFamily family : {IpFamily::v4, IpFamily::v6}) {
    const Member* source = apart(context, from, to, family);
    const Member* target = apart(context, to, from, family);
    if (source == nullptr || target == nullptr) continue;
    const Outcome outcome = routed(context, from, *source, to, *target, family);
    // By another network of its own it is another way.
    if (outcome.kind == Kind::elsewhere) continue;
    const IpAddress& there = *target->address(family);
    if (!context.fresh("pair", source->node, target->node + " " + there.to_string())) continue;
    const std::string names = fmt::format("{} to {}{}", printable(from.dev), printable(to.dev),
                                          sampled(from, *source, to, *target));
    switch (outcome.kind) {
      case Kind::answered:
        reached.add(source->node, target->node, there,
                    names + ": the host forwards, and no rule of it keeps them apart");
        break;
      case Kind::denied:
        denied.add(source->node, target->node, there, fmt::format("{}: {}", names, outcome.by));
        break;
      case Kind::unrouted:
        isolated(context, *source, *target, family, names);
        break;
      case Kind::unanswered:
        context.remark(kSection, fmt::format("{}{}: {} gets no answer: {}", names, over(family), source->node,
                                             outcome.by));
        break;
      default:
        context.remark(kSection,
                       fmt::format("{}{}: it could not be told from {}", names, over(family), outcome.by));
        break;
    }
  }
  reached.tell(kSection);
  denied.tell(kSection);
}

}  // namespace

void promise_isolation(const Context& context) {
  std::vector<const Segment*> inhabited;
  for (const Segment& segment : context.layout.segments) {
    if (!segment.members.empty()) inhabited.push_back(&segment);
  }
  const std::size_t count = inhabited.size();
  if (count > kFewSegments) {
    context.remark(kSection,
                   fmt::format("most pairs of {} networks: each is looked at with the next alone", count));
  }
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = i + 1; j < count; ++j) {
      if (count > kFewSegments && j != i + 1) break;
      direct(context, *inhabited[i], *inhabited[j]);
      direct(context, *inhabited[j], *inhabited[i]);
    }
  }
}

void promise_solitude(const Context& context) {
  const std::string section = "by themselves";
  if (!context.layout.alone.empty()) {
    context.promise(
        section, "they have no link but the loopback",
        fmt::format("isolated: {{from: {}, to: {}}}", words(context.layout.alone), context.host.name));
  }
  for (const std::string& other : context.layout.others) {
    context.remark(section, fmt::format("{}: nothing is promised of it", other));
  }
}

}  // namespace plumbline::engine::detail
