#include "harness/kernel/netlink/socket.hpp"

#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace plumbline::kernel::netlink {
namespace {

// A chunk's acknowledgements wait in the receive buffer while the kernel works through the chunk; about 1 KiB
// each, they must fit the default buffer (208 KiB) where a larger one is refused.
constexpr std::size_t kChunkMessages = 100;
constexpr std::size_t kChunkBytes = 32 * 1024;
// The kernel fills dump datagrams up to 32 KiB, when the reader's buffer shows room for it.
constexpr std::size_t kReceiveBytes = 64 * 1024;
constexpr int kSocketBufferBytes = 4 * 1024 * 1024;
// The kernel answers within the sending system call; this only bounds what cannot happen.
constexpr timeval kAnswerWithin{10, 0};

std::unique_ptr<std::uint8_t[]> receive_buffer() {
  return std::unique_ptr<std::uint8_t[]>(new std::uint8_t[kReceiveBytes]);  // left uninitialised
}

struct Acknowledgement {
  int error = 0;  // positive errno; 0: done
  std::string text;
};

std::optional<Acknowledgement> read_acknowledgement(const Received& message) {
  nlmsgerr fixed{};
  if (message.payload.size() < sizeof fixed) return std::nullopt;
  std::memcpy(&fixed, message.payload.data(), sizeof fixed);
  Acknowledgement result{-fixed.error, {}};
  if ((message.flags & NLM_F_ACK_TLVS) == 0) return result;
  std::size_t skip = sizeof fixed;
  if ((message.flags & NLM_F_CAPPED) == 0 && fixed.msg.nlmsg_len > sizeof(nlmsghdr)) {
    skip += (fixed.msg.nlmsg_len - sizeof(nlmsghdr) + 3U) & ~std::size_t{3};
  }
  if (skip >= message.payload.size()) return result;
  const Attributes attributes(message.payload.subspan(skip));
  if (const auto text = attributes.text(NLMSGERR_ATTR_MSG)) result.text = *text;
  return result;
}

void stamp(std::uint8_t* message, std::uint32_t sequence, std::uint16_t extra_flags) {
  nlmsghdr header{};
  std::memcpy(&header, message, sizeof header);
  header.nlmsg_seq = sequence;
  header.nlmsg_flags = static_cast<std::uint16_t>(header.nlmsg_flags | extra_flags);
  std::memcpy(message, &header, sizeof header);
}

int group_number(Group group) {
  switch (group) {
    case Group::links:
      return RTNLGRP_LINK;
    case Group::ipv6_addresses:
      return RTNLGRP_IPV6_IFADDR;
    case Group::ipv6_routes:
      return RTNLGRP_IPV6_ROUTE;
  }
  return RTNLGRP_NONE;
}

}  // namespace

void Socket::Close::operator()(mnl_socket* socket) const noexcept {
  mnl_socket_close(socket);
}

int Socket::fd() const noexcept {
  return mnl_socket_get_fd(handle_.get());
}

Socket Socket::open() {
  return open(NETLINK_ROUTE);
}

Socket Socket::open(int protocol) {
  Handle handle(mnl_socket_open2(protocol, SOCK_CLOEXEC));
  if (!handle || mnl_socket_bind(handle.get(), 0, MNL_SOCKET_AUTOPID) != 0) {
    throw Error::from_errno(errno, "opening a netlink socket");
  }
  int on = 1;
  for (const int option : {NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK}) {
    if (mnl_socket_setsockopt(handle.get(), option, &on, sizeof on) != 0) {
      throw Error::from_errno(errno, fmt::format("setting netlink socket option {}", option));
    }
  }
  const int fd = mnl_socket_get_fd(handle.get());
  // FORCE needs CAP_NET_ADMIN in the first user namespace; the other is bounded by net.core.rmem_max.
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kSocketBufferBytes, sizeof kSocketBufferBytes) != 0) {
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kSocketBufferBytes, sizeof kSocketBufferBytes);
  }
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kAnswerWithin, sizeof kAnswerWithin) != 0) {
    throw Error::from_errno(errno, "bounding a netlink socket's waiting");
  }
  return Socket(std::move(handle));
}

Socket Socket::open(const Netns& netns) {
  const auto inside = netns.enter();
  return open();
}

Socket Socket::open_xfrm(const Netns& netns) {
  const auto inside = netns.enter();
  return open(NETLINK_XFRM);
}

void Socket::send(std::span<const std::uint8_t> bytes, const char* attempted) {
  const ssize_t sent = mnl_socket_sendto(handle_.get(), bytes.data(), bytes.size());
  if (sent < 0) throw Error::from_errno(errno, attempted, "sending to the kernel failed");
}

std::span<const std::uint8_t> Socket::receive(std::span<std::uint8_t> buffer, const char* attempted) {
  for (int interrupted = 0; interrupted < 1000; ++interrupted) {
    const ssize_t got = mnl_socket_recvfrom(handle_.get(), buffer.data(), buffer.size());
    if (got >= 0) return buffer.first(static_cast<std::size_t>(got));
    if (errno != EINTR) break;
  }
  throw Error::from_errno(errno, attempted, "receiving the kernel's answer failed");
}

void Socket::settle(Batch& batch, std::uint32_t first_sequence, const Received& message, Outcome& outcome) {
  const std::size_t index = message.sequence - first_sequence;
  if (index >= batch.entries_.size()) return;
  Batch::Entry& entry = batch.entries_[index];
  if (message.type != NLMSG_ERROR) {
    if (entry.answer) entry.answer(message);
    return;
  }
  const auto acknowledgement = read_acknowledgement(message);
  if (!acknowledgement || entry.acknowledged) return;
  entry.acknowledged = true;
  --outcome.waiting;
  if (acknowledgement->error == 0) return;
  if (outcome.refused++ == 0) {
    outcome.first = Error::from_errno(acknowledgement->error, entry.describe(), acknowledgement->text);
  }
}

std::size_t Socket::chunk_end(const Batch& batch, std::size_t first) {
  std::size_t last = first + 1;
  while (last < batch.size() && last - first < kChunkMessages &&
         batch.end_of(last) - batch.entries_[first].offset <= kChunkBytes) {
    ++last;
  }
  return last;
}

void Socket::execute(Batch& batch) {
  const std::uint32_t first_sequence = sequence_ + 1;
  sequence_ += static_cast<std::uint32_t>(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    stamp(batch.bytes_.data() + batch.entries_[i].offset, first_sequence + static_cast<std::uint32_t>(i),
          NLM_F_ACK);
    batch.entries_[i].acknowledged = false;
  }
  const char* attempted = "a batch of requests";
  const auto buffer = receive_buffer();
  Outcome outcome;
  for (std::size_t first = 0; first < batch.size();) {
    const std::size_t last = chunk_end(batch, first);
    const std::size_t start = batch.entries_[first].offset;
    send(std::span(batch.bytes_).subspan(start, batch.end_of(last - 1) - start), attempted);
    outcome.waiting += last - first;
    while (outcome.waiting > 0) {
      std::span<const std::uint8_t> rest = receive({buffer.get(), kReceiveBytes}, attempted);
      while (const auto message = take_message(rest)) settle(batch, first_sequence, *message, outcome);
    }
    first = last;
  }
  if (!outcome.first) return;
  const Error failure = outcome.first->within(batch.context_);
  if (outcome.refused == 1) throw failure;
  throw Error(fmt::format("{} (and {} more requests were refused)", failure.what(), outcome.refused - 1),
              failure.kind(), failure.error_number());
}

bool Socket::dump_once(const Message& request, const char* what, std::vector<std::uint8_t>& into) {
  std::array<std::uint8_t, Message::kCapacity> copy{};
  const auto bytes = request.bytes();
  std::copy(bytes.begin(), bytes.end(), copy.begin());
  stamp(copy.data(), ++sequence_, NLM_F_DUMP);
  send(std::span(copy).first(bytes.size()), what);
  const auto buffer = receive_buffer();
  bool consistent = true;
  for (bool done = false; !done;) {
    const std::span<const std::uint8_t> datagram = receive({buffer.get(), kReceiveBytes}, what);
    std::span<const std::uint8_t> rest = datagram;
    while (const auto message = take_message(rest)) {
      if (message->sequence != sequence_) continue;  // left over from a dump given up
      if ((message->flags & NLM_F_DUMP_INTR) != 0) consistent = false;
      if (message->type != NLMSG_DONE && message->type != NLMSG_ERROR) continue;
      done = true;
      int status = 0;
      if (message->payload.size() >= sizeof status) {
        std::memcpy(&status, message->payload.data(), sizeof status);
      }
      if (status == 0) continue;
      const auto acknowledgement = read_acknowledgement(*message);
      throw Error::from_errno(-status, what, acknowledgement ? acknowledgement->text : std::string());
    }
    into.insert(into.end(), datagram.begin(), datagram.end());
  }
  return consistent;
}

std::vector<std::uint8_t> Socket::dump_bytes(const Message& request, const char* what) {
  for (int attempt = 0; attempt < kDumpAttempts; ++attempt) {
    std::vector<std::uint8_t> bytes;
    if (dump_once(request, what, bytes)) return bytes;
  }
  throw Error(fmt::format("{}: it kept changing while it was read, {} times over", what, kDumpAttempts));
}

void Socket::subscribe(Group group) {
  int number = group_number(group);
  if (mnl_socket_setsockopt(handle_.get(), NETLINK_ADD_MEMBERSHIP, &number, sizeof number) != 0) {
    throw Error::from_errno(errno, fmt::format("subscribing to route netlink group {}", number));
  }
}

bool Socket::wait(const Deadline& deadline) {
  pollfd waiting{fd(), POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&waiting, 1, deadline.remaining_ms());
  } while (ready < 0 && errno == EINTR && !deadline.passed());
  if (ready < 0 && errno != EINTR) throw Error::from_errno(errno, "waiting for route netlink notifications");
  if (ready <= 0) return false;
  const auto buffer = receive_buffer();
  while (::recv(fd(), buffer.get(), kReceiveBytes, MSG_DONTWAIT) >= 0 || errno == ENOBUFS) {
    if (deadline.passed()) break;
  }
  return true;
}

}  // namespace plumbline::kernel::netlink
