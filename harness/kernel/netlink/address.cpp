#include "harness/kernel/netlink/address.hpp"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "harness/kernel/netlink/family.hpp"

namespace plumbline::kernel::netlink {

Message add_address(const Address& address) {
  const IpAddress& ip = address.address.address;
  ifaddrmsg header{};
  header.ifa_family = family_number(ip.family());
  header.ifa_prefixlen = static_cast<std::uint8_t>(address.address.prefix_length);
  header.ifa_index = address.index;
  const bool made_by_kernel = ip.is_link_local() && !ip.is_v4();
  header.ifa_scope = RT_SCOPE_UNIVERSE;
  if (ip.is_loopback()) header.ifa_scope = RT_SCOPE_HOST;
  if (made_by_kernel) header.ifa_scope = RT_SCOPE_LINK;
  const unsigned flags = NLM_F_CREATE | (made_by_kernel ? unsigned{NLM_F_REPLACE} : unsigned{NLM_F_EXCL});
  Message message(RTM_NEWADDR, static_cast<std::uint16_t>(flags), header);
  message.put_ip(IFA_LOCAL, ip);
  message.put_ip(IFA_ADDRESS, ip);
  if (!ip.is_v4()) message.put_u32(IFA_FLAGS, IFA_F_NODAD);
  return message;
}

Message delete_address(const Address& address) {
  ifaddrmsg header{};
  header.ifa_family = family_number(address.address.address.family());
  header.ifa_prefixlen = static_cast<std::uint8_t>(address.address.prefix_length);
  header.ifa_index = address.index;
  Message message(RTM_DELADDR, 0, header);
  message.put_ip(IFA_LOCAL, address.address.address);
  return message;
}

Message get_addresses(std::optional<IpFamily> family) {
  ifaddrmsg header{};
  if (family) header.ifa_family = family_number(*family);
  return Message(RTM_GETADDR, 0, header);
}

std::optional<Address> decode_address(const Received& message) {
  if (message.type != RTM_NEWADDR) return std::nullopt;
  const auto parts = split<ifaddrmsg>(message.payload);
  if (!parts) return std::nullopt;
  const auto& [header, attributes] = *parts;
  // With a peer, IFA_ADDRESS is the peer's and IFA_LOCAL one's own.
  auto ip = attributes.ip(IFA_LOCAL);
  if (!ip) ip = attributes.ip(IFA_ADDRESS);
  if (!ip || family_number(ip->family()) != header.ifa_family || header.ifa_prefixlen > ip->bits()) {
    return std::nullopt;
  }
  const std::uint32_t flags = attributes.u32(IFA_FLAGS).value_or(header.ifa_flags);
  Address address;
  address.index = header.ifa_index;
  address.address = {*ip, header.ifa_prefixlen};
  address.tentative = (flags & IFA_F_TENTATIVE) != 0;
  address.duplicate = (flags & IFA_F_DADFAILED) != 0;
  address.deprecated = (flags & IFA_F_DEPRECATED) != 0;
  return address;
}

}  // namespace plumbline::kernel::netlink
