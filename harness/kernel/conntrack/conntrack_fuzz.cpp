// Whatever bytes come, the decoder reads nothing beyond them.

#include <cstddef>
#include <cstdint>
#include <span>

#include "harness/kernel/conntrack/entry.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::span<const std::uint8_t> rest(data, size);
  while (const auto message = plumbline::kernel::netlink::take_message(rest)) {
    (void)plumbline::kernel::conntrack::decode_entry(*message);
  }
  return 0;
}
