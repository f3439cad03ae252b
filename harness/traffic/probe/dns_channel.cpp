#include "harness/traffic/probe/dns_channel.hpp"

#include <arpa/nameser.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>

#include "harness/base/error.hpp"
#include "harness/traffic/probe/endpoint.hpp"
#include "harness/traffic/probe/initial_sequence.hpp"
#include "harness/traffic/probe/source_port.hpp"

namespace plumbline::traffic::detail {
namespace {

void require(int status, const std::string& attempted) {
  if (status != ARES_SUCCESS) throw Error(fmt::format("{}: {}", attempted, ares_strerror(status)));
}

void initialise_library() {
  static std::once_flag once;
  std::call_once(once, [] { require(ares_library_init(ARES_LIB_INIT_ALL), "starting c-ares"); });
}

Bytes make_query(const DnsRequest& request) {
  unsigned char* bytes = nullptr;
  int size = 0;
  const int type = request.aaaa ? ns_t_aaaa : ns_t_a;
  require(ares_create_query(request.name.c_str(), ns_c_in, type, request.id, 1, &bytes, &size, 0),
          fmt::format("making a DNS question for '{}'", request.name));
  Bytes query(bytes, bytes + size);
  ares_free_string(bytes);
  return query;
}

/// Every setting is given, so that c-ares reads no file of the machine (resolv.conf, nsswitch.conf,
/// host.conf).
ares_channel make_channel(const DnsRequest& request, ares_sock_state_cb on_state, void* self) {
  ares_options options{};
  // NOCHECKRESP: SERVFAIL and REFUSED are answers here; IGNTC: so is a truncated one.
  options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_IGNTC | ARES_FLAG_NOCHECKRESP;
  if (request.transport == DnsTransport::tcp) options.flags |= ARES_FLAG_USEVC;
  options.tries = 1;
  options.ndots = 1;
  // The caller's own time-out ends the waiting, before this one.
  options.timeout =
      static_cast<int>(std::clamp<std::int64_t>(request.timeout.count(), 0, 86'400'000)) + 10'000;
  std::string lookups = "b";
  options.lookups = lookups.data();
  options.sock_state_cb = on_state;
  options.sock_state_cb_data = self;
  const int given = ARES_OPT_FLAGS | ARES_OPT_TRIES | ARES_OPT_NDOTS | ARES_OPT_TIMEOUTMS | ARES_OPT_LOOKUPS |
                    ARES_OPT_SOCK_STATE_CB | ARES_OPT_SERVERS | ARES_OPT_DOMAINS | ARES_OPT_SORTLIST;
  ares_channel channel = nullptr;
  require(ares_init_options(&channel, &options, given), "starting a c-ares channel");
  return channel;
}

void set_server(ares_channel channel, const DnsRequest& request) {
  ares_addr_port_node node{};
  const auto bytes = request.server.bytes();
  node.family = request.server.is_v4() ? AF_INET : AF_INET6;
  std::memcpy(&node.addr, bytes.data(), bytes.size());
  node.udp_port = request.port;
  node.tcp_port = request.port;
  require(ares_set_servers_ports(channel, &node),
          fmt::format("setting the DNS server {}", request.server.to_string()));
}

}  // namespace

/// What c-ares calls. No exception may pass through it: they are kept, and thrown when it has returned.
struct DnsChannel::Hooks {
  static DnsChannel& self(void* user) { return *static_cast<DnsChannel*>(user); }

  static ares_socket_t open(int domain, int type, int protocol, void* user) {
    DnsChannel& channel = self(user);
    try {
      const IpFamily family = domain == AF_INET ? IpFamily::v4 : IpFamily::v6;
      Opened opened =
          open_socket(*channel.request_.from, family, type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC), protocol);
      if (opened.error != 0) {
        channel.ready_(channel.result_.identity);
        channel.note_failure(-1, opened.error, opened.step);
        errno = opened.error;
        return ARES_SOCKET_BAD;
      }
      channel.socket_ = std::make_unique<TimedSocket>(channel.executor_, std::move(opened.fd));
      return channel.socket_->fd();
    } catch (...) {
      channel.problem_ = std::current_exception();
      errno = EIO;
      return ARES_SOCKET_BAD;
    }
  }

  static int close(ares_socket_t, void* user) {
    DnsChannel& channel = self(user);
    channel.elapsed_ = channel.elapsed();
    channel.socket_.reset();
    return 0;
  }

  static int connect(ares_socket_t fd, const sockaddr* server, ares_socklen_t size, void* user) {
    DnsChannel& channel = self(user);
    try {
      channel.prepare(fd, server, size);
    } catch (...) {
      channel.problem_ = std::current_exception();
      errno = EIO;
      return -1;
    }
    if (channel.result_.error == 0) return 0;
    errno = channel.result_.error;
    return -1;
  }

  static ares_ssize_t receive(ares_socket_t fd, void* buffer, size_t size, int flags, sockaddr* from,
                              ares_socklen_t* from_size, void* user) {
    DnsChannel& channel = self(user);
    const ssize_t got = ::recvfrom(fd, buffer, size, flags, from, from_size);
    const int error = got < 0 ? errno : 0;
    const bool nothing_yet = error == EAGAIN || error == EWOULDBLOCK;
    if (got >= 0) return got;
    // An error can be in the queue alone, with nothing to read.
    const auto icmp = take_icmp_error(fd);
    if (icmp) channel.result_.icmp = icmp;
    if (!nothing_yet) channel.note_failure(fd, error, "receive");
    errno = nothing_yet && icmp ? ECONNREFUSED : error;
    return -1;
  }

  static ares_ssize_t send(ares_socket_t fd, const iovec* parts, int count, void* user) {
    DnsChannel& channel = self(user);
    msghdr message{};
    // sendmsg only reads them.
    message.msg_iov = const_cast<iovec*>(parts);  // NOLINT(*-const-cast)
    message.msg_iovlen = static_cast<std::size_t>(count);
    const ssize_t sent = ::sendmsg(fd, &message, MSG_NOSIGNAL);
    if (sent >= 0) return sent;
    const int error = errno;
    const bool nothing_yet = error == EAGAIN || error == EWOULDBLOCK;
    if (!nothing_yet) channel.note_failure(fd, error, "send");
    if (const auto icmp = nothing_yet ? take_icmp_error(fd) : std::nullopt) {
      channel.result_.icmp = icmp;
      errno = ECONNREFUSED;
    } else {
      errno = error;
    }
    return -1;
  }

  static void state(void* user, ares_socket_t, int, int write) { self(user).wants_to_write_ = write != 0; }

  static void answered(void* user, int status, int, unsigned char* bytes, int size) {
    DnsChannel& channel = self(user);
    if (status == ARES_EDESTRUCTION) return;
    channel.done_ = true;
    try {
      if (bytes != nullptr && size > 0) channel.result_.answer = Bytes(bytes, bytes + size);
    } catch (...) {
      channel.problem_ = std::current_exception();
    }
  }
};

DnsChannel::DnsChannel(boost::asio::any_io_executor executor, DnsRequest request, Ready ready)
    : executor_(std::move(executor)), request_(std::move(request)), ready_(std::move(ready)) {
  initialise_library();
  query_ = make_query(request_);
  result_.identity.source = unspecified(request_.server);
  channel_.reset(make_channel(request_, Hooks::state, this));
  set_server(channel_.get(), request_);
  static constexpr ares_socket_functions kFunctions{Hooks::open, Hooks::close, Hooks::connect, Hooks::receive,
                                                    Hooks::send};
  ares_set_socket_functions(channel_.get(), &kFunctions, this);
}

DnsChannel::~DnsChannel() = default;

void DnsChannel::note_failure(int fd, int error, const char* step) {
  if (fd >= 0 && !result_.icmp) result_.icmp = take_icmp_error(fd);
  if (result_.error != 0) return;
  result_.error = error;
  result_.step = step;
}

/// Binds, says what the question will look like on the wire, and connects.
void DnsChannel::prepare(int fd, const sockaddr* server, socklen_t size) {
  const bool tcp = request_.transport == DnsTransport::tcp;
  if (tcp) result_.identity.initial_sequence = choose_initial_sequence(fd);
  int error = bind_fresh(fd, result_.identity.source, tcp ? SourcePorts::tcp() : SourcePorts::udp());
  const char* step = error != 0 ? "bind" : "connect";
  if (error == 0) {
    result_.identity.source_port = local_endpoint(fd).port();
    // Connecting a TCP socket sends its SYN, so that its source must be known by another way.
    if (tcp) {
      result_.identity.source = source_towards(*request_.from, request_.server, request_.port, error);
    } else {
      error = ::connect(fd, server, size) == 0 ? 0 : errno;
      if (error == 0) result_.identity.source = address_of(local_endpoint(fd));
    }
  }
  ready_(result_.identity);
  socket_->start_clock(request_.timeout, request_.recall);
  if (error == 0 && tcp && ::connect(fd, server, size) != 0 && errno != EINPROGRESS) error = errno;
  if (error != 0) note_failure(fd, error, step);
}

void DnsChannel::rethrow() {
  if (problem_) std::rethrow_exception(std::exchange(problem_, nullptr));
}

void DnsChannel::send() {
  ares_send(channel_.get(), query_.data(), static_cast<int>(query_.size()), Hooks::answered, this);
  rethrow();
}

void DnsChannel::process() {
  const ares_socket_t fd = socket_->fd();
  if (wants_to_write_) {
    ares_process_fd(channel_.get(), ARES_SOCKET_BAD, fd);
  } else {
    ares_process_fd(channel_.get(), fd, ARES_SOCKET_BAD);
  }
  rethrow();
}

}  // namespace plumbline::traffic::detail
