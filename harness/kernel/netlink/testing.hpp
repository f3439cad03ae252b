#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "harness/kernel/netlink/message.hpp"

namespace plumbline::kernel::netlink::testing {

/// A message as a receiver would see it.
inline Received rewind(const Message& message) {
  std::span<const std::uint8_t> rest = message.bytes();
  return take_message(rest).value_or(Received{});
}

/// Calls `decode` with the payload cut at every length, from a copy of exactly that size, so that a read
/// beyond it is seen by a sanitizer.
inline void cut_everywhere(const Message& message, const std::function<void(const Received&)>& decode) {
  const Received whole = rewind(message);
  for (std::size_t length = 0; length <= whole.payload.size(); ++length) {
    const std::vector<std::uint8_t> copy(whole.payload.begin(),
                                         whole.payload.begin() + static_cast<std::ptrdiff_t>(length));
    Received cut = whole;
    cut.payload = copy;
    decode(cut);
  }
}

}  // namespace plumbline::kernel::netlink::testing
