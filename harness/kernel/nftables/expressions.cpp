#include "harness/kernel/nftables/expressions.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/in.h>

#include <array>
#include <cstddef>
#include <new>
#include <optional>
#include <span>

#include "harness/base/error.hpp"

namespace plumbline::kernel::nft {
namespace {

constexpr std::uint32_t kRegister = NFT_REG_1;
constexpr std::size_t kRegisterBytes = NFT_REG_SIZE;

[[noreturn]] void refuse(const std::string& why) {
  throw Error(why, ErrorKind::usage);
}

bool has_ports(std::optional<std::uint8_t> protocol) {
  return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
         protocol == IPPROTO_DCCP || protocol == IPPROTO_UDPLITE;
}

/// Where an address lies in its header (RFC 791, RFC 8200).
struct AddressField {
  std::uint32_t offset;
  std::uint32_t length;
};
AddressField source_field(IpFamily family) {
  return family == IpFamily::v4 ? AddressField{12, 4} : AddressField{8, 16};
}
AddressField destination_field(IpFamily family) {
  return family == IpFamily::v4 ? AddressField{16, 4} : AddressField{24, 16};
}

/// What an ICMP error says, in each family's own code.
struct UnreachableCodes {
  std::uint8_t ip;
  std::uint8_t ip6;
  std::uint8_t either;  ///< enum nft_reject_inet_code
};
UnreachableCodes codes_of(Reject::With with) {
  switch (with) {
    case Reject::With::host_unreachable:
      return {ICMP_HOST_UNREACH, ICMPV6_ADDR_UNREACH, NFT_REJECT_ICMPX_HOST_UNREACH};
    case Reject::With::net_unreachable:
      return {ICMP_NET_UNREACH, ICMPV6_NOROUTE, NFT_REJECT_ICMPX_NO_ROUTE};
    case Reject::With::admin_prohibited:
      return {ICMP_PKT_FILTERED, ICMPV6_ADM_PROHIBITED, NFT_REJECT_ICMPX_ADMIN_PROHIBITED};
    case Reject::With::port_unreachable:
    case Reject::With::tcp_reset:
      break;
  }
  return {ICMP_PORT_UNREACH, ICMPV6_PORT_UNREACH, NFT_REJECT_ICMPX_PORT_UNREACH};
}

/// Encodes one rule, and remembers which protocols its packets are known to be of.
class Encoder {
 public:
  Encoder(nftnl_rule* target, Family family) : target_(target), family_(family) {
    if (family == Family::ip) layer3_ = IpFamily::v4;
    if (family == Family::ip6) layer3_ = IpFamily::v6;
  }

  void operator()(const InputInterface& match) { interface(NFT_META_IIFNAME, match.name); }
  void operator()(const OutputInterface& match) { interface(NFT_META_OIFNAME, match.name); }
  void operator()(const Source& match) { prefix(source_field(match.prefix.family()), match.prefix); }
  void operator()(const Destination& match) {
    prefix(destination_field(match.prefix.family()), match.prefix);
  }
  void operator()(const Protocol& match) {
    if (layer4_ && *layer4_ != match.number) refuse("it asks for two protocols at once, so can never match");
    if (layer4_) return;
    layer4_ = match.number;
    load_meta(NFT_META_L4PROTO);
    compare(NFT_CMP_EQ, std::array{match.number});
  }
  void operator()(const SourcePort& match) { port(0, match.port); }
  void operator()(const DestinationPort& match) { port(2, match.port); }
  void operator()(const ConntrackState& match) { conntrack(match); }
  void operator()(const TransportBytes& match) {
    if (match.bytes.empty() || match.bytes.size() > kRegisterBytes) {
      refuse(fmt::format("it compares {} bytes at once; 1 to {} fit", match.bytes.size(), kRegisterBytes));
    }
    load_payload(NFT_PAYLOAD_TRANSPORT_HEADER,
                 {match.offset, static_cast<std::uint32_t>(match.bytes.size())});
    compare(NFT_CMP_EQ, match.bytes);
  }

  void operator()(const Accept& /*verdict*/) { decide(NF_ACCEPT); }
  void operator()(const Drop& /*verdict*/) { decide(NF_DROP); }
  void operator()(const Return& /*verdict*/) { decide(NFT_RETURN); }
  void operator()(const Masquerade& /*verdict*/) { add("masq"); }
  void operator()(const Log& verdict) {
    constexpr std::size_t kLongestPrefix = 127;  // NF_LOG_PREFIXLEN with its NUL is 128
    if (verdict.prefix.empty() || verdict.prefix.size() > kLongestPrefix) {
      refuse(fmt::format("a log prefix has 1 to {} bytes", kLongestPrefix));
    }
    nftnl_expr_set_str(add("log"), NFTNL_EXPR_LOG_PREFIX, verdict.prefix.c_str());
  }
  void operator()(const Jump& verdict) {
    if (verdict.chain.empty()) refuse("it jumps to a chain without a name");
    nftnl_expr_set_str(decide(NFT_JUMP), NFTNL_EXPR_IMM_CHAIN, verdict.chain.c_str());
  }
  void operator()(const Reject& verdict) { reject(verdict.with); }
  void operator()(const Traced& /*verdict*/) {
    constexpr std::uint8_t on = 1;
    nftnl_expr* value = add("immediate");
    nftnl_expr_set_u32(value, NFTNL_EXPR_IMM_DREG, kRegister);
    nftnl_expr_set(value, NFTNL_EXPR_IMM_DATA, &on, sizeof on);
    nftnl_expr* mark = add("meta");
    nftnl_expr_set_u32(mark, NFTNL_EXPR_META_KEY, NFT_META_NFTRACE);
    nftnl_expr_set_u32(mark, NFTNL_EXPR_META_SREG, kRegister);
    decide(NF_ACCEPT);
  }

  void count() { add("counter"); }

 private:
  nftnl_expr* add(const char* name) {
    nftnl_expr* expression = nftnl_expr_alloc(name);
    if (expression == nullptr) throw std::bad_alloc();
    nftnl_rule_add_expr(target_, expression);
    return expression;
  }

  void load_meta(std::uint32_t key) {
    nftnl_expr* load = add("meta");
    nftnl_expr_set_u32(load, NFTNL_EXPR_META_KEY, key);
    nftnl_expr_set_u32(load, NFTNL_EXPR_META_DREG, kRegister);
  }

  void load_payload(std::uint32_t base, AddressField field) {
    nftnl_expr* load = add("payload");
    nftnl_expr_set_u32(load, NFTNL_EXPR_PAYLOAD_BASE, base);
    nftnl_expr_set_u32(load, NFTNL_EXPR_PAYLOAD_OFFSET, field.offset);
    nftnl_expr_set_u32(load, NFTNL_EXPR_PAYLOAD_LEN, field.length);
    nftnl_expr_set_u32(load, NFTNL_EXPR_PAYLOAD_DREG, kRegister);
  }

  /// `Data`: anything contiguous.
  template <class Data>
  void compare(std::uint32_t operation, const Data& data) {
    const auto bytes = std::as_bytes(std::span(data));
    nftnl_expr* expression = add("cmp");
    nftnl_expr_set_u32(expression, NFTNL_EXPR_CMP_SREG, kRegister);
    nftnl_expr_set_u32(expression, NFTNL_EXPR_CMP_OP, operation);
    nftnl_expr_set(expression, NFTNL_EXPR_CMP_DATA, bytes.data(), static_cast<std::uint32_t>(bytes.size()));
  }

  /// register = register & mask
  template <class Data>
  void mask(const Data& data) {
    const auto bytes = std::as_bytes(std::span(data));
    const auto length = static_cast<std::uint32_t>(bytes.size());
    constexpr std::array<std::byte, 16> kZero{};
    nftnl_expr* expression = add("bitwise");
    nftnl_expr_set_u32(expression, NFTNL_EXPR_BITWISE_SREG, kRegister);
    nftnl_expr_set_u32(expression, NFTNL_EXPR_BITWISE_DREG, kRegister);
    nftnl_expr_set_u32(expression, NFTNL_EXPR_BITWISE_LEN, length);
    nftnl_expr_set(expression, NFTNL_EXPR_BITWISE_MASK, bytes.data(), length);
    nftnl_expr_set(expression, NFTNL_EXPR_BITWISE_XOR, kZero.data(), length);
  }

  void interface(std::uint32_t key, const std::string& name) {
    if (name.empty() || name == "*") refuse("an interface name is empty or would match every one");
    if (name.size() >= IFNAMSIZ) refuse(fmt::format("\"{}\" is too long for an interface name", name));
    std::array<char, IFNAMSIZ> padded{};
    name.copy(padded.data(), name.size());
    load_meta(key);
    if (name.back() == '*') {
      compare(NFT_CMP_EQ, std::span(padded.data(), name.size() - 1));
    } else {
      compare(NFT_CMP_EQ, padded);
    }
  }

  /// The packet is of that IP version: implied by an ip or ip6 table, asked for in the others.
  void require(IpFamily version) {
    if (layer3_ && *layer3_ != version) {
      refuse(fmt::format("an IPv{} prefix can never match: its packets are of the other version",
                         version == IpFamily::v4 ? 4 : 6));
    }
    if (layer3_) return;
    layer3_ = version;
    const bool v4 = version == IpFamily::v4;
    if (family_ == Family::bridge) {
      load_meta(NFT_META_PROTOCOL);
      compare(NFT_CMP_EQ, std::array{htons(v4 ? ETH_P_IP : ETH_P_IPV6)});
    } else {
      load_meta(NFT_META_NFPROTO);
      compare(NFT_CMP_EQ, std::array{static_cast<std::uint8_t>(v4 ? NFPROTO_IPV4 : NFPROTO_IPV6)});
    }
  }

  void prefix(AddressField field, const Prefix& prefix) {
    require(prefix.family());
    const auto length = static_cast<std::uint32_t>(prefix.length());
    if (length == 0) return;
    std::span<const std::uint8_t> bytes = prefix.address().bytes();
    const bool whole_bytes = length % 8 == 0;
    if (whole_bytes) {
      // The first bytes alone, as nft does too: shorter than a mask.
      field.length = length / 8;
      bytes = bytes.first(field.length);
    }
    load_payload(NFT_PAYLOAD_NETWORK_HEADER, field);
    if (!whole_bytes) {
      std::array<std::uint8_t, 16> bits{};
      for (std::uint32_t i = 0; i < length; ++i) {
        bits[i / 8] = static_cast<std::uint8_t>(bits[i / 8] | (0x80U >> (i % 8)));
      }
      mask(std::span(bits).first(field.length));
    }
    compare(NFT_CMP_EQ, bytes);
  }

  void port(std::uint32_t offset, std::uint16_t number) {
    if (!has_ports(layer4_)) refuse("a port needs a protocol that has ports (tcp, udp, sctp, …) before it");
    load_payload(NFT_PAYLOAD_TRANSPORT_HEADER, {offset, 2});
    compare(NFT_CMP_EQ, std::array{htons(number)});
  }

  void conntrack(const ConntrackState& match) {
    const auto bit = [](bool wanted, std::uint32_t value) { return wanted ? value : 0U; };
    const std::uint32_t bits = bit(match.established, NF_CT_STATE_BIT(IP_CT_ESTABLISHED)) |
                               bit(match.related, NF_CT_STATE_BIT(IP_CT_RELATED)) |
                               bit(match.new_, NF_CT_STATE_BIT(IP_CT_NEW)) |
                               bit(match.invalid, NF_CT_STATE_INVALID_BIT);
    if (bits == 0) refuse("a connection state without any bit can never match");
    nftnl_expr* load = add("ct");
    nftnl_expr_set_u32(load, NFTNL_EXPR_CT_KEY, NFT_CT_STATE);
    nftnl_expr_set_u32(load, NFTNL_EXPR_CT_DREG, kRegister);
    mask(std::array{bits});
    compare(NFT_CMP_NEQ, std::array{std::uint32_t{0}});
  }

  nftnl_expr* decide(int code) {
    nftnl_expr* expression = add("immediate");
    nftnl_expr_set_u32(expression, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
    nftnl_expr_set_u32(expression, NFTNL_EXPR_IMM_VERDICT, static_cast<std::uint32_t>(code));
    return expression;
  }

  void reject(Reject::With with) {
    std::uint32_t type = NFT_REJECT_ICMPX_UNREACH;
    std::uint8_t code = codes_of(with).either;
    if (with == Reject::With::tcp_reset) {
      type = NFT_REJECT_TCP_RST;
      code = 0;
    } else if (family_ == Family::ip || family_ == Family::ip6) {
      type = NFT_REJECT_ICMP_UNREACH;
      code = family_ == Family::ip ? codes_of(with).ip : codes_of(with).ip6;
    }
    nftnl_expr* expression = add("reject");
    nftnl_expr_set_u32(expression, NFTNL_EXPR_REJECT_TYPE, type);
    nftnl_expr_set_u8(expression, NFTNL_EXPR_REJECT_CODE, code);
  }

  nftnl_rule* target_;
  Family family_;
  std::optional<IpFamily> layer3_;
  std::optional<std::uint8_t> layer4_;
};

}  // namespace

void add_expressions(nftnl_rule* target, Family family, const Rule& rule) {
  Encoder encoder(target, family);
  for (const Match& match : rule.matches) std::visit(encoder, match);
  const Reject* reject = std::get_if<Reject>(&rule.verdict);
  // A reset answers TCP alone; nft adds the same match by itself.
  if (reject != nullptr && reject->with == Reject::With::tcp_reset) encoder(Protocol{IPPROTO_TCP});
  if (rule.counter) encoder.count();
  std::visit(encoder, rule.verdict);
}

}  // namespace plumbline::kernel::nft
