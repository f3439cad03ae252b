#include "harness/kernel/nftables/trace_event.hpp"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <bit>
#include <cstring>

#include "harness/kernel/netlink/message.hpp"

namespace plumbline::kernel::nft {
namespace {

using netlink::Attributes;

constexpr std::uint16_t kTraceMessage = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE;

/// nf_tables writes its numbers in network order.
std::optional<std::uint32_t> number32(const Attributes& attributes, std::uint16_t type) {
  const auto value = attributes.u32(type);
  return value ? std::optional(ntohl(*value)) : std::nullopt;
}

std::uint64_t number64(const Attributes& attributes, std::uint16_t type) {
  const auto bytes = attributes.bytes(type);
  std::uint64_t value = 0;
  if (!bytes || bytes->size() != sizeof value) return 0;
  for (const std::uint8_t byte : *bytes) value = value << 8U | byte;
  return value;
}

std::string family_name(std::uint8_t number) {
  switch (number) {
    case NFPROTO_INET:
      return "inet";
    case NFPROTO_IPV4:
      return "ip";
    case NFPROTO_IPV6:
      return "ip6";
    case NFPROTO_ARP:
      return "arp";
    case NFPROTO_NETDEV:
      return "netdev";
    case NFPROTO_BRIDGE:
      return "bridge";
    default:
      return {};
  }
}

std::string verdict_text(std::uint32_t code, std::string_view chain) {
  // NF_QUEUE carries the queue's number above the verdict.
  const auto verdict = static_cast<std::int32_t>(code);
  if (verdict >= 0) {
    switch (code & NF_VERDICT_MASK) {
      case NF_DROP:
        return "drop";
      case NF_ACCEPT:
        return "accept";
      case NF_STOLEN:
        return "stolen";
      case NF_QUEUE:
        return "queue";
      default:
        return {};
    }
  }
  switch (verdict) {
    case NFT_CONTINUE:
    case NFT_BREAK:
      return "continue";
    case NFT_JUMP:
      return "jump " + std::string(chain);
    case NFT_GOTO:
      return "goto " + std::string(chain);
    case NFT_RETURN:
      return "return";
    default:
      return {};
  }
}

std::optional<TraceEvent::Type> type_of(std::uint32_t number) {
  switch (number) {
    case NFT_TRACETYPE_RULE:
      return TraceEvent::Type::rule;
    case NFT_TRACETYPE_RETURN:
      return TraceEvent::Type::returned;
    case NFT_TRACETYPE_POLICY:
      return TraceEvent::Type::policy;
    default:
      return std::nullopt;
  }
}

std::optional<TraceEvent::Headers> headers_of(const Attributes& attributes) {
  const auto network = attributes.bytes(NFTA_TRACE_NETWORK_HEADER);
  if (!network) return std::nullopt;
  TraceEvent::Headers headers;
  headers.packet.assign(network->begin(), network->end());
  if (const auto transport = attributes.bytes(NFTA_TRACE_TRANSPORT_HEADER)) {
    headers.packet.insert(headers.packet.end(), transport->begin(), transport->end());
  }
  headers.iif = number32(attributes, NFTA_TRACE_IIF).value_or(0);
  headers.oif = number32(attributes, NFTA_TRACE_OIF).value_or(0);
  return headers;
}

std::optional<TraceEvent> read(const netlink::Received& message) {
  if (message.type != kTraceMessage) return std::nullopt;
  const auto parts = netlink::split<nfgenmsg>(message.payload);
  if (!parts) return std::nullopt;
  const Attributes& attributes = parts->second;
  const auto table = attributes.text(NFTA_TRACE_TABLE);
  const auto chain = attributes.text(NFTA_TRACE_CHAIN);
  const auto id = attributes.u32(NFTA_TRACE_ID);
  const auto type = type_of(number32(attributes, NFTA_TRACE_TYPE).value_or(0));
  if (!table || !chain || !id || !type) return std::nullopt;
  TraceEvent event;
  event.id = *id;
  event.type = *type;
  event.family = family_name(parts->first.nfgen_family);
  event.table = *table;
  event.chain = *chain;
  event.handle = number64(attributes, NFTA_TRACE_RULE_HANDLE);
  const Attributes verdict = attributes.nested(NFTA_TRACE_VERDICT);
  if (const auto policy = number32(attributes, NFTA_TRACE_POLICY)) {
    event.verdict = verdict_text(*policy, {});
  } else if (const auto code = number32(verdict, NFTA_VERDICT_CODE)) {
    event.verdict = verdict_text(*code, verdict.text(NFTA_VERDICT_CHAIN).value_or(std::string_view()));
  }
  event.headers = headers_of(attributes);
  return event;
}

}  // namespace

std::vector<TraceEvent> parse_trace(std::span<const std::uint8_t> bytes) {
  std::vector<TraceEvent> events;
  while (const auto message = netlink::take_message(bytes)) {
    if (auto event = read(*message)) events.push_back(std::move(*event));
  }
  return events;
}

}  // namespace plumbline::kernel::nft
