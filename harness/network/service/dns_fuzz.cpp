#include <cstddef>
#include <cstdint>
#include <span>

#include "harness/network/service/dns_message.hpp"

// Whatever arrives: no crash, and no answer longer than its transport may carry.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using plumbline::IpAddress;
  namespace detail = plumbline::network::detail;
  static const detail::DnsZone zone{
      {"www.example.test", {*IpAddress::parse("203.0.113.80"), *IpAddress::parse("2001:db8::80")}},
      {"many", std::vector<IpAddress>(200, *IpAddress::parse("192.0.2.1"))}};
  const std::span message(data, size);
  const auto udp = detail::answer_dns(zone, message, false);
  if (udp.bytes && udp.bytes->size() > detail::kDnsEdnsUdpLimit) __builtin_trap();
  const auto tcp = detail::answer_dns(zone, message, true);
  if (tcp.bytes && tcp.bytes->size() > detail::kDnsTcpLimit) __builtin_trap();
  return 0;
}
