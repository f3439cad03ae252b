#include "harness/traffic/packet/packet.hpp"
#include "harness/traffic/packet/reader.hpp"

namespace plumbline::traffic {

std::optional<DnsQuestion> decode_dns_question(std::span<const std::uint8_t> message) {
  Reader in(message);
  if (!in.has(12) || in.u16(4) != 1) return std::nullopt;  // exactly one question, as everybody asks
  DnsQuestion question;
  question.id = in.u16(0);
  question.response = (in.u8(2) & 0x80U) != 0;
  question.rcode = in.u8(3) & 0x0FU;
  in.skip(12);
  // A question's name is never compressed: there is nothing before it to point to. RFC 1035 bounds it at 255.
  while (in.has(1) && in.u8(0) != 0) {
    const std::size_t length = in.u8(0);
    if (length > 63 || !in.has(1 + length) || question.name.size() + length > 254) return std::nullopt;
    if (!question.name.empty()) question.name.push_back('.');
    for (const std::uint8_t byte : in.bytes(1, length)) question.name.push_back(static_cast<char>(byte));
    in.skip(1 + length);
  }
  if (!in.has(5)) return std::nullopt;
  question.type = in.u16(1);
  return question;
}

}  // namespace plumbline::traffic
