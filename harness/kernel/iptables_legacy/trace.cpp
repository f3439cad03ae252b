#include "harness/kernel/iptables_legacy/trace.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>

#include "harness/base/error.hpp"
#include "harness/kernel/netlink/message.hpp"
#include "harness/kernel/netns/sysctl.hpp"

namespace plumbline::kernel::iptables {
namespace {

/// What ip_tables reports by: the log group that nobody chose (default_loginfo of nfnetlink_log.c).
constexpr std::uint16_t kGroup = 0;
/// Enough for every header and the start of the payload.
constexpr std::uint32_t kCopied = 160;
constexpr const char* kLogger = "nfnetlink_log";

std::string sysctl_of(std::uint8_t family) {
  return fmt::format("net.netfilter.nf_log.{}", family);
}

netlink::Message config(std::uint8_t family) {
  return {NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG, NLM_F_ACK,
          nfgenmsg{family, NFNETLINK_V0, htons(kGroup)}};
}

template <class Value>
void put(netlink::Message& message, std::uint16_t type, const Value& value) {
  std::array<std::uint8_t, sizeof value> bytes{};
  std::memcpy(bytes.data(), &value, sizeof value);
  message.put(type, bytes);
}

void put_command(netlink::Message& message, std::uint8_t command) {
  message.put_u8(NFULA_CFG_CMD, command);
}

/// The kernel answers within the sending call; events may lie before the answer.
int answer(int fd) {
  std::array<std::uint8_t, 8192> buffer{};
  while (true) {
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (got < 0 && (errno == EINTR || errno == ENOBUFS)) continue;
    if (got < 0) return errno;
    std::span<const std::uint8_t> rest(buffer.data(), static_cast<std::size_t>(got));
    while (const auto message = netlink::take_message(rest)) {
      std::int32_t error = 0;
      if (message->type != NLMSG_ERROR || message->payload.size() < sizeof error) continue;
      std::memcpy(&error, message->payload.data(), sizeof error);
      return -error;
    }
  }
}

void request(int fd, const netlink::Message& message, const char* attempted) {
  const auto bytes = message.bytes();
  const int error = ::send(fd, bytes.data(), bytes.size(), 0) < 0 ? errno : answer(fd);
  if (error == 0) return;
  const Error failure = Error::from_errno(error, attempted).with_kind(ErrorKind::environment);
  if (error == EBUSY) throw failure.with_remedy("another process listens to log group 0 (ulogd?): end it");
  if (error == ENOENT || error == EOPNOTSUPP || error == EINVAL)
    throw failure.with_remedy("a kernel with nfnetlink_log (modprobe nfnetlink_log)");
  throw failure;
}

Fd open_socket(const Netns& netns, std::size_t buffer_bytes) {
  const Netns::Entered inside(netns);
  Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER));
  if (!socket) throw Error::from_errno(errno, "opening a socket for iptables-legacy's trace");
  const int size = static_cast<int>(std::min<std::size_t>(buffer_bytes, std::numeric_limits<int>::max() / 2));
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0) {
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }
  sockaddr_nl own{};
  own.nl_family = AF_NETLINK;
  // NOLINTNEXTLINE(*-reinterpret-cast): the sockets' interface
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0) {
    throw Error::from_errno(errno, "opening a socket for iptables-legacy's trace");
  }
  return socket;
}

}  // namespace

Trace::Trace(const Netns& netns, std::size_t buffer_bytes)
    : netns_(netns), socket_(open_socket(netns, buffer_bytes)) {
  bind();
  try {
    take_over(AF_INET);
    take_over(AF_INET6);
  } catch (...) {
    for (const Logger& logger : loggers_) give_back(logger);
    throw;
  }
}

Trace::~Trace() {
  for (const Logger& logger : loggers_) give_back(logger);
}

void Trace::bind() {
  netlink::Message take = config(AF_UNSPEC);
  put_command(take, NFULNL_CFG_CMD_BIND);
  request(fd(), take, "listening to log group 0");
  netlink::Message how = config(AF_UNSPEC);
  put(how, NFULA_CFG_MODE, nfulnl_msg_config_mode{htonl(kCopied), NFULNL_COPY_PACKET, 0});
  // At once, rather than when some have gathered or a tenth of a second has passed.
  put(how, NFULA_CFG_QTHRESH, htonl(1));
  put(how, NFULA_CFG_FLAGS, htons(NFULNL_CFG_F_SEQ));
  request(fd(), how, "configuring log group 0");
}

void Trace::take_over(std::uint8_t family) {
  const std::string before = read_sysctl(netns_, sysctl_of(family)).value_or("NONE");
  netlink::Message message = config(family);
  put_command(message, NFULNL_CFG_CMD_PF_BIND);
  request(fd(), message, "making nfnetlink_log the logger of a namespace");
  loggers_.push_back({family, before});
}

void Trace::give_back(const Logger& logger) noexcept {
  if (logger.before == kLogger) return;
  try {
    if (logger.before != "NONE") {
      write_sysctl(netns_, sysctl_of(logger.family), logger.before);
      return;
    }
    netlink::Message message = config(logger.family);
    put_command(message, NFULNL_CFG_CMD_PF_UNBIND);
    request(fd(), message, "giving the logger of a namespace back");
  } catch (const std::exception&) {
    // Without a listener the logger says nothing.
  }
}

std::vector<TraceEvent> Trace::take() {
  constexpr std::size_t largest = 65536;
  const auto buffer = std::make_unique<std::array<std::uint8_t, largest>>();
  std::vector<TraceEvent> events;
  while (true) {
    const ssize_t got = ::recv(fd(), buffer->data(), buffer->size(), MSG_TRUNC);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return events;
    if (got < 0 && errno != ENOBUFS) throw Error::from_errno(errno, "receiving iptables-legacy's trace");
    if (got < 0 || static_cast<std::size_t>(got) > buffer->size()) {
      ++lost_;
      continue;
    }
    Heard heard = parse_log({buffer->data(), static_cast<std::size_t>(got)});
    for (const std::uint32_t sequence : heard.sequence) {
      if (last_sequence_ && sequence != *last_sequence_ + 1) ++lost_;
      last_sequence_ = sequence;
    }
    std::ranges::move(heard.events, std::back_inserter(events));
  }
}

}  // namespace plumbline::kernel::iptables
