#include "harness/traffic/packet/packet.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plumbline::traffic;
  const std::span<const std::uint8_t> input(data, size);
  for (const LinkType type : {LinkType::ethernet, LinkType::raw_ip, LinkType::linux_sll2}) {
    const Packet packet = decode(input, type);
    if (packet.payload_offset + packet.payload_length > size) __builtin_trap();
    (void)to_text(packet);
    (void)header_lines(packet);
    (void)checksum_of(packet, input);
    (void)decode_dns_question(packet.payload(input));
  }
  (void)decode_dns_question(input);
  return 0;
}
