#include "harness/kernel/iptables_legacy/trace_event.hpp"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <sys/socket.h>

#include <charconv>
#include <cstring>

#include "harness/kernel/netlink/message.hpp"

namespace plumbline::kernel::iptables {
namespace {

using netlink::Attributes;

constexpr std::uint16_t kPacketMessage = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET;

std::optional<TraceEvent::Type> type_of(std::string_view word) {
  if (word == "rule") return TraceEvent::Type::rule;
  if (word == "return") return TraceEvent::Type::returned;
  if (word == "policy") return TraceEvent::Type::policy;
  return std::nullopt;
}

std::optional<std::uint32_t> number32(const Attributes& attributes, std::uint16_t type) {
  const auto value = attributes.u32(type);
  return value ? std::optional(ntohl(*value)) : std::nullopt;
}

std::optional<TraceEvent> read(std::uint8_t family, const Attributes& attributes) {
  const auto text = attributes.text(NFULA_PREFIX);
  auto prefix = text ? parse_prefix(*text) : std::nullopt;
  const auto header = attributes.bytes(NFULA_PACKET_HDR);
  nfulnl_msg_packet_hdr fixed{};
  if (!prefix || !header || header->size() != sizeof fixed) return std::nullopt;
  if (family != AF_INET && family != AF_INET6) return std::nullopt;
  std::memcpy(&fixed, header->data(), sizeof fixed);
  TraceEvent event;
  event.family = family == AF_INET ? IpFamily::v4 : IpFamily::v6;
  event.hook = fixed.hook;
  event.table = std::move(prefix->table);
  event.chain = std::move(prefix->chain);
  event.type = prefix->type;
  event.number = prefix->number;
  event.iif = number32(attributes, NFULA_IFINDEX_INDEV).value_or(0);
  event.oif = number32(attributes, NFULA_IFINDEX_OUTDEV).value_or(0);
  if (const auto payload = attributes.bytes(NFULA_PAYLOAD))
    event.packet.assign(payload->begin(), payload->end());
  return event;
}

}  // namespace

// trace_packet() of net/ipv4/netfilter/ip_tables.c: "TRACE: %s:%s:%s:%u ". A chain's name may hold colons.
std::optional<TracePrefix> parse_prefix(std::string_view prefix) {
  constexpr std::string_view start = "TRACE: ";
  if (!prefix.starts_with(start)) return std::nullopt;
  prefix.remove_prefix(start.size());
  while (prefix.ends_with(' ')) prefix.remove_suffix(1);
  const auto take_last = [&prefix]() -> std::optional<std::string_view> {
    const std::size_t at = prefix.rfind(':');
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view word = prefix.substr(at + 1);
    prefix = prefix.substr(0, at);
    return word;
  };
  const auto digits = take_last();
  const auto word = digits ? take_last() : std::nullopt;
  const auto type = word ? type_of(*word) : std::nullopt;
  const std::size_t colon = prefix.find(':');
  if (!type || colon == std::string_view::npos) return std::nullopt;
  TracePrefix parts{std::string(prefix.substr(0, colon)), std::string(prefix.substr(colon + 1)), *type, 0};
  const auto [end, problem] = std::from_chars(digits->data(), digits->data() + digits->size(), parts.number);
  if (problem != std::errc{} || end != digits->data() + digits->size()) return std::nullopt;
  return parts;
}

Heard parse_log(std::span<const std::uint8_t> bytes) {
  Heard heard;
  while (const auto message = netlink::take_message(bytes)) {
    if (message->type != kPacketMessage) continue;
    const auto parts = netlink::split<nfgenmsg>(message->payload);
    if (!parts) continue;
    if (const auto sequence = number32(parts->second, NFULA_SEQ)) heard.sequence.push_back(*sequence);
    if (auto event = read(parts->first.nfgen_family, parts->second))
      heard.events.push_back(std::move(*event));
  }
  return heard;
}

}  // namespace plumbline::kernel::iptables
