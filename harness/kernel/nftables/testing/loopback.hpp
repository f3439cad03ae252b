#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "harness/base/fd.hpp"
#include "harness/kernel/netns/netns.hpp"

/// For tests: packets that meet rules, in a namespace with nothing but its loopback.
namespace plumbline::kernel::testing_support {

inline Netns with_loopback() {
  Netns netns = Netns::create();
  netns.run([] {
    const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    std::string_view("lo").copy(request.ifr_name, sizeof request.ifr_name - 1);
    request.ifr_flags = IFF_UP;
    ASSERT_EQ(::ioctl(socket.get(), SIOCSIFFLAGS, &request), 0);
  });
  return netns;
}

/// A datagram from the namespace to itself: it passes output, postrouting, prerouting and input before this
/// returns.
inline void send_udp(const Netns& netns, std::string_view payload, std::uint16_t port = 9, bool v6 = false) {
  netns.run([&] {
    const Fd socket(::socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_in6 to6{};
    to6.sin6_family = AF_INET6;
    to6.sin6_port = htons(port);
    to6.sin6_addr = in6addr_loopback;
    const void* where = v6 ? static_cast<const void*>(&to6) : &to;
    // A rule that drops it makes this fail, which is no matter here.
    ::sendto(socket.get(), payload.data(), payload.size(), 0, static_cast<const sockaddr*>(where),
             v6 ? sizeof to6 : sizeof to);
  });
}

}  // namespace plumbline::kernel::testing_support
