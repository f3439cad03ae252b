#include "harness/traffic/probe/error_queue.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

// After time.h, whose timespec it uses.
#include <linux/errqueue.h>

#include <cerrno>
#include <cstring>

namespace plumbline::traffic::detail {
namespace {

/// Large enough for the extended error and the offender's sockaddr behind it, of either family.
struct alignas(cmsghdr) ControlBuffer : std::array<unsigned char, 512> {};
// A queue holds no more than its receive buffer allows; this only bounds the loop.
constexpr int kEntriesLimit = 100'000;

template <class T>
std::optional<T> copy_at(std::span<const unsigned char> data, std::size_t at) {
  if (data.size() < at + sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, data.data() + at, sizeof value);
  return value;
}

/// The offender's sockaddr stands behind the extended error (SO_EE_OFFENDER).
IpAddress offender(std::span<const unsigned char> data, bool v6) {
  constexpr std::size_t kAt = sizeof(sock_extended_err);
  if (v6) {
    const auto from = copy_at<sockaddr_in6>(data, kAt);
    if (!from || from->sin6_family != AF_INET6) return IpAddress::v6({});
    return *IpAddress::from_bytes(std::span(from->sin6_addr.s6_addr));
  }
  const auto from = copy_at<sockaddr_in>(data, kAt);
  std::array<std::uint8_t, 4> bytes{};
  if (from && from->sin_family == AF_INET) std::memcpy(bytes.data(), &from->sin_addr, bytes.size());
  return IpAddress::v4(bytes);
}

void read_control(msghdr& message, QueuedError& queued) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    const bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
    const bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
    if (!v4 && !v6) continue;
    const std::span<const unsigned char> data(CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
    const auto error = copy_at<sock_extended_err>(data, 0);
    if (!error) continue;
    queued.error_number = static_cast<int>(error->ee_errno);
    if (queued.error_number == EMSGSIZE) queued.mtu = error->ee_info;
    if (error->ee_origin != SO_EE_ORIGIN_ICMP && error->ee_origin != SO_EE_ORIGIN_ICMP6) continue;
    const bool icmp6 = error->ee_origin == SO_EE_ORIGIN_ICMP6;
    queued.icmp = IcmpError{error->ee_type, error->ee_code, icmp6, offender(data, icmp6)};
  }
}

}  // namespace

int enable_error_queue(int fd, IpFamily family) {
  const bool v4 = family == IpFamily::v4;
  const int on = 1;
  const int result = v4 ? ::setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on)
                        : ::setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
  return result == 0 ? 0 : errno;
}

std::optional<QueuedError> take_queued_error(int fd) {
  QueuedError queued;
  ControlBuffer control{};
  iovec part{queued.quoted.data(), queued.quoted.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = ::recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
  if (size < 0) return std::nullopt;
  queued.quoted_size = static_cast<std::size_t>(size);
  read_control(message, queued);
  return queued;
}

std::optional<IcmpError> take_icmp_error(int fd) {
  for (int i = 0; i < kEntriesLimit; ++i) {
    const auto queued = take_queued_error(fd);
    if (!queued || queued->icmp) return queued ? queued->icmp : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace plumbline::traffic::detail
