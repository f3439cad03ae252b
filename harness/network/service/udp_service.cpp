#include "harness/network/service/udp_service.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>
#include <string_view>
#include <utility>

#include "harness/network/service/endpoint.hpp"

namespace plumbline::network::detail {
namespace {

namespace asio = boost::asio;
using asio::ip::udp;

constexpr std::size_t kDatagramLimit = 65'535;
// Datagrams answered before other coroutines get their turn.
constexpr int kBatch = 64;

/// The control message that names the address asked; given back to sendmsg, it names the reply's source.
union PacketInfo {
  in_pktinfo v4;
  in6_pktinfo v6;
};

struct alignas(cmsghdr) ControlBuffer : std::array<unsigned char, CMSG_SPACE(sizeof(PacketInfo))> {};

struct Datagram {
  udp::endpoint client;
  PacketInfo info{};
  IpAddress server;
  std::size_t size = 0;
};

bool read_packet_info(msghdr& message, IpFamily family, Datagram& datagram) {
  const bool v6 = family == IpFamily::v6;
  const int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
  const int type = v6 ? IPV6_PKTINFO : IP_PKTINFO;
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != level || c->cmsg_type != type) continue;
    if (v6) {
      std::memcpy(&datagram.info.v6, CMSG_DATA(c), sizeof datagram.info.v6);
      asio::ip::address_v6::bytes_type bytes{};
      std::memcpy(bytes.data(), &datagram.info.v6.ipi6_addr, bytes.size());
      datagram.server = from_asio(asio::ip::address_v6(bytes));
      // The interface binds the reply to the way the question came, which only link-local addresses need.
      if (!datagram.server.is_link_local() || datagram.server.is_v4()) datagram.info.v6.ipi6_ifindex = 0;
    } else {
      std::memcpy(&datagram.info.v4, CMSG_DATA(c), sizeof datagram.info.v4);
      std::array<std::uint8_t, 4> bytes{};
      std::memcpy(bytes.data(), &datagram.info.v4.ipi_addr, bytes.size());
      datagram.server = IpAddress::v4(bytes);
      datagram.info.v4.ipi_spec_dst = datagram.info.v4.ipi_addr;
      datagram.info.v4.ipi_ifindex = 0;
    }
    return true;
  }
  return false;
}

/// Absent when there is nothing (more) to read.
std::optional<Datagram> receive(const BoundSocket& socket, int fd, Bytes& buffer) {
  Datagram datagram;
  ControlBuffer control{};
  iovec part{buffer.data(), buffer.size()};
  msghdr message{};
  message.msg_name = datagram.client.data();
  message.msg_namelen = static_cast<socklen_t>(datagram.client.capacity());
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t got = ::recvmsg(fd, &message, 0);
  if (got < 0) return std::nullopt;
  datagram.client.resize(message.msg_namelen);
  datagram.size = static_cast<std::size_t>(got);
  if (!read_packet_info(message, socket.family, datagram)) datagram.server = IpAddress{};
  return datagram;
}

/// Makes the reply leave from `source`, where that is of the client's family.
void set_source(IpFamily family, Datagram& datagram, const IpAddress& source) {
  const bool client_v4 = datagram.server.is_v4();
  if (source.is_v4() != client_v4) return;
  const auto bytes = source.bytes();
  if (family == IpFamily::v4) {
    std::memcpy(&datagram.info.v4.ipi_spec_dst, bytes.data(), bytes.size());
    return;
  }
  auto* const to = datagram.info.v6.ipi6_addr.s6_addr;
  // Of an IPv4 client's address only the last four bytes are its own (RFC 4291, 2.5.5.2).
  std::memcpy(to + (client_v4 ? 12 : 0), bytes.data(), bytes.size());
}

/// What the network or a full buffer refuses is lost, as UDP may be: the client's time-out tells.
void reply(IpFamily family, int fd, Datagram& datagram, Bytes& bytes) {
  const bool v6 = family == IpFamily::v6;
  const std::size_t info_size = v6 ? sizeof(in6_pktinfo) : sizeof(in_pktinfo);
  ControlBuffer control{};
  iovec part{bytes.data(), bytes.size()};
  msghdr message{};
  message.msg_name = datagram.client.data();
  message.msg_namelen = static_cast<socklen_t>(datagram.client.size());
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = CMSG_SPACE(info_size);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
  header->cmsg_type = v6 ? IPV6_PKTINFO : IP_PKTINFO;
  header->cmsg_len = CMSG_LEN(info_size);
  std::memcpy(CMSG_DATA(header), &datagram.info, info_size);
  static_cast<void>(::sendmsg(fd, &message, MSG_NOSIGNAL));
}

}  // namespace

struct UdpService::State {
  State(const asio::any_io_executor& executor, BoundSocket bound, std::shared_ptr<RequestLog> requests,
        UdpAnswer how, UdpManner in_what_manner)
      : socket(std::move(bound)),
        descriptor(executor, socket.fd.release()),
        log(std::move(requests)),
        answer(std::move(how)),
        manner(std::move(in_what_manner)) {}

  BoundSocket socket;  ///< its descriptor is owned by `descriptor`
  asio::posix::stream_descriptor descriptor;
  std::shared_ptr<RequestLog> log;
  UdpAnswer answer;
  UdpManner manner;
  Bytes buffer = Bytes(kDatagramLimit);

  void send(Datagram& datagram, Bytes& bytes) {
    if (!descriptor.is_open()) return;
    if (manner.source) set_source(socket.family, datagram, *manner.source);
    const int fd = manner.other ? manner.other.get() : descriptor.native_handle();
    reply(socket.family, fd, datagram, bytes);
  }

  static asio::awaitable<void> send_later(std::shared_ptr<UdpService> service, Datagram datagram,
                                          Bytes bytes) {
    State& state = *service->state_;
    asio::steady_timer timer(state.descriptor.get_executor(), state.manner.delay);
    co_await timer.async_wait(asio::use_awaitable);
    state.send(datagram, bytes);
  }

  static asio::awaitable<void> serve(std::shared_ptr<UdpService> service) {
    State& state = *service->state_;
    while (state.descriptor.is_open()) {
      const auto [problem] = co_await state.descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                                                                  asio::as_tuple(asio::use_awaitable));
      if (problem) co_return;
      for (int i = 0; i < kBatch && service->serve_one(); ++i) {
      }
    }
  }
};

UdpManner udp_manner(const kernel::Netns& netns, const Manner& manner) {
  UdpManner made;
  made.delay = manner.delay;
  made.source = manner.source;
  if (manner.source_port != 0) made.other = bind_udp(netns, manner.source_port, {}, manner.listen).fd;
  return made;
}

UdpService::UdpService(std::unique_ptr<State> state) : state_(std::move(state)) {}
UdpService::~UdpService() = default;

std::shared_ptr<UdpService> UdpService::start(const asio::any_io_executor& executor, BoundSocket socket,
                                              std::shared_ptr<RequestLog> log, UdpAnswer answer,
                                              UdpManner manner) {
  auto state = std::make_unique<State>(executor, std::move(socket), std::move(log), std::move(answer),
                                       std::move(manner));
  const std::shared_ptr<UdpService> service(new UdpService(std::move(state)));
  asio::co_spawn(executor, State::serve(service), asio::detached);
  return service;
}

bool UdpService::serve_one() {
  const int fd = state_->descriptor.native_handle();
  std::optional<Datagram> datagram = receive(state_->socket, fd, state_->buffer);
  if (!datagram) return false;
  UdpReply made = state_->answer(std::span(state_->buffer).first(datagram->size));
  state_->log->add({.client = from_asio(datagram->client.address()),
                    .client_port = datagram->client.port(),
                    .server = datagram->server,
                    .tcp = false,
                    .text = std::move(made.text)});
  if (!made.bytes) return true;
  if (state_->manner.delay.count() == 0) {
    state_->send(*datagram, *made.bytes);
  } else {
    auto later = State::send_later(shared_from_this(), *datagram, std::move(*made.bytes));
    asio::co_spawn(state_->descriptor.get_executor(), std::move(later), asio::detached);
  }
  return true;
}

void UdpService::close() noexcept {
  boost::system::error_code ignored;
  state_->descriptor.close(ignored);
}

}  // namespace plumbline::network::detail
