#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/ip.hpp"
#include "harness/kernel/netns/netns.hpp"
#include "harness/traffic/probe/recall.hpp"

/// Active traffic: each probe is one packet exchange of its own, sent from inside a node.
namespace plumbline::traffic {

enum class Protocol : std::uint8_t { ping, udp, tcp };

/// The first 8 bytes, big endian, of a UDP or ICMP echo payload: 'P' 'L' and 48 bits that no other probe of
/// this process has. In TCP it travels in the path of `GET /plumbline/NONCE HTTP/1.0`, as 16 hex digits.
using Nonce = std::uint64_t;
Nonce next_nonce();
/// 16 lower-case hex digits.
std::string nonce_text(Nonce nonce);

/// An ICMP or ICMPv6 error that came back for the probe.
struct IcmpError {
  std::uint8_t type = 0;
  std::uint8_t code = 0;
  bool v6 = false;
  IpAddress from;
};

struct ProbeRequest {
  const kernel::Netns* from = nullptr;
  Protocol protocol = Protocol::ping;
  IpAddress to;
  std::uint16_t port = 0;  ///< of udp and tcp
  /// Where `to` is a link-local IPv6 address: the interface that it is reached through, by its index in
  /// `from` (sin6_scope_id). Without it the kernel refuses such an address (EINVAL).
  unsigned scope = 0;
  Nonce nonce = 0;
  std::optional<IpAddress> source;  ///< bind to it; absent: the kernel chooses
  std::chrono::milliseconds timeout{1000};
  std::size_t payload_bytes = 56;  ///< of ping and udp; at least 16
  std::shared_ptr<Recall> recall;  ///< may end it early; null: nobody does
  /// Ping and udp: in one packet or not at all. What an earlier probe has learned of the path's MTU is passed
  /// over, so that the path itself must refuse it.
  bool whole = false;
  /// TCP: also send the request and wait for an answer that holds the nonce. Otherwise the handshake is all.
  bool exchange = true;
  /// TCP: awaited while the connection stands, before anything else is done with it; empty: nothing.
  std::function<boost::asio::awaitable<void>()> connected;
};

/// What the probe's identity is on the wire, known just before its first packet is sent.
struct ProbeIdentity {
  IpAddress source;               ///< as the sending node uses it
  std::uint16_t source_port = 0;  ///< UDP, TCP: fresh for every probe; ping: the echo id
  /// TCP: the sequence number of its SYN. Absent: it is the kernel's choice.
  std::optional<std::uint32_t> initial_sequence;
};

struct ProbeOutcome {
  enum class Status : std::uint8_t {
    replied,      ///< our own bytes came back (ping, udp), or the connection was made and, with `exchange`,
                  ///< answered
    refused,      ///< TCP reset
    icmp_error,   ///< `icmp` says which and from whom
    local_error,  ///< the sending kernel refused by itself: `error_number`
    timeout,      ///< nothing came within the time-out
    no_answer,    ///< TCP: connected, but no answer that holds the nonce
  };
  Status status = Status::timeout;
  ProbeIdentity identity;
  std::optional<IcmpError> icmp;
  int error_number = 0;
  std::uint32_t mtu = 0;  ///< the largest packet that whoever refused it for its size lets pass; 0: not said
  std::chrono::microseconds duration{0};
  /// The source address that the far end says it saw (HTTP); absent elsewhere.
  std::optional<IpAddress> seen_as;
  /// With local_error: what the kernel refused, "bind", "connect", "send"; otherwise empty.
  std::string attempted;
};

/// Sends and awaits. `ready` is called once, after the socket is bound and before the first packet is sent.
/// Never throws for what the network does; throws Error when the probe cannot be made at all.
/// UDP and TCP: ICMP errors are read from the socket's error queue (IP_RECVERR), with their sender. A ping
/// uses a raw socket. A TCP connection is closed in order (FIN).
boost::asio::awaitable<ProbeOutcome> probe(ProbeRequest request,
                                           std::function<void(const ProbeIdentity&)> ready);

enum class DnsTransport : std::uint8_t { udp, tcp };

struct DnsRequest {
  const kernel::Netns* from = nullptr;
  IpAddress server;
  std::uint16_t port = 53;
  std::string name;   ///< sent as it is: the caller mixes its case to tell queries apart
  bool aaaa = false;  ///< otherwise A
  std::uint16_t id = 0;
  DnsTransport transport = DnsTransport::udp;
  std::chrono::milliseconds timeout{1000};
  std::shared_ptr<Recall> recall;  ///< may end it early; null: nobody does
};

struct DnsOutcome {
  enum class Status : std::uint8_t {
    answered,
    name_error,
    server_failure,
    refused,
    other_rcode,
    icmp_error,
    refused_connection,
    local_error,
    timeout,
    malformed
  };
  Status status = Status::timeout;
  std::vector<IpAddress> addresses;  ///< of the type asked, in the order of the answer
  std::uint8_t rcode = 0;
  bool truncated = false;
  bool case_kept = true;  ///< the answer repeats the question's letters exactly (dns0x20)
  std::optional<IcmpError> icmp;
  int error_number = 0;
  ProbeIdentity identity;
  std::chrono::microseconds duration{0};
  /// With local_error: what the kernel refused, "bind", "connect", "send"; otherwise empty.
  std::string attempted;
};

/// Whether a DNS message came back, whatever it says.
bool is_response(const DnsOutcome& outcome);

/// One question by c-ares, to one server, without retry, search list or fall-back to TCP.
boost::asio::awaitable<DnsOutcome> ask(DnsRequest request, std::function<void(const ProbeIdentity&)> ready);

/// "replied", "ICMP host administratively prohibited from 192.168.99.1", "timeout", "connect: Network is
/// unreachable".
std::string to_text(const ProbeOutcome& outcome);
std::string to_text(const DnsOutcome& outcome);

}  // namespace plumbline::traffic
