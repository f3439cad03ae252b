#include <fmt/format.h>

#include "harness/base/text.hpp"
#include "harness/engine/inference/context.hpp"
#include "harness/engine/inference/pairs.hpp"
#include "harness/engine/inference/ways.hpp"

// What is on one bridge or cable: the host and its containers, and containers among themselves.
namespace plumbline::engine::detail {
namespace {

using Kind = Outcome::Kind;
constexpr std::size_t kFewMembers = 5;  // so many are promised each to each, more in a ring

/// False: there is nothing to say of it, or it is said already.
bool is_new(const Context& context, const std::string& from, const std::string& to,
            const IpAddress& address) {
  return context.fresh("pair", from, to + " " + address.to_string());
}

/// " does not reach web over IPv6: …", and the like of what is not known.
void remark_on(Remarks& remarks, const Outcome& outcome, const std::string& from, const std::string& to,
               IpFamily family) {
  if (outcome.kind == Kind::unanswered || outcome.kind == Kind::denied) {
    remarks.add(from + " does not reach ", to, fmt::format("{}: {}", over(family), outcome.by));
  } else if (outcome.kind == Kind::open || !outcome.by.empty()) {
    remarks.add("whether " + from + " reaches ", to,
                fmt::format("{} could not be told from {}", over(family), outcome.by));
  }
}

void host_and_member(const Context& context, const Segment& segment, const Member& member, Pairs& out,
                     Pairs& in, Remarks& remarks) {
  const std::string& host = context.host.name;
  for (const IpFamily family : {IpFamily::v4, IpFamily::v6}) {
    const IpAddress* own = host_address(segment, member, family);
    if (own == nullptr) continue;
    const IpAddress& there = *member.address(family);
    if (is_new(context, host, member.node, there)) {
      const Outcome outcome = host_to_member(context, segment, member, family);
      if (outcome.kind == Kind::answered) {
        out.add(host, member.node, there,
                fmt::format("the host has an address on {}", printable(segment.dev)));
      } else {
        remark_on(remarks, outcome, "the host", member.node, family);
      }
    }
    if (is_new(context, member.node, host, *own)) {
      const Outcome outcome = member_to_host(context, segment, member, family);
      if (outcome.kind == Kind::answered) {
        in.add(member.node, host, *own, "and no rule of its own keeps them out");
      } else {
        remark_on(remarks, outcome, member.node, "the host", family);
      }
    }
  }
}

void host_and_members(const Context& context, const Segment& segment) {
  Pairs out(context, "reach", Pairs::Gather::targets);
  Pairs in(context, "reach", Pairs::Gather::sources);
  Remarks remarks;
  for (const Member& member : segment.members) host_and_member(context, segment, member, out, in, remarks);
  out.tell(segment.title());
  in.tell(segment.title());
  remarks.tell(context, segment.title());
}

void one_to_some(const Context& context, const Segment& segment, const Member& from,
                 const std::vector<const Member*>& others) {
  const bool ring = segment.members.size() > kFewMembers;
  const bool no_icc = segment.network != nullptr && !segment.network->icc;
  Pairs reached(context, "reach", Pairs::Gather::targets);
  Pairs denied(context, "deny", Pairs::Gather::targets);
  Remarks remarks;
  for (const Member* other : others) {
    for (const IpFamily family : shared_families(from, *other)) {
      const IpAddress& there = *other->address(family);
      if (!is_new(context, from.node, other->node, there)) continue;
      const Outcome outcome = bridged(context, segment, from, *other, family);
      if (outcome.kind == Kind::answered) {
        reached.add(from.node, other->node, there,
                    fmt::format("ports of one bridge, {}{}", printable(segment.dev),
                                ring ? ", each with the next alone" : ""));
      } else if (outcome.kind == Kind::denied) {
        denied.add(from.node, other->node, there,
                   fmt::format("{}bridged frames meet {}", no_icc ? "its icc is off: " : "", outcome.by));
      } else {
        remark_on(remarks, outcome, from.node, other->node, family);
      }
    }
  }
  reached.tell(segment.title());
  denied.tell(segment.title());
  remarks.tell(context, segment.title());
}

}  // namespace

void promise_links(const Context& context, const Segment& segment) {
  if (!segment.bridge || segment.host_addresses.empty()) return;
  std::vector<std::string> addresses;
  for (const InterfaceAddress& each : segment.host_addresses) addresses.push_back(each.to_string());
  context.promise(segment.title(), "as the kernel has it today",
                  fmt::format("link: {{in: {}, dev: {}, kind: bridge, addresses: {}}}", context.host.name,
                              word(segment.dev), words(addresses)));
}

void promise_reach(const Context& context, const Segment& segment) {
  host_and_members(context, segment);
  const std::size_t count = segment.members.size();
  for (std::size_t i = 0; count > 1 && i < count; ++i) {
    std::vector<const Member*> others;
    for (std::size_t step = 1; step < count; ++step) {
      if (count <= kFewMembers || step == 1) others.push_back(&segment.members[(i + step) % count]);
    }
    one_to_some(context, segment, segment.members[i], others);
  }
}

}  // namespace plumbline::engine::detail
