#include "harness/kernel/nftables/connection.hpp"

#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string>

#include "harness/base/error.hpp"

namespace plumbline::kernel::nft {
namespace {

void want(mnl_socket* socket, int option) {
  int on = 1;
  if (mnl_socket_setsockopt(socket, option, &on, sizeof on) != 0) {
    throw Error::from_errno(errno, "preparing a netfilter netlink socket");
  }
}

std::string remedy_for(int error, const ObjectRef& object) {
  if (error == EPERM) return "run it with CAP_NET_ADMIN over the network namespace";
  if (object.rule != nullptr && error == ENOENT) {
    return "a chain it jumps to does not exist, or this kernel lacks an expression it uses (nft_reject, "
           "nft_ct, …)";
  }
  if (object.rule != nullptr && error == EOPNOTSUPP) {
    return "its verdict is not allowed in this chain's type and hook, or the kernel lacks it";
  }
  if (object.chain != nullptr && (error == ENOENT || error == EOPNOTSUPP)) {
    return "this kernel lacks the chain type for that family and hook";
  }
  return {};
}

[[noreturn]] void refused(const Reply& reply, const ObjectRef& object) {
  const Error error = Error::from_errno(reply.error, "adding " + describe(object), reply.text)
                          .with_remedy(remedy_for(reply.error, object));
  throw reply.error == EPERM ? error.with_kind(ErrorKind::environment) : error;
}

/// Throws unless the whole batch was accepted. The refusal of the first object is the one told: those after
/// it may just follow from it.
void check(const Batch& batch, const std::vector<Reply>& replies) {
  const auto last = Batch::kFirstObject + static_cast<std::uint32_t>(batch.objects.size()) - 1;
  const Reply* first = nullptr;
  const Reply* whole = nullptr;
  bool acknowledged = false;
  for (const Reply& reply : replies) {
    const bool object = reply.sequence >= Batch::kFirstObject && reply.sequence <= last;
    acknowledged = acknowledged || (reply.sequence == last && reply.error == 0);
    if (reply.error == 0) continue;
    if (!object) whole = &reply;
    if (object && (first == nullptr || reply.sequence < first->sequence)) first = &reply;
  }
  if (first != nullptr) refused(*first, batch.objects[first->sequence - Batch::kFirstObject]);
  if (whole != nullptr) {
    const Error error = Error::from_errno(whole->error, "committing an nftables transaction", whole->text);
    throw whole->error == EPERM ? error.with_kind(ErrorKind::environment) : error;
  }
  if (!acknowledged) throw Error("nf_tables did not acknowledge a transaction");
}

}  // namespace

void Connection::Close::operator()(mnl_socket* socket) const noexcept {
  mnl_socket_close(socket);
}

int Connection::fd() const noexcept {
  return mnl_socket_get_fd(socket_.get());
}

Connection::Connection(const Netns& netns) {
  const Netns::Entered inside(netns);
  socket_.reset(mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket_ || mnl_socket_bind(socket_.get(), 0, MNL_SOCKET_AUTOPID) != 0) {
    throw Error::from_errno(errno, "opening a netfilter netlink socket").with_kind(ErrorKind::environment);
  }
  want(socket_.get(), NETLINK_EXT_ACK);
  want(socket_.get(), NETLINK_CAP_ACK);
}

/// A transaction goes out in one piece, which the send buffer must hold.
void Connection::send(const Batch& batch) {
  const int size = static_cast<int>(batch.bytes.size());
  // FORCE is for root of the machine alone; everyone else has up to net.core.wmem_max.
  if (::setsockopt(fd(), SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) != 0) {
    ::setsockopt(fd(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  }
  if (mnl_socket_sendto(socket_.get(), batch.bytes.data(), batch.bytes.size()) >= 0) return;
  const int number = errno;
  const Error error = Error::from_errno(
      number, fmt::format("sending {} nftables objects ({} bytes)", batch.objects.size(), size));
  if (number != EMSGSIZE) throw error;
  throw error.with_kind(ErrorKind::environment)
      .with_remedy(fmt::format("sysctl -w net.core.wmem_max={} (a transaction is one message)", size));
}

/// All answers. The kernel has worked the batch off and queued them by the time that sending returns
/// (nfnetlink_rcv runs in the sender), so there is nothing to wait for.
std::vector<Reply> Connection::receive(std::size_t at_most) {
  std::vector<Reply> all;
  alignas(nlmsghdr) std::array<std::uint8_t, 32768> buffer;
  for (std::size_t reads = 0; reads <= at_most; ++reads) {
    const ssize_t got = mnl_socket_recvfrom(socket_.get(), buffer.data(), buffer.size());
    // ENOBUFS: there were more refusals than fit. The first are the ones that tell why.
    if (got < 0 && (errno == ENOBUFS || errno == EINTR)) continue;
    if (got < 0 && errno == EAGAIN) break;
    if (got < 0) throw Error::from_errno(errno, "receiving the answer of nf_tables");
    for (Reply& reply : parse_replies({buffer.data(), static_cast<std::size_t>(got)})) {
      all.push_back(std::move(reply));
    }
  }
  return all;
}

void Connection::commit(const Batch& batch) {
  send(batch);
  check(batch, receive(batch.objects.size() + 8));
}

}  // namespace plumbline::kernel::nft
