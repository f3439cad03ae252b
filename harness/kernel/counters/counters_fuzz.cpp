#include <cstddef>
#include <cstdint>
#include <string_view>

#include "harness/kernel/counters/parse.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plumbline::kernel::counters;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Counters counters;
  parse_snmp(text, counters);
  parse_snmp6(text, counters);
  parse_conntrack(text, counters);
  if (counters.size() > size) __builtin_trap();
  if (!difference(counters, counters).empty()) __builtin_trap();
  return 0;
}
