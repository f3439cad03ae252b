#include "harness/network/topology/bare_bench.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include "harness/base/error.hpp"

namespace plumbline::network::bench {
namespace {

void must(bool done, const char* what) {
  if (!done) throw Error::from_errno(errno, what);
}

// A datagram of requests, of which only the last is acknowledged: refusals are told in any case.
class Datagram {
 public:
  template <class Header>
  void begin(std::uint16_t type, int flags, const Header& header) {
    start_ = bytes_.size();
    nlmsghdr message{};
    message.nlmsg_type = type;
    message.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    append(&message, sizeof message);
    append(&header, sizeof header);
  }
  void put(std::uint16_t type, const void* data, std::size_t size) {
    const nlattr header{static_cast<std::uint16_t>(sizeof(nlattr) + size), type};
    append(&header, sizeof header);
    append(data, size);
  }
  void put_u32(std::uint16_t type, std::uint32_t value) { put(type, &value, sizeof value); }
  void put_text(std::uint16_t type, const std::string& text) { put(type, text.c_str(), text.size() + 1); }
  std::size_t nest(std::uint16_t type) {
    put(type, nullptr, 0);
    return bytes_.size() - sizeof(nlattr);
  }
  void close(std::size_t nest) {
    const auto length = static_cast<std::uint16_t>(bytes_.size() - nest);
    std::memcpy(bytes_.data() + nest, &length, sizeof length);
  }
  void append(const void* data, std::size_t size) {
    const std::size_t at = bytes_.size();
    bytes_.resize(at + ((size + 3U) & ~std::size_t{3}));
    if (size > 0) std::memcpy(bytes_.data() + at, data, size);
  }
  void end() {
    const auto length = static_cast<std::uint32_t>(bytes_.size() - start_);
    std::memcpy(bytes_.data() + start_, &length, sizeof length);
  }
  void send(int socket) {
    std::uint16_t flags = 0;
    std::uint8_t* place = bytes_.data() + start_ + offsetof(nlmsghdr, nlmsg_flags);
    std::memcpy(&flags, place, sizeof flags);
    flags |= NLM_F_ACK;
    std::memcpy(place, &flags, sizeof flags);
    must(::send(socket, bytes_.data(), bytes_.size(), 0) >= 0, "bare: sending requests");
    std::uint8_t answer[4096];
    must(::recv(socket, answer, sizeof answer, 0) >= static_cast<ssize_t>(sizeof(nlmsghdr) + sizeof(int)),
         "bare: receiving the acknowledgement");
    int error = 0;
    std::memcpy(&error, answer + sizeof(nlmsghdr), sizeof error);
    errno = -error;
    must(error == 0, "bare: a request was refused");
    bytes_.clear();
  }
  std::size_t size() const { return bytes_.size(); }
  const std::vector<std::uint8_t>& bytes() const { return bytes_; }

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t start_ = 0;
};

struct Place {
  Fd netns;
  Fd socket;
};

Fd route_socket() {
  Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  must(static_cast<bool>(socket), "bare: opening a netlink socket");
  return socket;
}

Place make_place() {
  must(::unshare(CLONE_NEWNET) == 0, "bare: creating a namespace");
  Place place{Fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)), route_socket()};
  must(static_cast<bool>(place.netns), "bare: opening a namespace");
  return place;
}

void put_up(Datagram& datagram, int index) {
  ifinfomsg header{};
  header.ifi_index = index;
  header.ifi_flags = header.ifi_change = IFF_UP;
  datagram.begin(RTM_NEWLINK, 0, header);
  datagram.end();
}

void put_address(Datagram& datagram, unsigned index, std::uint32_t address) {
  ifaddrmsg header{};
  header.ifa_family = AF_INET;
  header.ifa_prefixlen = 16;
  header.ifa_index = index;
  datagram.begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, header);
  datagram.put_u32(IFA_LOCAL, htonl(address));
  datagram.put_u32(IFA_ADDRESS, htonl(address));
  datagram.end();
}

void put_default_route(Datagram& datagram, std::uint32_t gateway) {
  rtmsg header{};
  header.rtm_family = AF_INET;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_STATIC;
  header.rtm_type = RTN_UNICAST;
  datagram.begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, header);
  datagram.put_u32(RTA_GATEWAY, htonl(gateway));
  datagram.end();
}

void put_bridge(Datagram& datagram, int index) {
  ifinfomsg header{};
  header.ifi_index = index;
  header.ifi_flags = header.ifi_change = IFF_UP;
  datagram.begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, header);
  datagram.put_text(IFLA_IFNAME, "bridge0");
  const std::size_t info = datagram.nest(IFLA_LINKINFO);
  datagram.put_text(IFLA_INFO_KIND, "bridge");
  datagram.close(info);
  datagram.end();
}

void put_veth(Datagram& datagram, int index, std::uint32_t bridge, int peer_netns) {
  ifinfomsg header{};
  header.ifi_index = index;
  header.ifi_flags = header.ifi_change = IFF_UP;
  datagram.begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, header);
  datagram.put_text(IFLA_IFNAME, "port" + std::to_string(index));
  datagram.put_u32(IFLA_MASTER, bridge);
  const std::size_t info = datagram.nest(IFLA_LINKINFO);
  datagram.put_text(IFLA_INFO_KIND, "veth");
  const std::size_t data = datagram.nest(IFLA_INFO_DATA);
  const std::size_t peer = datagram.nest(VETH_INFO_PEER);
  ifinfomsg peer_header{};
  peer_header.ifi_index = 2;
  datagram.append(&peer_header, sizeof peer_header);
  datagram.put_text(IFLA_IFNAME, "eth0");
  datagram.put_u32(IFLA_NET_NS_FD, static_cast<std::uint32_t>(peer_netns));
  datagram.close(peer);
  datagram.close(data);
  datagram.close(info);
  datagram.end();
}

bool running(int socket, int index) {
  Datagram question;
  ifinfomsg header{};
  header.ifi_index = index;
  question.begin(RTM_GETLINK, 0, header);
  question.put_u32(IFLA_EXT_MASK, 1U << 3);  // without statistics
  question.end();
  nlmsghdr message{};
  std::uint8_t answer[8192];
  // Not Datagram::send: the answer comes before the acknowledgement, and suffices.
  must(::send(socket, question.bytes().data(), question.size(), 0) >= 0, "bare: asking for a link");
  must(::recv(socket, answer, sizeof answer, 0) >= static_cast<ssize_t>(sizeof message + sizeof header),
       "bare: receiving a link");
  std::memcpy(&header, answer + sizeof message, sizeof header);
  return (header.ifi_flags & IFF_RUNNING) != 0;
}

void await_running(const Place& place, int index) {
  if (running(place.socket.get(), index)) return;
  const Fd home(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  must(::setns(place.netns.get(), CLONE_NEWNET) == 0, "bare: entering a namespace");
  const Fd events = route_socket();
  must(::setns(home.get(), CLONE_NEWNET) == 0, "bare: returning from a namespace");
  const int group = RTNLGRP_LINK;
  must(::setsockopt(events.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) == 0,
       "bare: subscribing to link events");
  while (!running(place.socket.get(), index)) {
    pollfd waiting{events.get(), POLLIN, 0};
    must(::poll(&waiting, 1, 10000) == 1, "bare: waiting for carrier");
    std::uint8_t event[8192];
    must(::recv(events.get(), event, sizeof event, 0) >= 0, "bare: receiving a link event");
  }
}

}  // namespace

void BareNetwork::build(std::size_t containers) {
  constexpr std::uint32_t kGateway = 0x0A630001;  // 10.99.0.1
  constexpr int kBridge = 2;
  constexpr std::size_t kDatagramBytes = 16384;
  const Fd home(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  std::vector<Place> places;
  for (std::size_t i = 0; i <= containers; ++i) places.push_back(make_place());
  must(::setns(home.get(), CLONE_NEWNET) == 0, "bare: returning home");

  const int host = places[0].socket.get();
  Datagram links;
  put_up(links, 1);
  put_bridge(links, kBridge);
  put_address(links, kBridge, kGateway);
  for (std::size_t i = 1; i <= containers; ++i) {
    put_veth(links, kBridge + static_cast<int>(i), kBridge, places[i].netns.get());
    if (links.size() > kDatagramBytes) links.send(host);
  }
  if (links.size() > 0) links.send(host);
  for (std::size_t i = 1; i <= containers; ++i) {
    Datagram inside;
    put_up(inside, 1);
    put_up(inside, 2);
    put_address(inside, 2, kGateway + static_cast<std::uint32_t>(i));
    put_default_route(inside, kGateway);
    inside.send(places[i].socket.get());
  }
  for (std::size_t i = 1; i <= containers; ++i) {
    await_running(places[i], 2);
    await_running(places[0], kBridge + static_cast<int>(i));
  }
  for (Place& place : places) nodes_.push_back(std::move(place.netns));
}

}  // namespace plumbline::network::bench
