// Whatever bytes come, the decoders read nothing beyond them.

#include <cstddef>
#include <cstdint>
#include <span>

#include "harness/kernel/netlink/address.hpp"
#include "harness/kernel/netlink/fdb.hpp"
#include "harness/kernel/netlink/link.hpp"
#include "harness/kernel/netlink/neighbour.hpp"
#include "harness/kernel/netlink/nsid.hpp"
#include "harness/kernel/netlink/route.hpp"
#include "harness/kernel/netlink/route_lookup.hpp"
#include "harness/kernel/netlink/rule.hpp"
#include "harness/kernel/netlink/xfrm.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace netlink = plumbline::kernel::netlink;
  std::span<const std::uint8_t> rest(data, size);
  while (const auto message = netlink::take_message(rest)) {
    netlink::decode_link(*message);
    netlink::decode_address(*message);
    netlink::decode_routes(*message);
    netlink::decode_rule(*message);
    netlink::decode_lookup(*message);
    netlink::decode_neighbour(*message);
    netlink::decode_neighbour_entry(*message);
    netlink::decode_fdb_entry(*message);
    netlink::decode_nsid(*message);
    netlink::decode_xfrm_policy(*message);
    netlink::decode_xfrm_state(*message);
  }
  return 0;
}
