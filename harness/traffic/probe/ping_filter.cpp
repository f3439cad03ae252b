#include "harness/traffic/probe/ping_filter.hpp"

#include <linux/filter.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace plumbline::traffic::detail {

int pass_echo_replies(int fd, IpFamily family) {
  if (family == IpFamily::v4) {
    icmp_filter filter{};
    filter.data = ~(1U << ICMP_ECHOREPLY);
    return ::setsockopt(fd, SOL_RAW, ICMP_FILTER, &filter, sizeof filter) == 0 ? 0 : errno;
  }
  icmp6_filter filter{};
  ICMP6_FILTER_SETBLOCKALL(&filter);
  ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
  return ::setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter) == 0 ? 0 : errno;
}

int pass_echo_id(int fd, IpFamily family, std::uint16_t id) {
  constexpr std::uint16_t kLoadX = BPF_LDX | BPF_B | BPF_MSH;  // X = length of the IPv4 header
  constexpr std::uint16_t kLoadIndexed = BPF_LD | BPF_H | BPF_IND;
  constexpr std::uint16_t kLoad = BPF_LD | BPF_H | BPF_ABS;
  constexpr std::uint16_t kJump = BPF_JMP | BPF_JEQ | BPF_K;
  constexpr std::uint16_t kReturn = BPF_RET | BPF_K;
  constexpr std::uint32_t kWhole = 0xFFFF'FFFF;
  std::array<sock_filter, 5> v4{{{kLoadX, 0, 0, 0},
                                 {kLoadIndexed, 0, 0, 4},
                                 {kJump, 0, 1, id},
                                 {kReturn, 0, 0, kWhole},
                                 {kReturn, 0, 0, 0}}};
  std::array<sock_filter, 4> v6{
      {{kLoad, 0, 0, 4}, {kJump, 0, 1, id}, {kReturn, 0, 0, kWhole}, {kReturn, 0, 0, 0}}};
  sock_fprog program{};
  program.len = static_cast<unsigned short>(family == IpFamily::v4 ? v4.size() : v6.size());
  program.filter = family == IpFamily::v4 ? v4.data() : v6.data();
  return ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0 ? 0 : errno;
}

}  // namespace plumbline::traffic::detail
