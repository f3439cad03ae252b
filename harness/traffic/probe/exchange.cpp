#include "harness/traffic/probe/exchange.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#include "harness/base/error.hpp"
#include "harness/traffic/probe/endpoint.hpp"

namespace plumbline::traffic::detail {
namespace {

// The largest datagram, its IPv4 header included (raw sockets deliver it).
constexpr std::size_t kDatagramLimit = 65'535;
// Datagrams that are not ours, read before other coroutines get their turn.
constexpr int kBatch = 256;

enum class Read { decided, nothing_more, again };

/// Looks for an error of our own; errors quoting other probes (a raw socket hears them too) are dropped.
bool read_errors(int fd, const DatagramRules& rules, ProbeOutcome& outcome) {
  for (int i = 0; i < kBatch; ++i) {
    const auto queued = take_queued_error(fd);
    if (!queued) return false;
    if (!queued->icmp) {
      outcome.mtu = queued->mtu;
      refuse_locally(outcome, queued->error_number, "send");
      return true;
    }
    if (!rules.is_own_error(*queued)) continue;
    outcome.status = ProbeOutcome::Status::icmp_error;
    outcome.icmp = queued->icmp;
    outcome.mtu = queued->mtu;
    return true;
  }
  return false;
}

Read read_once(int fd, Bytes& buffer, const DatagramRules& rules, ProbeOutcome& outcome) {
  if (read_errors(fd, rules, outcome)) return Read::decided;
  const ssize_t size = ::recv(fd, buffer.data(), buffer.size(), 0);
  if (size >= 0) {
    if (!rules.is_reply(std::span(buffer).first(static_cast<std::size_t>(size)))) return Read::again;
    outcome.status = ProbeOutcome::Status::replied;
    return Read::decided;
  }
  if (errno == EAGAIN || errno == EWOULDBLOCK) return Read::nothing_more;
  // An ICMP error sets the socket's error besides its queue entry; reading it here clears it. The queue tells
  // whether it was ours.
  return Read::again;
}

/// True when the outcome is decided.
bool read_available(int fd, Bytes& buffer, const DatagramRules& rules, ProbeOutcome& outcome) {
  for (int i = 0; i < kBatch; ++i) {
    const Read read = read_once(fd, buffer, rules, outcome);
    if (read != Read::again) return read == Read::decided;
  }
  return false;
}

}  // namespace

bool Opened::succeeded(int result, const char* what) {
  if (result == 0) return true;
  error = result;
  step = what;
  return false;
}

Opened open_socket(const kernel::Netns& netns, IpFamily family, int type, int protocol) {
  Opened opened;
  const bool v4 = family == IpFamily::v4;
  opened.identity.source = v4 ? IpAddress::v4({}) : IpAddress::v6({});
  const int flags = type | SOCK_NONBLOCK | SOCK_CLOEXEC;
  {
    const kernel::Netns::Entered inside = netns.enter();
    opened.fd = Fd(::socket(v4 ? AF_INET : AF_INET6, flags, protocol));
    if (!opened.fd) opened.succeeded(errno, "socket");
  }
  if (opened.fd) {
    opened.succeeded(enable_error_queue(opened.fd.get(), family), "IP_RECVERR");
  } else if (opened.error != EAFNOSUPPORT) {
    const char* kind = type == SOCK_RAW ? "raw ICMP" : type == SOCK_DGRAM ? "UDP" : "TCP";
    Error refused =
        Error::from_errno(opened.error, fmt::format("making a{} {} socket", v4 ? "n IPv4" : "n IPv6", kind));
    if (opened.error == EPERM || opened.error == EACCES) {
      refused = refused.with_kind(ErrorKind::environment)
                    .with_remedy("run with CAP_NET_RAW in the node's user namespace");
    }
    throw refused;
  }
  return opened;
}

int send_whole(int fd, IpFamily family) {
  const int v4 = IP_PMTUDISC_PROBE;
  const int v6 = IPV6_PMTUDISC_PROBE;
  const int result = family == IpFamily::v4
                         ? ::setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &v4, sizeof v4)
                         : ::setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v6, sizeof v6);
  return result == 0 ? 0 : errno;
}

int connect_to(int fd, const IpAddress& address, std::uint16_t port, unsigned scope) {
  const Endpoint remote = endpoint(address, port, scope);
  return ::connect(fd, remote.data(), static_cast<socklen_t>(remote.size())) == 0 ? 0 : errno;
}

IpAddress source_towards(const kernel::Netns& netns, const IpAddress& to, std::uint16_t port, int& error,
                         unsigned scope) {
  const Opened opened = open_socket(netns, to.family(), SOCK_DGRAM, 0);
  error = opened.error != 0 ? opened.error : connect_to(opened.fd.get(), to, port, scope);
  return error == 0 ? address_of(local_endpoint(opened.fd.get())) : unspecified(to);
}

Bytes make_payload(Nonce nonce, std::size_t size) {
  constexpr std::string_view kFiller = " plumbline probe";
  if (size < 16)
    throw Error(fmt::format("a probe's payload takes at least 16 bytes; {} were asked for", size));
  Bytes payload(size);
  for (std::size_t i = 0; i < 8; ++i) payload[i] = static_cast<std::uint8_t>(nonce >> (8 * (7 - i)));
  for (std::size_t i = 8; i < size; ++i)
    payload[i] = static_cast<std::uint8_t>(kFiller[(i - 8) % kFiller.size()]);
  return payload;
}

void refuse_locally(ProbeOutcome& outcome, int error, std::string_view step) {
  outcome.status = ProbeOutcome::Status::local_error;
  outcome.error_number = error;
  outcome.attempted = step;
}

boost::asio::awaitable<void> exchange_datagram(TimedSocket& socket, const ProbeRequest& request,
                                               const Bytes& packet, const DatagramRules& rules,
                                               ProbeOutcome& outcome) {
  Bytes buffer(std::min(kDatagramLimit, packet.size() + 128));
  socket.start_clock(request.timeout, request.recall);
  bool decided = false;
  if (::send(socket.fd(), packet.data(), packet.size(), MSG_NOSIGNAL) < 0) {
    const int error = errno;
    // A `reject` on the way out refuses the send and sends an ICMP error as well, which says more.
    if (!read_errors(socket.fd(), rules, outcome)) refuse_locally(outcome, error, "send");
    decided = true;
  }
  while (!decided) {
    const bool something = co_await socket.readable();
    if (!something) break;  // the time-out, which is what the outcome says unless it is decided
    decided = read_available(socket.fd(), buffer, rules, outcome);
  }
  outcome.duration = socket.elapsed();
}

}  // namespace plumbline::traffic::detail
