#include <cstddef>
#include <cstdint>

#include "harness/kernel/iptables_legacy/trace_event.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const auto& event : plumbline::kernel::iptables::parse_log({data, size}).events) {
    if (event.table.size() + event.chain.size() + event.packet.size() > size) __builtin_trap();
  }
  return 0;
}
