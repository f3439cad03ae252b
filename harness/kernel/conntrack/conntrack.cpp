#include "harness/kernel/conntrack/conntrack.hpp"

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <span>
#include <string>

#include "harness/base/error.hpp"
#include "harness/kernel/netns/sysctl.hpp"

namespace plumbline::kernel::conntrack {
namespace {

constexpr const char* kAsking = "asking conntrack";
/// More than any answer has; a dump's datagrams are no larger than the buffer that asks for them.
constexpr std::size_t kDatagram = 32768;
/// Left over answers of a dump that was given up: passed over, but not without end.
constexpr int kMostDatagrams = 65536;

[[noreturn]] void refuse(int error) {
  const Error failure = Error::from_errno(error, kAsking);
  if (error == EPERM)
    throw failure.with_kind(ErrorKind::environment)
        .with_remedy("run it with CAP_NET_ADMIN over the network namespace");
  if (error == EINVAL || error == EOPNOTSUPP || error == EPROTONOSUPPORT)
    throw failure.with_kind(ErrorKind::environment)
        .with_remedy("a kernel with ctnetlink (modprobe nf_conntrack_netlink)");
  throw failure;
}

/// Of NLMSG_ERROR or NLMSG_DONE: 0, or errno.
int status_of(const netlink::Received& message) {
  std::int32_t status = 0;
  if (message.payload.size() >= sizeof status) std::memcpy(&status, message.payload.data(), sizeof status);
  return status < 0 ? -status : 0;
}

std::optional<std::uint64_t> number(const std::optional<std::string>& text) {
  std::uint64_t value = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), value).ec != std::errc{}) {
    return std::nullopt;
  }
  return value;
}

/// Hands each message that answers request `sequence` to `take` until that says true.
template <class Take>
void receive(mnl_socket* socket, std::uint32_t sequence, Take take) {
  alignas(nlmsghdr) std::array<std::uint8_t, kDatagram> buffer;
  for (int reads = 0; reads < kMostDatagrams; ++reads) {
    const ssize_t got = mnl_socket_recvfrom(socket, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refuse(errno);
    std::span<const std::uint8_t> rest(buffer.data(), static_cast<std::size_t>(got));
    while (const auto message = netlink::take_message(rest)) {
      if (message->sequence == sequence && take(*message)) return;
    }
  }
  throw Error("conntrack's answer does not end");
}

}  // namespace

void Connection::Close::operator()(mnl_socket* socket) const noexcept {
  mnl_socket_close(socket);
}

Connection::Connection(const Netns& netns) {
  const Netns::Entered inside(netns);
  socket_.reset(mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket_ || mnl_socket_bind(socket_.get(), 0, MNL_SOCKET_AUTOPID) != 0) {
    throw Error::from_errno(errno, "opening a socket to ask conntrack").with_kind(ErrorKind::environment);
  }
}

void Connection::send(netlink::Message message, std::uint16_t flags) {
  std::array<std::uint8_t, netlink::Message::kCapacity> bytes{};
  const auto whole = message.bytes();
  std::ranges::copy(whole, bytes.begin());
  nlmsghdr header{};
  std::memcpy(&header, bytes.data(), sizeof header);
  header.nlmsg_flags = static_cast<std::uint16_t>(header.nlmsg_flags | flags);
  header.nlmsg_seq = ++sequence_;
  std::memcpy(bytes.data(), &header, sizeof header);
  if (mnl_socket_sendto(socket_.get(), bytes.data(), whole.size()) < 0) refuse(errno);
}

std::optional<Entry> Connection::look_up(const Tuple& original, std::uint16_t zone) {
  send(get_entry(original, zone), NLM_F_ACK);
  std::optional<Entry> found;
  int error = 0;
  receive(socket_.get(), sequence_, [&](const netlink::Received& message) {
    if (message.type != NLMSG_ERROR) {
      found = decode_entry(message);
      return false;
    }
    error = status_of(message);
    return true;
  });
  if (error != 0 && error != ENOENT) refuse(error);
  return found;
}

Connection::Listed Connection::list(IpFamily family) {
  send(get_entries(family), NLM_F_DUMP);
  Listed listed;
  int error = 0;
  receive(socket_.get(), sequence_, [&](const netlink::Received& message) {
    if ((message.flags & NLM_F_DUMP_INTR) != 0) listed.complete = false;
    if (message.type == NLMSG_DONE || message.type == NLMSG_ERROR) {
      error = status_of(message);
      return true;
    }
    if (listed.entries.size() >= kMost) {
      listed.complete = false;
    } else if (const auto entry = decode_entry(message)) {
      listed.entries.push_back(*entry);
    }
    return false;
  });
  if (error != 0) refuse(error);
  return listed;
}

std::optional<Entry> look_up(const Netns& netns, const Tuple& original, std::uint16_t zone) {
  return Connection(netns).look_up(original, zone);
}

std::optional<Fill> fill(const Netns& netns) {
  const auto count = number(read_sysctl(netns, "net.netfilter.nf_conntrack_count"));
  const auto max = number(read_sysctl(netns, "net.netfilter.nf_conntrack_max"));
  if (!count || !max) return std::nullopt;
  return Fill{*count, *max};
}

}  // namespace plumbline::kernel::conntrack
