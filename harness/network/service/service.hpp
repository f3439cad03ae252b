#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/ip.hpp"
#include "harness/kernel/netns/netns.hpp"

/// The simulated world's servers, in-process: sockets made inside a node, served by the one event loop.
namespace plumbline::network {

/// One request that a server saw.
struct ServiceRequest {
  IpAddress client;  ///< the source address as the server sees it, after any NAT
  std::uint16_t client_port = 0;
  IpAddress server;  ///< the local address that was asked
  bool tcp = false;
  std::string text;  ///< payload (bounded to 512 bytes), or for DNS the name asked, case as sent
};

class Server {
 public:
  Server() = default;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  virtual ~Server() = default;  ///< closes its sockets; connections end
  /// What it saw since it started; bounded to the newest 65,536.
  virtual const std::vector<ServiceRequest>& requests() const = 0;
};

/// In what a server differs from one in good order.
struct Manner {
  std::optional<IpAddress> listen;     ///< it listens on this address of the node alone
  std::chrono::milliseconds delay{0};  ///< that it takes before each answer
  std::optional<IpAddress> source;     ///< UDP: answers leave from this address of the node
  std::uint16_t source_port = 0;       ///< UDP: answers leave from this port; 0: from the one that was asked
};

/// Each is bound and listening when it returns, on every local address of the node, IPv4 and IPv6 (a reply
/// leaves from the address that was asked, which matters where a route makes a whole range local).
/// Throws Error naming transport and port (EADDRINUSE included).
///
/// UDP: every datagram comes back as it is.
std::unique_ptr<Server> serve_udp_echo(boost::asio::any_io_executor executor, const kernel::Netns& netns,
                                       std::uint16_t port, const Manner& manner = {});
/// TCP: every byte comes back as it is, until the client closes.
std::unique_ptr<Server> serve_tcp_echo(boost::asio::any_io_executor executor, const kernel::Netns& netns,
                                       std::uint16_t port, const Manner& manner = {});
/// HTTP: any GET gets 200 with the lines `client ADDRESS`, `port N`, `server ADDRESS`, `path PATH`.
std::unique_ptr<Server> serve_http(boost::asio::any_io_executor executor, const kernel::Netns& netns,
                                   std::uint16_t port, const Manner& manner = {});

enum class Transports : std::uint8_t { both, udp, tcp };

struct DnsManner : Manner {
  Transports over = Transports::both;
  std::uint8_t rcode = 0;  ///< of every answer, which then holds no address; 0: what `names` says
  bool truncated = false;  ///< over UDP no answer fits: it says so (TC) and holds no address
  std::string question;    ///< the name that it says it was asked for; empty: the one that it was
};
/// DNS over UDP and TCP: A and AAAA from `names` (lower case, no final dot), the name's case echoed as asked
/// (draft-vixie-dnsext-dns0x20), NXDOMAIN for names that are not there, NODATA for other types, FORMERR or
/// silence for what does not parse.
std::unique_ptr<Server> serve_dns(boost::asio::any_io_executor executor, const kernel::Netns& netns,
                                  std::uint16_t port, std::map<std::string, std::vector<IpAddress>> names,
                                  const DnsManner& manner = {});

/// What takes whatever comes over one transport, and does nothing good with it.
std::unique_ptr<Server> serve_udp_silence(boost::asio::any_io_executor executor, const kernel::Netns& netns,
                                          std::uint16_t port, const Manner& manner = {});
/// Connections are taken, read from, and never answered.
std::unique_ptr<Server> serve_tcp_silence(boost::asio::any_io_executor executor, const kernel::Netns& netns,
                                          std::uint16_t port, const Manner& manner = {});
/// Connections are taken, and reset at once.
std::unique_ptr<Server> serve_tcp_reset(boost::asio::any_io_executor executor, const kernel::Netns& netns,
                                        std::uint16_t port, const Manner& manner = {});

/// Nothing accepts, and the queue is full: the kernel answers no SYN.
std::unique_ptr<Server> serve_tcp_full(const kernel::Netns& netns, std::uint16_t port,
                                       const Manner& manner = {});

/// What is to be served at a port of a node.
struct ServerPlan {
  enum class Kind : std::uint8_t { echo, http, dns, silence, reset, full };
  Kind kind = Kind::echo;
  std::uint16_t port = 0;
  DnsManner manner;  ///< with the transports of `over` that the kind has: http, reset and full have TCP alone
  std::map<std::string, std::vector<IpAddress>> names;  ///< of a DNS server
};

/// A server, and what it holds of a node.
struct Serving {
  std::uint16_t port = 0;
  bool tcp = false;  ///< else UDP
  std::unique_ptr<Server> server;
};
/// One for each transport.
std::vector<Serving> serve(const boost::asio::any_io_executor& executor, const kernel::Netns& netns,
                           const ServerPlan& plan);

}  // namespace plumbline::network
