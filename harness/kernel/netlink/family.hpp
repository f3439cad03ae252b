#pragma once

#include <sys/socket.h>

#include <cstdint>

#include "harness/base/ip.hpp"

namespace plumbline::kernel::netlink {

/// AF_INET or AF_INET6, as the fixed headers hold it.
constexpr std::uint8_t family_number(IpFamily family) noexcept {
  return family == IpFamily::v4 ? std::uint8_t{AF_INET} : std::uint8_t{AF_INET6};
}

}  // namespace plumbline::kernel::netlink
