#include "harness/engine/inference/pairs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace plumbline::engine::detail {
namespace {

std::vector<InterfaceAddress> known(const Context& context, const std::string& name, IpFamily family) {
  const network::Node* node = context.view.topology.find(name);
  return node == nullptr ? std::vector<InterfaceAddress>() : known_addresses(*node, family);
}

void add_once(std::vector<std::string>& texts, const std::string& text) {
  if (std::ranges::find(texts, text) == texts.end()) texts.push_back(text);
}

}  // namespace

std::string target_word(const Context& context, const std::string& from, const std::string& node,
                        const IpAddress& address) {
  const auto held = known(context, node, address.family());
  if (node != context.host.name) return held.size() == 1 ? node : address.to_string();
  // The host has an address on each network: the one that it shares with a node of one address is meant.
  const auto near = known(context, from, address.family());
  if (near.size() != 1) return address.to_string();
  std::vector<IpAddress> shared;
  for (const InterfaceAddress& each : held) {
    if (each.network() == near.front().network()) shared.push_back(each.address);
  }
  return shared.size() == 1 && shared.front() == address ? node : address.to_string();
}

void Pairs::add(const std::string& from, const std::string& to, const IpAddress& address,
                const std::string& why) {
  const std::string word = target_word(context_, from, to, address);
  const auto same = std::ranges::find_if(lines_, [&](const Line& line) {
    return word == to && line.named() && line.from == from && line.node == to;
  });
  if (same == lines_.end()) {
    lines_.push_back({from, to, word, {address.family()}, why});
    return;
  }
  same->families.push_back(address.family());
  if (same->why != why) same->why += "; over IPv6: " + why;
}

std::string Pairs::family_key(const Line& line) const {
  if (!line.named() || line.families.size() > 1) return {};
  const IpFamily other = line.families.front() == IpFamily::v4 ? IpFamily::v6 : IpFamily::v4;
  const bool both = !known(context_, line.from, other).empty() && !known(context_, line.node, other).empty();
  if (!both) return {};
  return line.families.front() == IpFamily::v4 ? ", family: ipv4" : ", family: ipv6";
}

void Pairs::tell(const std::string& section) const {
  struct Group {
    std::string fixed, family, why;
    std::vector<std::string> from, to, held;
  };
  std::vector<Group> groups;
  for (const Line& line : lines_) {
    const std::string& fixed = gather_ == Gather::targets ? line.from : line.to;
    const std::string family = family_key(line);
    auto group = std::ranges::find_if(groups, [&](const Group& each) {
      return each.fixed == fixed && each.family == family && each.why == line.why;
    });
    if (group == groups.end()) group = groups.insert(group, {fixed, family, line.why, {}, {}, {}});
    add_once(group->from, line.from);
    add_once(group->to, line.to);
    if (!line.named()) add_once(group->held, fmt::format("{} is {}", line.to, line.node));
  }
  for (const Group& group : groups) {
    const std::string held = group.held.empty() ? "" : fmt::format("; {}", fmt::join(group.held, ", "));
    context_.promise(
        section, group.why + held,
        fmt::format("{}: {{from: {}, to: {}{}}}", kind_, words(group.from), words(group.to), group.family));
  }
}

void Remarks::add(const std::string& before, const std::string& name, const std::string& after) {
  const auto same = std::ranges::find_if(
      lines_, [&](const Line& line) { return line.before == before && line.after == after; });
  if (same == lines_.end()) {
    lines_.push_back({before, after, {name}});
  } else {
    add_once(same->names, name);
  }
}

void Remarks::tell(const Context& context, const std::string& section) const {
  for (const Line& line : lines_) {
    context.remark(section, fmt::format("{}{}{}", line.before, fmt::join(line.names, ", "), line.after));
  }
}

}  // namespace plumbline::engine::detail
