#include "harness/kernel/conntrack/entry.hpp"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>

#include <array>

#include "harness/kernel/netlink/family.hpp"

namespace plumbline::kernel::conntrack {
namespace {

using netlink::Attributes;
using netlink::Message;

void put_u16(Message& message, std::uint16_t type, std::uint16_t value) {
  message.put(type, std::array{static_cast<std::uint8_t>(value >> 8U), static_cast<std::uint8_t>(value)});
}

/// Numbers of ctnetlink are in network order.
std::optional<std::uint16_t> u16(const Attributes& attributes, std::uint16_t type) {
  const auto bytes = attributes.bytes(type);
  if (!bytes || bytes->size() != 2) return std::nullopt;
  return static_cast<std::uint16_t>((*bytes)[0] << 8U | (*bytes)[1]);
}

std::uint32_t u32_or_0(const Attributes& attributes, std::uint16_t type) {
  return ntohl(attributes.u32(type).value_or(0));
}

bool has_ports(std::uint8_t protocol) {
  return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

void put_protocol(Message& message, const Tuple& tuple) {
  const auto nest = message.nest(CTA_TUPLE_PROTO);
  message.put_u8(CTA_PROTO_NUM, tuple.protocol);
  if (has_ports(tuple.protocol)) {
    put_u16(message, CTA_PROTO_SRC_PORT, tuple.source_port);
    put_u16(message, CTA_PROTO_DST_PORT, tuple.destination_port);
  } else if (tuple.protocol == IPPROTO_ICMP || tuple.protocol == IPPROTO_ICMPV6) {
    const bool v6 = tuple.protocol == IPPROTO_ICMPV6;
    put_u16(message, v6 ? CTA_PROTO_ICMPV6_ID : CTA_PROTO_ICMP_ID, tuple.echo_id);
    message.put_u8(v6 ? CTA_PROTO_ICMPV6_TYPE : CTA_PROTO_ICMP_TYPE, tuple.icmp_type);
    message.put_u8(v6 ? CTA_PROTO_ICMPV6_CODE : CTA_PROTO_ICMP_CODE, tuple.icmp_code);
  }
}

void put_tuple(Message& message, std::uint16_t type, const Tuple& tuple) {
  const auto nest = message.nest(type);
  {
    const auto addresses = message.nest(CTA_TUPLE_IP);
    const bool v4 = tuple.source.is_v4();
    message.put_ip(v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, tuple.source);
    message.put_ip(v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, tuple.destination);
  }
  put_protocol(message, tuple);
}

std::optional<Tuple> read_tuple(const Attributes& outer) {
  const Attributes addresses = outer.nested(CTA_TUPLE_IP);
  const Attributes protocol = outer.nested(CTA_TUPLE_PROTO);
  Tuple tuple;
  const bool v4 = addresses.bytes(CTA_IP_V4_SRC).has_value();
  const auto source = addresses.ip(v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC);
  const auto destination = addresses.ip(v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST);
  const auto number = protocol.u8(CTA_PROTO_NUM);
  if (!source || !destination || !number) return std::nullopt;
  if (source->is_v4() != v4 || destination->is_v4() != v4) return std::nullopt;
  tuple.source = *source;
  tuple.destination = *destination;
  tuple.protocol = *number;
  tuple.source_port = u16(protocol, CTA_PROTO_SRC_PORT).value_or(0);
  tuple.destination_port = u16(protocol, CTA_PROTO_DST_PORT).value_or(0);
  const bool v6 = *number == IPPROTO_ICMPV6;
  tuple.echo_id = u16(protocol, v6 ? CTA_PROTO_ICMPV6_ID : CTA_PROTO_ICMP_ID).value_or(0);
  tuple.icmp_type = protocol.u8(v6 ? CTA_PROTO_ICMPV6_TYPE : CTA_PROTO_ICMP_TYPE).value_or(0);
  tuple.icmp_code = protocol.u8(v6 ? CTA_PROTO_ICMPV6_CODE : CTA_PROTO_ICMP_CODE).value_or(0);
  return tuple;
}

std::optional<TcpState> state_of(std::uint8_t number) {
  static_assert(TCP_CONNTRACK_SYN_SENT2 == static_cast<int>(TcpState::syn_sent2));
  if (number > TCP_CONNTRACK_SYN_SENT2) return std::nullopt;
  return static_cast<TcpState>(number);
}

void read_status(std::uint32_t status, Entry& entry) {
  entry.seen_reply = (status & IPS_SEEN_REPLY) != 0;
  entry.assured = (status & IPS_ASSURED) != 0;
  entry.confirmed = (status & IPS_CONFIRMED) != 0;
  entry.source_nat = (status & IPS_SRC_NAT) != 0;
  entry.destination_nat = (status & IPS_DST_NAT) != 0;
  entry.dying = (status & IPS_DYING) != 0;
}

Message request(IpFamily family) {
  return {NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, 0,
          nfgenmsg{netlink::family_number(family), NFNETLINK_V0, 0}};
}

}  // namespace

const char* to_text(TcpState state) noexcept {
  switch (state) {
    case TcpState::none:
      return "NONE";
    case TcpState::syn_sent:
      return "SYN_SENT";
    case TcpState::syn_recv:
      return "SYN_RECV";
    case TcpState::established:
      return "ESTABLISHED";
    case TcpState::fin_wait:
      return "FIN_WAIT";
    case TcpState::close_wait:
      return "CLOSE_WAIT";
    case TcpState::last_ack:
      return "LAST_ACK";
    case TcpState::time_wait:
      return "TIME_WAIT";
    case TcpState::close:
      return "CLOSE";
    case TcpState::syn_sent2:
      return "SYN_SENT2";
  }
  return "";
}

netlink::Message get_entry(const Tuple& original, std::uint16_t zone) {
  Message message = request(original.source.family());
  put_tuple(message, CTA_TUPLE_ORIG, original);
  if (zone != 0) put_u16(message, CTA_ZONE, zone);
  return message;
}

netlink::Message get_entries(IpFamily family) {
  return request(family);
}

std::optional<Entry> decode_entry(const netlink::Received& message) {
  if (message.type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW)) return std::nullopt;
  const auto parts = netlink::split<nfgenmsg>(message.payload);
  if (!parts) return std::nullopt;
  const Attributes& attributes = parts->second;
  const auto original = read_tuple(attributes.nested(CTA_TUPLE_ORIG));
  const auto reply = read_tuple(attributes.nested(CTA_TUPLE_REPLY));
  if (!original || !reply) return std::nullopt;
  Entry entry;
  entry.original = *original;
  entry.reply = *reply;
  read_status(u32_or_0(attributes, CTA_STATUS), entry);
  const auto state = attributes.nested(CTA_PROTOINFO).nested(CTA_PROTOINFO_TCP).u8(CTA_PROTOINFO_TCP_STATE);
  if (state) entry.tcp_state = state_of(*state);
  entry.zone = u16(attributes, CTA_ZONE).value_or(0);
  entry.mark = u32_or_0(attributes, CTA_MARK);
  entry.timeout = u32_or_0(attributes, CTA_TIMEOUT);
  return entry;
}

}  // namespace plumbline::kernel::conntrack
