#include "harness/network/service/listen.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/ip/udp.hpp>
#include <cerrno>

#include "harness/base/error.hpp"

namespace plumbline::network::detail {
namespace {

struct Wanted {
  const char* transport;
  int type;
  std::uint16_t port;
};

Error refused(const Wanted& wanted, const char* step) {
  const Error error =
      Error::from_errno(errno, fmt::format("serving on {} port {}: {}", wanted.transport, wanted.port, step));
  if (error.error_number() != EADDRINUSE) return error;
  return error.with_remedy("another server in this node has the port; choose another, or serve it once");
}

void set_option(const Wanted& wanted, int fd, int level, int option, int value, const char* name) {
  if (::setsockopt(fd, level, option, &value, sizeof value) != 0) throw refused(wanted, name);
}

BoundSocket open_socket(const kernel::Netns& netns, const Wanted& wanted, std::optional<IpFamily> family) {
  const kernel::Netns::Entered inside = netns.enter();
  const int flags = wanted.type | SOCK_NONBLOCK | SOCK_CLOEXEC;
  if (family != IpFamily::v4) {
    Fd v6(::socket(AF_INET6, flags, 0));
    if (v6) return {std::move(v6), IpFamily::v6};
    if (family || errno != EAFNOSUPPORT) throw refused(wanted, "making an IPv6 socket");
  }
  Fd v4(::socket(AF_INET, flags, 0));
  if (!v4) throw refused(wanted, "making an IPv4 socket");
  return {std::move(v4), IpFamily::v4};
}

/// To `address`, or to every one.
void bind_to(const BoundSocket& socket, const Wanted& wanted, const std::optional<IpAddress>& address) {
  using boost::asio::ip::udp;
  const bool v6 = socket.family == IpFamily::v6;
  const int fd = socket.fd.get();
  if (v6) set_option(wanted, fd, IPPROTO_IPV6, IPV6_V6ONLY, 0, "IPV6_V6ONLY");
  udp::endpoint at(v6 ? udp::v6() : udp::v4(), wanted.port);
  if (address) at.address(boost::asio::ip::make_address(address->to_string()));
  if (::bind(fd, at.data(), static_cast<socklen_t>(at.size())) != 0) throw refused(wanted, "binding");
}

std::optional<IpFamily> family_of(std::optional<IpFamily> family, const std::optional<IpAddress>& address) {
  return address ? address->family() : family;
}

/// Room for a burst of many clients at once: each small datagram costs 768 bytes of it. What the kernel
/// grants beyond rmem_max needs CAP_NET_ADMIN in the first user namespace, so a refusal is no error.
void enlarge_receive_buffer(int fd) {
  const int bytes = 4 << 20;
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) == 0) return;
  static_cast<void>(::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes));
}

}  // namespace

BoundSocket bind_udp(const kernel::Netns& netns, std::uint16_t port, std::optional<IpFamily> family,
                     const std::optional<IpAddress>& address) {
  const Wanted wanted{"UDP", SOCK_DGRAM, port};
  BoundSocket socket = open_socket(netns, wanted, family_of(family, address));
  const int fd = socket.fd.get();
  enlarge_receive_buffer(fd);
  if (socket.family == IpFamily::v6) {
    set_option(wanted, fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "IPV6_RECVPKTINFO");
    // An address that only a local route makes ours is a legal source for the kernel's IPv6 only with this.
    set_option(wanted, fd, IPPROTO_IPV6, IPV6_FREEBIND, 1, "IPV6_FREEBIND");
  } else {
    set_option(wanted, fd, IPPROTO_IP, IP_PKTINFO, 1, "IP_PKTINFO");
  }
  bind_to(socket, wanted, address);
  return socket;
}

BoundSocket listen_tcp(const kernel::Netns& netns, std::uint16_t port, std::optional<IpFamily> family,
                       const std::optional<IpAddress>& address) {
  const Wanted wanted{"TCP", SOCK_STREAM, port};
  BoundSocket socket = open_socket(netns, wanted, family_of(family, address));
  set_option(wanted, socket.fd.get(), SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
  bind_to(socket, wanted, address);
  if (::listen(socket.fd.get(), SOMAXCONN) != 0) throw refused(wanted, "listening");
  return socket;
}

}  // namespace plumbline::network::detail
