#include <cstddef>
#include <cstdint>

#include "harness/kernel/nftables/replies.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const auto& reply : plumbline::kernel::nft::parse_replies({data, size})) {
    if (reply.error < 0 || reply.text.size() > size) __builtin_trap();
  }
  return 0;
}
