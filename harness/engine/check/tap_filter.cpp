#include "harness/engine/check/tap_filter.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace plumbline::engine {
namespace {

// ICMPv6 below 130 is errors and echoes, 130 to 134 multicast and router discovery.
constexpr const char* kProbes = "icmp or tcp or udp or (icmp6 and ip6[40] < 130)";
constexpr const char* kAnswers = "(arp and arp[6:2] = 2) or (icmp6 and ip6[40] = 136)";
constexpr const char* kQuestion4 = "arp and arp[6:2] = 1";
constexpr const char* kQuestion6 = "icmp6 and ip6[40] = 135";
/// More make no better filter: a node beyond that has its questions passed over.
constexpr std::size_t kMostTerms = 128;

std::uint32_t last_four(const IpAddress& address) {
  std::uint32_t value = 0;
  for (const std::uint8_t byte : address.bytes().last(4)) value = value << 8U | byte;
  return value;
}

/// "(arp[24:4] = 0xc0a8630b or …)": who is asked for, by the last four bytes. Empty: the node has no address
/// of that family.
std::string asks_for(const network::Node& node, IpFamily family) {
  std::vector<std::uint32_t> own;
  for (const network::Interface& interface : node.interfaces) {
    for (const InterfaceAddress& held : interface.addresses) {
      if (held.address.family() == family && !held.address.is_loopback())
        own.push_back(last_four(held.address));
    }
  }
  std::ranges::sort(own);
  own.erase(std::unique(own.begin(), own.end()), own.end());
  if (own.size() > kMostTerms) own.resize(kMostTerms);
  std::vector<std::string> terms;
  const char* where = family == IpFamily::v4 ? "arp[24:4]" : "ip6[60:4]";
  for (const std::uint32_t address : own) terms.push_back(fmt::format("{} = {:#x}", where, address));
  return terms.empty() ? std::string() : fmt::format("({})", fmt::join(terms, " or "));
}

/// By which interfaces its own questions leave, and no others do. Empty: it has none such.
std::string leaves_itself(const network::Node& node) {
  const auto is_port = [](const network::Interface& interface) { return !interface.master.empty(); };
  if (std::ranges::none_of(node.interfaces, is_port)) return "outbound";
  std::vector<std::string> terms;
  for (const network::Interface& interface : node.interfaces) {
    const bool asks = !is_port(interface) && interface.kind != network::LinkKind::loopback;
    if (asks && interface.index != 0) terms.push_back(fmt::format("ifindex {}", interface.index));
  }
  if (terms.empty() || terms.size() > kMostTerms) return {};
  return fmt::format("(outbound and ({}))", fmt::join(terms, " or "));
}

std::string comes_in(const network::Node& node, IpFamily family) {
  if (node.role != network::Role::container) return "inbound";
  const std::string own = asks_for(node, family);
  return own.empty() ? std::string() : fmt::format("(inbound and {})", own);
}

void add_questions(std::string& filter, const char* question, const std::string& comes,
                   const std::string& leaves) {
  if (comes.empty() && leaves.empty()) return;
  const char* both = comes.empty() || leaves.empty() ? "" : " or ";
  filter += fmt::format(" or ({} and ({}{}{}))", question, comes, both, leaves);
}

}  // namespace

std::string tap_filter(const network::Node* node) {
  std::string filter = fmt::format("{} or {}", kProbes, kAnswers);
  if (node == nullptr) return filter;
  const std::string leaves = leaves_itself(*node);
  add_questions(filter, kQuestion4, comes_in(*node, IpFamily::v4), leaves);
  add_questions(filter, kQuestion6, comes_in(*node, IpFamily::v6), leaves);
  return filter;
}

}  // namespace plumbline::engine
