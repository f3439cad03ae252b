#include "harness/kernel/netlink/nsid.hpp"

#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>

namespace plumbline::kernel::netlink {

Message get_nsid(int netns_fd) {
  Message message(RTM_GETNSID, 0, rtgenmsg{});
  message.put_u32(NETNSA_FD, static_cast<std::uint32_t>(netns_fd));
  return message;
}

Message set_nsid(int netns_fd, std::int32_t nsid) {
  Message message(RTM_NEWNSID, 0, rtgenmsg{});
  message.put_u32(NETNSA_FD, static_cast<std::uint32_t>(netns_fd));
  message.put_u32(NETNSA_NSID, static_cast<std::uint32_t>(nsid));
  return message;
}

std::optional<std::int32_t> decode_nsid(const Received& message) {
  if (message.type != RTM_NEWNSID) return std::nullopt;
  const auto parts = split<rtgenmsg>(message.payload);
  if (!parts) return std::nullopt;
  const auto nsid = parts->second.s32(NETNSA_NSID);
  return nsid && *nsid >= 0 ? nsid : std::nullopt;
}

}  // namespace plumbline::kernel::netlink
