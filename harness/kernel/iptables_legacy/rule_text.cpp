#include "harness/kernel/iptables_legacy/rule_text.hpp"

// Ahead of the kernel's own headers, which then leave out what it declares
// clang-format off
#include <netinet/in.h>
// clang-format on

#include <fmt/format.h>
#include <linux/netfilter/xt_LOG.h>
#include <linux/netfilter/xt_NFLOG.h>
#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_tcpudp.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>

namespace plumbline::kernel::iptables {
namespace {

/// `-i bridge0`; a name without its NUL in the mask stands for all that begin with it.
std::string interface_text(const char* option, const InterfaceMatch& match) {
  std::string name;
  for (std::size_t i = 0; i < match.name.size(); ++i) {
    if (match.mask[i] == 0) {
      if (i == 0) return {};
      if (match.name[i - 1] != '\0') name += '+';
      break;
    }
    if (match.name[i] != '\0') name += match.name[i];
  }
  return fmt::format("{} {} {}", match.inverted ? " !" : "", option, name);
}

/// `-s 192.168.99.0/24`; a mask with holes as it is.
std::string address_text(const char* option, const AddressMatch& match) {
  int bits = 0;
  bool contiguous = true;
  bool ended = false;
  for (const std::uint8_t byte : match.mask.bytes()) {
    const int ones = std::countl_one(byte);
    contiguous = contiguous && std::popcount(byte) == ones && !(ended && byte != 0);
    bits += ones;
    ended = ended || ones < 8;
  }
  if (bits == 0 && contiguous) return {};
  return fmt::format("{} {} {}/{}", match.inverted ? " !" : "", option, match.address.to_string(),
                     contiguous ? std::to_string(bits) : match.mask.to_string());
}

std::string protocol_text(const Entry& entry) {
  if (entry.protocol == 0) return {};
  const char* const sign = entry.protocol_inverted ? " ! -p" : " -p";
  switch (entry.protocol) {
    case IPPROTO_ICMP:
      return fmt::format("{} icmp", sign);
    case IPPROTO_TCP:
      return fmt::format("{} tcp", sign);
    case IPPROTO_UDP:
      return fmt::format("{} udp", sign);
    case IPPROTO_ICMPV6:
      return fmt::format("{} ipv6-icmp", sign);
    default:
      return fmt::format("{} {}", sign, entry.protocol);
  }
}

template <class Info>
std::optional<Info> read(const Extension& extension) {
  if (extension.info.size() < sizeof(Info)) return std::nullopt;
  Info info;
  std::memcpy(&info, extension.info.data(), sizeof info);
  return info;
}

template <std::size_t Size>
std::string text_of(const char (&field)[Size]) {
  return {field, ::strnlen(field, Size)};
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

std::string ports_text(const char* option, const std::uint16_t (&range)[2], bool inverted) {
  if (range[0] == 0 && range[1] == 0xFFFF && !inverted) return {};
  const std::string ports =
      range[0] == range[1] ? std::to_string(range[0]) : fmt::format("{}:{}", range[0], range[1]);
  return fmt::format("{} {} {}", inverted ? " !" : "", option, ports);
}

/// XT_CONNTRACK_STATE_*; those of NAT are no states of the connection.
std::string states_text(std::uint32_t mask, bool inverted, const char* option) {
  constexpr std::array<std::pair<unsigned, std::string_view>, 5> states{
      {{XT_CONNTRACK_STATE_INVALID, "INVALID"},
       {1U << 3, "NEW"},
       {1U << 2, "RELATED"},
       {1U << 1, "ESTABLISHED"},
       {XT_CONNTRACK_STATE_UNTRACKED, "UNTRACKED"}}};
  std::string text;
  for (const auto& [bit, name] : states) {
    if ((mask & bit) != 0) text += fmt::format("{}{}", text.empty() ? "" : ",", name);
  }
  return fmt::format("{} {} {}", inverted ? " !" : "", option, text);
}

/// Spelled out only where it asks for nothing but states: the rest would be left out. `-m state` is this with
/// a flag.
std::string conntrack_text(const xt_conntrack_mtinfo3& info) {
  const bool alias = (info.match_flags & XT_CONNTRACK_STATE_ALIAS) != 0;
  const bool inverted = (info.invert_flags & XT_CONNTRACK_STATE) != 0;
  if ((info.match_flags & ~XT_CONNTRACK_STATE_ALIAS) != XT_CONNTRACK_STATE) return " -m conntrack";
  return (alias ? " -m state" : " -m conntrack") +
         states_text(info.state_mask, inverted, alias ? "--state" : "--ctstate");
}

std::string flag_names(unsigned bits) {
  constexpr std::array<std::string_view, 6> names{"FIN", "SYN", "RST", "PSH", "ACK", "URG"};
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if ((bits >> i & 1U) != 0) text += fmt::format("{}{}", text.empty() ? "" : ",", names[i]);
  }
  return text.empty() ? "NONE" : text;
}

std::string flags_text(const xt_tcp& info) {
  std::string text;
  if (info.option != 0)
    text =
        fmt::format("{} --tcp-option {}", (info.invflags & XT_TCP_INV_OPTION) != 0 ? " !" : "", info.option);
  if (info.flg_mask == 0) return text;
  return text + fmt::format("{} --tcp-flags {} {}", (info.invflags & XT_TCP_INV_FLAGS) != 0 ? " !" : "",
                            flag_names(info.flg_mask), flag_names(info.flg_cmp));
}

std::string match_text(const Extension& match) {
  const std::string text = " -m " + match.name;
  if (match.name == "comment") {
    if (const auto info = read<xt_comment_info>(match))
      return text + " --comment " + quoted(text_of(info->comment));
  } else if (match.name == "conntrack" && match.revision == 3) {
    if (const auto info = read<xt_conntrack_mtinfo3>(match)) return conntrack_text(*info);
  } else if (match.name == "tcp") {
    if (const auto info = read<xt_tcp>(match)) {
      return text + ports_text("--sport", info->spts, (info->invflags & XT_TCP_INV_SRCPT) != 0) +
             ports_text("--dport", info->dpts, (info->invflags & XT_TCP_INV_DSTPT) != 0) + flags_text(*info);
    }
  } else if (match.name == "udp") {
    if (const auto info = read<xt_udp>(match)) {
      return text + ports_text("--sport", info->spts, (info->invflags & XT_UDP_INV_SRCPT) != 0) +
             ports_text("--dport", info->dpts, (info->invflags & XT_UDP_INV_DSTPT) != 0);
    }
  }
  return text;
}

/// enum ipt_reject_with, enum ip6t_reject_with.
constexpr std::array<std::string_view, 9> kReject4{
    "icmp-net-unreachable", "icmp-host-unreachable", "icmp-proto-unreachable", "icmp-port-unreachable",
    "echo-reply",           "icmp-net-prohibited",   "icmp-host-prohibited",   "tcp-reset",
    "icmp-admin-prohibited"};
constexpr std::array<std::string_view, 9> kReject6{
    "icmp6-no-route",         "icmp6-adm-prohibited", "icmp6-not-neighbour", "icmp6-addr-unreachable",
    "icmp6-port-unreachable", "echo-reply",           "tcp-reset",           "icmp6-policy-fail",
    "icmp6-reject-route"};

std::string target_options(IpFamily family, const Rule& rule, const Extension& target) {
  if (rule.log_prefix && !rule.log_prefix->empty())
    return (target.name == "NFLOG" ? " --nflog-prefix " : " --log-prefix ") + quoted(*rule.log_prefix);
  if (target.name != "REJECT") return {};
  const auto with = read<std::uint32_t>(target);
  const auto& words = family == IpFamily::v4 ? kReject4 : kReject6;
  return with && *with < words.size() ? fmt::format(" --reject-with {}", words[*with]) : std::string();
}

std::string standard_verdict(const Entry& entry) {
  if (entry.standard.empty()) return "continue";
  if (entry.standard == "ACCEPT") return "accept";
  if (entry.standard == "DROP") return "drop";
  if (entry.standard == "QUEUE") return "queue";
  if (entry.standard == "RETURN") return "return";
  return (entry.go_to ? "goto " : "jump ") + entry.standard;
}

/// Targets by what their kernel modules return (XT_CONTINUE or a verdict).
std::string extension_verdict(std::string_view name) {
  constexpr std::array<std::string_view, 15> continuing{"LOG", "NFLOG",   "MARK",   "CONNMARK", "TRACE",
                                                        "CT",  "NOTRACK", "TCPMSS", "CLASSIFY", "DSCP",
                                                        "TOS", "SET",     "TTL",    "HL",       "CHECKSUM"};
  constexpr std::array<std::string_view, 6> translating{"MASQUERADE", "SNAT",   "DNAT",
                                                        "REDIRECT",   "NETMAP", "TPROXY"};
  if (name == "REJECT") return "reject";
  if (name == "NFQUEUE") return "queue";
  if (std::ranges::count(translating, name) != 0) return "accept";
  if (std::ranges::count(continuing, name) != 0) return "continue";
  return {};
}

}  // namespace

Rule describe(IpFamily family, const std::string& chain, const Entry& entry) {
  Rule rule;
  rule.target = entry.is_standard() ? entry.standard : entry.target.name;
  rule.verdict = entry.is_standard() ? standard_verdict(entry) : extension_verdict(entry.target.name);
  if (entry.target.name == "LOG") {
    if (const auto info = read<xt_log_info>(entry.target)) rule.log_prefix = text_of(info->prefix);
  } else if (entry.target.name == "NFLOG") {
    if (const auto info = read<xt_nflog_info>(entry.target)) rule.log_prefix = text_of(info->prefix);
  }
  rule.text = "-A " + chain + address_text("-s", entry.source) + address_text("-d", entry.destination) +
              interface_text("-i", entry.in) + interface_text("-o", entry.out) + protocol_text(entry);
  for (const Extension& match : entry.matches) rule.text += match_text(match);
  if (!rule.target.empty()) {
    rule.text += (entry.go_to ? " -g " : " -j ") + rule.target + target_options(family, rule, entry.target);
  }
  return rule;
}

}  // namespace plumbline::kernel::iptables
