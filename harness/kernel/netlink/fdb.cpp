#include "harness/kernel/netlink/fdb.hpp"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cstring>

namespace plumbline::kernel::netlink {
namespace {

std::optional<std::uint16_t> u16(const Attributes& attributes, std::uint16_t type) {
  const auto bytes = attributes.bytes(type);
  std::uint16_t value = 0;
  if (!bytes || bytes->size() != sizeof value) return std::nullopt;
  std::memcpy(&value, bytes->data(), sizeof value);
  return value;
}

}  // namespace

Message add_fdb_entry(const FdbEntry& entry) {
  ndmsg header{};
  header.ndm_family = AF_BRIDGE;
  header.ndm_ifindex = static_cast<int>(entry.port);
  header.ndm_state = NUD_NOARP;
  header.ndm_flags = NTF_MASTER;
  Message message(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, header);
  message.put_mac(NDA_LLADDR, entry.mac);
  if (entry.vlan != 0) {
    std::array<std::uint8_t, sizeof entry.vlan> bytes{};
    std::memcpy(bytes.data(), &entry.vlan, sizeof entry.vlan);
    message.put(NDA_VLAN, bytes);
  }
  return message;
}

Message get_fdb(unsigned bridge) {
  ndmsg header{};
  header.ndm_family = AF_BRIDGE;
  Message message(RTM_GETNEIGH, 0, header);
  message.put_u32(NDA_MASTER, bridge);
  return message;
}

std::optional<FdbEntry> decode_fdb_entry(const Received& message) {
  if (message.type != RTM_NEWNEIGH) return std::nullopt;
  const auto parts = split<ndmsg>(message.payload);
  if (!parts) return std::nullopt;
  const auto& [header, attributes] = *parts;
  const auto mac = attributes.mac(NDA_LLADDR);
  if (header.ndm_family != AF_BRIDGE || header.ndm_ifindex <= 0 || !mac) return std::nullopt;
  FdbEntry entry;
  entry.port = static_cast<unsigned>(header.ndm_ifindex);
  entry.bridge = attributes.u32(NDA_MASTER).value_or(0);
  entry.mac = *mac;
  entry.vlan = u16(attributes, NDA_VLAN).value_or(0);
  entry.own = (header.ndm_state & NUD_PERMANENT) != 0;
  entry.fixed = (header.ndm_state & NUD_NOARP) != 0;
  return entry;
}

}  // namespace plumbline::kernel::netlink
