#include <cstddef>
#include <cstdint>

#include "harness/kernel/nftables/trace_event.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const auto& event : plumbline::kernel::nft::parse_trace({data, size})) {
    if (event.table.size() + event.chain.size() > size) __builtin_trap();
    if (event.headers && event.headers->packet.size() > size) __builtin_trap();
  }
  return 0;
}
