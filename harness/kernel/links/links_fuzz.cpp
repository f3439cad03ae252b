// Whatever bytes come, the decoders read nothing beyond them.

#include <cstddef>
#include <cstdint>
#include <span>

#include "harness/kernel/links/bridge.hpp"
#include "harness/kernel/links/veth.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace links = plumbline::kernel::links;
  std::span<const std::uint8_t> rest(data, size);
  while (const auto message = plumbline::kernel::netlink::take_message(rest)) {
    links::decode_bridge(*message);
    links::decode_veth(*message);
  }
  return 0;
}
