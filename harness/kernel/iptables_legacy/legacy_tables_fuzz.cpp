#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "harness/kernel/iptables_legacy/tables.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plumbline;
  kernel::iptables::TableInfo info;
  if (size < sizeof info + 1) return 0;
  std::memcpy(&info, data + 1, sizeof info);
  const std::span<const std::uint8_t> entries(data + 1 + sizeof info, size - 1 - sizeof info);
  const IpFamily family = (data[0] & 1U) != 0 ? IpFamily::v6 : IpFamily::v4;
  const auto table = kernel::iptables::parse_table(family, info, entries);
  if (table.size() > size) __builtin_trap();
  return 0;
}
