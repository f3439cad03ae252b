#include "harness/engine/inference/promises.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>

#include "harness/base/text.hpp"
#include "harness/engine/inference/context.hpp"

namespace plumbline::engine {
namespace detail {

std::string word(const std::string& text) {
  constexpr std::array<std::string_view, 9> kOther{"null", "true", "false", "yes", "no",
                                                   "on",   "off",  "y",     "n"};
  const bool letter =
      !text.empty() && ((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z'));
  const std::string small = lower(text);
  const bool plain =
      letter && std::ranges::find(kOther, small) == kOther.end() &&
      text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/") ==
          std::string::npos;
  const bool ipv4 = IpAddress::parse(text) && IpAddress::parse(text)->is_v4();
  if (plain || ipv4) return text;
  std::string quoted = "\"";
  for (const char each : text) {
    const auto code = static_cast<unsigned char>(each);
    constexpr unsigned char kDelete = 0x7f;
    if (code < ' ' || code == kDelete) {
      quoted += fmt::format("\\x{:02x}", code);
      continue;
    }
    if (each == '"' || each == '\\') quoted += '\\';
    quoted += each;
  }
  return quoted + "\"";
}

std::string words(const std::vector<std::string>& texts) {
  std::vector<std::string> all;
  for (const std::string& text : texts) all.push_back(word(text));
  return all.size() == 1 ? all.front() : fmt::format("[{}]", fmt::join(all, ", "));
}

proof::firewall::RulePacket ping_packet(const IpAddress& from, const IpAddress& to, std::string iif,
                                        std::string oif) {
  constexpr std::uint16_t kIcmp = 1;
  constexpr std::uint16_t kIcmpv6 = 58;
  proof::firewall::RulePacket packet;
  packet.source = from;
  packet.destination = to;
  packet.iif = std::move(iif);
  packet.oif = std::move(oif);
  packet.protocol = from.is_v4() ? kIcmp : kIcmpv6;
  packet.state = "new";
  return packet;
}

std::vector<IpFamily> shared_families(const Member& one, const Member& other) {
  std::vector<IpFamily> families;
  for (const IpFamily family : {IpFamily::v4, IpFamily::v6}) {
    if (one.address(family) != nullptr && other.address(family) != nullptr) families.push_back(family);
  }
  return families;
}

bool forwards(const Context& context, const std::string& dev, IpFamily family) {
  const auto is_set = [&](const std::string& path) {
    return context.facts.sysctl(context.host.name, path).value_or("0") != "0";
  };
  if (family == IpFamily::v4) return is_set(fmt::format("net/ipv4/conf/{}/forwarding", dev));
  // IPv6 forwards for all interfaces or for none, but where one is forced to (since Linux 6.17).
  return is_set("net/ipv6/conf/all/forwarding") ||
         is_set(fmt::format("net/ipv6/conf/{}/force_forwarding", dev));
}

RuleAnswer forwarded(const Context& context, const proof::firewall::RulePacket& packet) {
  proof::firewall::RulePacket incoming = packet;
  incoming.oif.clear();
  const RuleAnswer before = rules_at(context.facts, context.host.name, proof::Hook::prerouting, incoming);
  if (before.stops()) return before;
  RuleAnswer there = rules_at(context.facts, context.host.name, proof::Hook::forward, packet);
  return there.kind == RuleAnswer::Kind::passes ? before : there;
}

std::optional<Uplink> uplink_to(const Context& context, const IpAddress& target) {
  const proof::RouteAnswer route = context.facts.route(context.host.name, {target, {}, {}, 0, {}});
  if (!route.found() || route.dev.empty() || route.type != kernel::netlink::LookupType::unicast) return {};
  return Uplink{route.dev, route.via, route.source};
}

std::optional<Uplink> default_uplink(const Context& context, IpFamily family) {
  const network::Route* best = nullptr;
  for (const network::Route& route : context.host.routes) {
    const bool is_default = route.to.length() == 0 && route.to.family() == family;
    if (!is_default || route.table != network::kMainTable || !route.via) continue;
    if (best == nullptr || route.metric < best->metric) best = &route;
  }
  if (best == nullptr) return {};
  auto uplink = uplink_to(context, *best->via);
  if (uplink) uplink->gateway = best->via;
  return uplink;
}

}  // namespace detail

std::vector<Promise> infer(const network::HostView& view, const InferenceOptions& options) {
  std::vector<Promise> promises;
  const network::Node* host = view.topology.host();
  if (host == nullptr) return promises;
  const Layout layout = lay_out(view);
  ViewFacts facts(view);
  std::set<std::string> made;
  const detail::Context context{view, options, *host, layout, facts, promises, made};
  for (const Segment& segment : layout.segments) {
    detail::promise_links(context, segment);
    detail::promise_reach(context, segment);
    detail::promise_egress(context, segment);
  }
  detail::promise_isolation(context);
  detail::promise_names(context);
  detail::promise_ports(context);
  detail::promise_solitude(context);
  return promises;
}

}  // namespace plumbline::engine
