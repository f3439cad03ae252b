#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "harness/base/ip.hpp"

namespace plumbline::kernel::nft {

enum class Family : std::uint8_t { ip, ip6, inet, bridge };
enum class Hook : std::uint8_t { prerouting, input, forward, output, postrouting };
enum class ChainType : std::uint8_t { filter, nat, route };
enum class Policy : std::uint8_t { accept, drop };

// Matches. All of a rule's must hold.
struct InputInterface {
  std::string name;  ///< iifname
};
struct OutputInterface {
  std::string name;  ///< oifname
};
struct Source {
  Prefix prefix;  ///< ip saddr or ip6 saddr; in `inet` tables with the protocol it implies
};
struct Destination {
  Prefix prefix;
};
struct Protocol {
  std::uint8_t number;  ///< meta l4proto: 1 icmp, 6 tcp, 17 udp, 58 icmpv6
};
struct DestinationPort {
  std::uint16_t port;  ///< th dport; needs a Protocol before it
};
struct SourcePort {
  std::uint16_t port;
};
/// ct state, any of the bits set here.
struct ConntrackState {
  bool established = false;
  bool related = false;
  bool new_ = false;
  bool invalid = false;
};
/// The packet holds these bytes so far behind the start of its transport header (@th).
struct TransportBytes {
  std::uint32_t offset = 0;
  std::vector<std::uint8_t> bytes;  ///< 1 to 16
};
using Match = std::variant<InputInterface, OutputInterface, Source, Destination, Protocol, DestinationPort,
                           SourcePort, ConntrackState, TransportBytes>;

// What becomes of the packet.
struct Accept {};
struct Drop {};
struct Reject {
  enum class With : std::uint8_t {
    port_unreachable,
    host_unreachable,
    net_unreachable,
    admin_prohibited,
    tcp_reset
  };
  With with = With::port_unreachable;
};
struct Masquerade {};
struct Jump {
  std::string chain;
};
struct Return {};
/// Not a verdict: the packet is logged, and the next rule looks at it.
struct Log {
  std::string prefix;  ///< at most 127 bytes (NF_LOG_PREFIXLEN)
};
/// `meta nftrace set 1 accept`: the kernel reports every rule that the packet meets from here on, this
/// included.
struct Traced {};
using Verdict = std::variant<Accept, Drop, Reject, Masquerade, Jump, Return, Log, Traced>;

struct Rule {
  std::vector<Match> matches;
  Verdict verdict = Accept{};
  bool counter = true;
  std::string comment;  ///< at most 128 bytes, as nft itself allows
};

struct BaseChain {
  ChainType type = ChainType::filter;
  Hook hook = Hook::forward;
  std::int32_t priority = 0;
  Policy policy = Policy::accept;
};
struct Chain {
  std::string name;
  std::optional<BaseChain> base;
  std::vector<Rule> rules;
};
struct Table {
  Family family = Family::inet;
  std::string name;
  std::vector<Chain> chains;
  /// Nobody else can change it, `flush ruleset` passes it over, and it goes when the socket that made it is
  /// closed. It must not exist yet.
  bool owner = false;
};
struct Ruleset {
  std::vector<Table> tables;
};

}  // namespace plumbline::kernel::nft
