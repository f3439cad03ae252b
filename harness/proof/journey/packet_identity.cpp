#include "harness/proof/journey/packet_identity.hpp"

#include <tuple>
#include <variant>

namespace plumbline::proof {

PacketIdentity identity_of(const traffic::Packet& packet) {
  PacketIdentity identity;
  if (packet.ip) {
    identity.protocol = packet.ip->protocol;
    identity.ip_id = packet.ip->id;
    identity.total_length = packet.ip->total_length;
  }
  if (const auto* tcp = std::get_if<traffic::TcpHeader>(&packet.transport)) {
    identity.sequence = tcp->sequence;
    identity.acknowledgment = tcp->acknowledgment;
    identity.syn = tcp->syn;
    identity.fin = tcp->fin;
    identity.rst = tcp->rst;
    identity.psh = tcp->psh;
    identity.payload = packet.payload_total != 0;
  }
  return identity;
}

bool says_the_same(const PacketIdentity& a, const PacketIdentity& b) {
  const auto content = [](const PacketIdentity& p) {
    return std::tie(p.protocol, p.sequence, p.syn, p.fin, p.rst, p.payload);
  };
  return content(a) == content(b);
}

}  // namespace plumbline::proof
