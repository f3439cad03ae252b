#include "harness/kernel/netlink/rule.hpp"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include "harness/kernel/netlink/family.hpp"

namespace plumbline::kernel::netlink {
namespace {

// A selector's prefix; false when the message says a length that its address cannot have.
bool decode_prefix(const Attributes& attributes, std::uint16_t type, int length, IpFamily family,
                   std::optional<Prefix>& prefix) {
  const auto address = attributes.ip(type);
  if (!address) return length == 0;
  if (address->family() != family || length > address->bits()) return false;
  prefix = Prefix(*address, length);
  return true;
}

}  // namespace

Message add_rule(const Rule& rule) {
  fib_rule_hdr header{};
  header.family = family_number(rule.family);
  header.action = FR_ACT_TO_TBL;
  header.table = rule.table < 256 ? static_cast<std::uint8_t>(rule.table) : std::uint8_t{RT_TABLE_UNSPEC};
  if (rule.from) header.src_len = static_cast<std::uint8_t>(rule.from->length());
  if (rule.to) header.dst_len = static_cast<std::uint8_t>(rule.to->length());
  Message message(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, header);
  if (rule.from && rule.from->length() > 0) message.put_ip(FRA_SRC, rule.from->address());
  if (rule.to && rule.to->length() > 0) message.put_ip(FRA_DST, rule.to->address());
  if (!rule.iif.empty()) message.put_text(FRA_IIFNAME, rule.iif);
  if (!rule.oif.empty()) message.put_text(FRA_OIFNAME, rule.oif);
  if (rule.mark != 0) message.put_u32(FRA_FWMARK, rule.mark);
  if (rule.priority) message.put_u32(FRA_PRIORITY, *rule.priority);
  message.put_u32(FRA_TABLE, rule.table);
  message.put_u8(FRA_PROTOCOL, RTPROT_STATIC);
  return message;
}

Message get_rules(IpFamily family) {
  fib_rule_hdr header{};
  header.family = family_number(family);
  return Message(RTM_GETRULE, 0, header);
}

std::optional<Rule> decode_rule(const Received& message) {
  if (message.type != RTM_NEWRULE) return std::nullopt;
  const auto parts = split<fib_rule_hdr>(message.payload);
  if (!parts) return std::nullopt;
  const auto& [header, attributes] = *parts;
  if (header.action != FR_ACT_TO_TBL) return std::nullopt;
  if (header.family != AF_INET && header.family != AF_INET6) return std::nullopt;
  Rule rule;
  rule.family = header.family == AF_INET ? IpFamily::v4 : IpFamily::v6;
  if (!decode_prefix(attributes, FRA_SRC, header.src_len, rule.family, rule.from) ||
      !decode_prefix(attributes, FRA_DST, header.dst_len, rule.family, rule.to)) {
    return std::nullopt;
  }
  rule.priority = attributes.u32(FRA_PRIORITY).value_or(0);
  rule.iif = attributes.text(FRA_IIFNAME).value_or("");
  rule.oif = attributes.text(FRA_OIFNAME).value_or("");
  rule.mark = attributes.u32(FRA_FWMARK).value_or(0);
  rule.table = attributes.u32(FRA_TABLE).value_or(header.table);
  return rule;
}

}  // namespace plumbline::kernel::netlink
