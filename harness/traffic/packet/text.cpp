#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>

#include "harness/traffic/packet/packet.hpp"

namespace plumbline::traffic {
namespace {

// RFC 792, RFC 1812 and RFC 4443.
constexpr std::array<std::string_view, 16> kUnreachable{"network unreachable",
                                                        "host unreachable",
                                                        "protocol unreachable",
                                                        "port unreachable",
                                                        "fragmentation needed",
                                                        "source route failed",
                                                        "network unknown",
                                                        "host unknown",
                                                        "source host isolated",
                                                        "network administratively prohibited",
                                                        "host administratively prohibited",
                                                        "network unreachable for this service",
                                                        "host unreachable for this service",
                                                        "communication administratively prohibited",
                                                        "host precedence violation",
                                                        "precedence cutoff"};
constexpr std::array<std::string_view, 7> kUnreachable6{"no route",
                                                        "communication administratively prohibited",
                                                        "beyond the scope of the source address",
                                                        "address unreachable",
                                                        "port unreachable",
                                                        "source address failed policy",
                                                        "route rejected"};

std::string icmp4_text(std::uint8_t type, std::uint8_t code) {
  switch (type) {
    case 0:
      return "echo reply";
    case 3:
      if (code < kUnreachable.size()) return std::string(kUnreachable[code]);
      break;
    case 5:
      return "redirect";
    case 8:
      return "echo request";
    case 11:
      return code == 0 ? "time to live exceeded" : "reassembly time exceeded";
    case 12:
      return "parameter problem";
    default:
      break;
  }
  return fmt::format("type {} code {}", type, code);
}

std::string icmp6_text(std::uint8_t type, std::uint8_t code) {
  switch (type) {
    case 1:
      if (code < kUnreachable6.size()) return std::string(kUnreachable6[code]);
      break;
    case 2:
      return "packet too big";
    case 3:
      return code == 0 ? "hop limit exceeded" : "reassembly time exceeded";
    case 4:
      return "parameter problem";
    case 128:
      return "echo request";
    case 129:
      return "echo reply";
    case 133:
      return "router solicitation";
    case 134:
      return "router advertisement";
    case 135:
      return "neighbour solicitation";
    case 136:
      return "neighbour advertisement";
    case 143:
      return "multicast listener report";
    default:
      break;
  }
  return fmt::format("type {} code {}", type, code);
}

std::string end(const IpAddress& address, std::uint16_t port) {
  return address.is_v4() ? fmt::format("{}:{}", address.to_string(), port)
                         : fmt::format("[{}]:{}", address.to_string(), port);
}

std::string flags(const TcpHeader& tcp) {
  std::string text;
  const auto add = [&](bool set, std::string_view name) {
    if (set) text += text.empty() ? std::string(name) : fmt::format(",{}", name);
  };
  add(tcp.syn, "SYN");
  add(tcp.fin, "FIN");
  add(tcp.rst, "RST");
  add(tcp.psh, "PSH");
  add(tcp.ack, "ACK");
  return text.empty() ? "no flags" : text;
}

/// RFC 1035's presentation: a name from the wire may hold bytes that would steer a terminal.
std::string printable(std::string_view name) {
  std::string text;
  for (const char letter : name) {
    const auto code = static_cast<unsigned char>(letter);
    if (code > 0x20 && code < 0x7F && code != '\\') {
      text.push_back(letter);
    } else {
      text += fmt::format("\\{:03}", code);
    }
  }
  return text.empty() ? "." : text;
}

std::string dns_type_text(std::uint16_t type) {
  static constexpr std::pair<std::uint16_t, std::string_view> names[] = {
      {1, "A"},    {2, "NS"},    {5, "CNAME"}, {6, "SOA"},    {12, "PTR"}, {15, "MX"},
      {16, "TXT"}, {28, "AAAA"}, {33, "SRV"},  {65, "HTTPS"}, {255, "ANY"}};
  for (const auto& [number, name] : names) {
    if (number == type) return std::string(name);
  }
  return fmt::format("TYPE{}", type);  // RFC 3597
}

/// "DNS query A www.example.test", "DNS answer A www.example.test NXDOMAIN".
std::string dns_text(const DnsQuestion& question) {
  static constexpr std::array<std::string_view, 6> errors{"",         "FORMERR", "SERVFAIL",
                                                          "NXDOMAIN", "NOTIMP",  "REFUSED"};
  std::string text = fmt::format("DNS {} {} {}", question.response ? "answer" : "query",
                                 dns_type_text(question.type), printable(question.name));
  if (question.response && question.rcode != 0) {
    text += question.rcode < errors.size() ? fmt::format(" {}", errors[question.rcode])
                                           : fmt::format(" RCODE{}", question.rcode);
  }
  return text;
}

/// "a > b WHAT", without what only the outermost packet needs.
std::string brief(const Packet& packet);

struct Brief {
  const Packet& packet;

  std::string ends(std::uint16_t source, std::uint16_t destination) const {
    return fmt::format("{} > {}", end(packet.ip->source, source), end(packet.ip->destination, destination));
  }
  std::string ends() const {
    return fmt::format("{} > {}", packet.ip->source.to_string(), packet.ip->destination.to_string());
  }

  std::string operator()(std::monostate) const {
    if (packet.ip->fragment_offset != 0)
      return fmt::format("{} fragment at {}", ends(), packet.ip->fragment_offset);
    return fmt::format("{} protocol {}", ends(), packet.ip->protocol);
  }
  std::string operator()(const UdpHeader& udp) const {
    const unsigned bytes = udp.length >= 8 ? udp.length - 8U : 0U;
    std::string text = fmt::format("{} UDP {} bytes", ends(udp.source_port, udp.destination_port), bytes);
    if (packet.dns) text += fmt::format(", {}", dns_text(*packet.dns));
    return text;
  }
  std::string operator()(const TcpHeader& tcp) const {
    std::string text = fmt::format("{} TCP ", ends(tcp.source_port, tcp.destination_port));
    // A quote cut to 8 bytes does not hold the flags.
    if (packet.problem.empty()) text += flags(tcp) + " ";
    text += fmt::format("seq {}", tcp.sequence);
    if (tcp.ack) text += fmt::format(" ack {}", tcp.acknowledgment);
    if (packet.payload_total != 0) text += fmt::format(" {} bytes", packet.payload_total);
    return text;
  }
  std::string operator()(const IcmpHeader& icmp) const {
    std::string text = fmt::format("{} {} {}", ends(), icmp.v6 ? "ICMPv6" : "ICMP",
                                   icmp_text(icmp.type, icmp.code, icmp.v6));
    if (icmp.is_echo_request() || icmp.is_echo_reply()) {
      text += fmt::format(" id {} seq {}", icmp.echo_id, icmp.echo_sequence);
    }
    if (icmp.target) text += fmt::format(" for {}", icmp.target->to_string());
    if (icmp.v6 ? icmp.type == 2 : icmp.type == 3 && icmp.code == 4) {
      text += fmt::format(", mtu {}", icmp.v6 ? icmp.rest : icmp.rest & 0xFFFFU);
    }
    if (icmp.quoted && icmp.quoted->ip) text += fmt::format(" (quotes {})", brief(*icmp.quoted));
    return text;
  }
  std::string operator()(const ArpHeader& arp) const {
    return arp.request ? fmt::format("ARP who-has {} tell {}", arp.target.to_string(), arp.sender.to_string())
                       : fmt::format("ARP {} is-at {}", arp.sender.to_string(), arp.sender_mac.to_string());
  }
};

std::string brief(const Packet& packet) {
  return std::visit(Brief{packet}, packet.transport);
}

std::string ether_type_text(std::uint16_t type) {
  switch (type) {
    case 0x0800:
      return "IPv4";
    case 0x0806:
      return "ARP";
    case 0x86DD:
      return "IPv6";
    default:
      return fmt::format("{:#06x}", type);
  }
}

std::string protocol_text(std::uint8_t protocol) {
  switch (protocol) {
    case 1:
      return "ICMP";
    case 6:
      return "TCP";
    case 17:
      return "UDP";
    case 58:
      return "ICMPv6";
    default:
      return fmt::format("protocol {}", protocol);
  }
}

std::string link_line(const Packet& packet) {
  if (packet.source_mac && packet.destination_mac) {
    return fmt::format("Ethernet: {} > {}, {}", packet.source_mac->to_string(),
                       packet.destination_mac->to_string(), ether_type_text(packet.ether_type));
  }
  static constexpr std::string_view directions[] = {"came in", "goes out", "for another's MAC", ""};
  std::string text = "Linux cooked v2:";
  if (const auto direction = directions[static_cast<std::size_t>(packet.direction)]; !direction.empty())
    text += fmt::format(" {},", direction);
  if (packet.source_mac) text += fmt::format(" from {},", packet.source_mac->to_string());
  return text + fmt::format(" interface {}, {}", packet.interface_index, ether_type_text(packet.ether_type));
}

std::string ip_line(const IpHeader& ip) {
  const bool v4 = ip.source.is_v4();
  std::string text = fmt::format("{}: {} > {}, {} {}, {}, {} bytes", v4 ? "IPv4" : "IPv6",
                                 ip.source.to_string(), ip.destination.to_string(), v4 ? "ttl" : "hop limit",
                                 ip.ttl, protocol_text(ip.protocol), ip.total_length);
  if (v4) text += fmt::format(", id {}", ip.id);
  if (ip.dont_fragment) text += ", don't fragment";
  if (ip.more_fragments) text += ", more fragments";
  if (ip.fragment_offset != 0) text += fmt::format(", fragment at {}", ip.fragment_offset);
  if (ip.segments_left != 0)
    text += fmt::format(", {} segments of its routing header left", ip.segments_left);
  return text;
}

std::string checksum_word(Checksum checksum) {
  switch (checksum) {
    case Checksum::good:
      return ", checksum good";
    case Checksum::partial:
      return ", checksum left to the device";
    case Checksum::bad:
      return ", checksum bad";
    case Checksum::unknown:
      break;
  }
  return "";
}

struct TransportLine {
  const Packet& packet;

  std::string operator()(std::monostate) const { return ""; }
  std::string operator()(const UdpHeader& udp) const {
    return fmt::format("UDP: port {} > {}, length {}", udp.source_port, udp.destination_port, udp.length);
  }
  std::string operator()(const TcpHeader& tcp) const {
    std::string text = fmt::format("TCP: port {} > {}", tcp.source_port, tcp.destination_port);
    // A quote cut to 8 bytes holds the ports and the sequence number only.
    if (!packet.problem.empty()) return text + fmt::format(", seq {}", tcp.sequence);
    text += fmt::format(", {}, seq {}", flags(tcp), tcp.sequence);
    if (tcp.ack) text += fmt::format(", ack {}", tcp.acknowledgment);
    return text + fmt::format(", window {}", tcp.window);
  }
  std::string operator()(const IcmpHeader& icmp) const {
    std::string text = fmt::format("{}: {} (type {} code {})", icmp.v6 ? "ICMPv6" : "ICMP",
                                   icmp_text(icmp.type, icmp.code, icmp.v6), icmp.type, icmp.code);
    if (icmp.is_echo_request() || icmp.is_echo_reply())
      text += fmt::format(", id {}, seq {}", icmp.echo_id, icmp.echo_sequence);
    if (icmp.target) text += fmt::format(", for {}", icmp.target->to_string());
    if (icmp.v6 ? icmp.type == 2 : icmp.type == 3 && icmp.code == 4)
      text += fmt::format(", mtu {}", icmp.v6 ? icmp.rest : icmp.rest & 0xFFFFU);
    return text;
  }
  std::string operator()(const ArpHeader& arp) const {
    return fmt::format("ARP: {}, {} is at {}, {} at {}", arp.request ? "request" : "reply",
                       arp.sender.to_string(), arp.sender_mac.to_string(), arp.target.to_string(),
                       arp.request ? "?" : arp.target_mac.to_string());
  }
};

/// From IP on.
std::vector<std::string> inner_lines(const Packet& packet) {
  std::vector<std::string> lines;
  if (packet.ip) lines.push_back(ip_line(*packet.ip));
  if (std::string line = std::visit(TransportLine{packet}, packet.transport); !line.empty())
    lines.push_back(std::move(line) + checksum_word(packet.checksum));
  if (packet.dns) lines.push_back(dns_text(*packet.dns) + fmt::format(", id {}", packet.dns->id));
  const auto* icmp = std::get_if<IcmpHeader>(&packet.transport);
  if (icmp != nullptr && icmp->quoted) {
    lines.emplace_back("quotes:");
    for (const std::string& line : inner_lines(*icmp->quoted)) lines.push_back("  " + line);
  }
  return lines;
}

}  // namespace

std::vector<std::string> header_lines(const Packet& packet) {
  std::vector<std::string> lines;
  // Raw IP has nothing before it.
  if (packet.source_mac || packet.interface_index != 0) lines.push_back(link_line(packet));
  for (std::string& line : inner_lines(packet)) lines.push_back(std::move(line));
  if (packet.payload_total != 0) lines.push_back(fmt::format("payload: {} bytes", packet.payload_total));
  if (!packet.problem.empty()) lines.push_back(fmt::format("not decoded further: {}", packet.problem));
  return lines;
}

std::string icmp_text(std::uint8_t type, std::uint8_t code, bool v6) {
  return v6 ? icmp6_text(type, code) : icmp4_text(type, code);
}

std::string to_text(const Packet& packet) {
  std::string text;
  if (packet.ip) {
    text = fmt::format("{}, ttl {}", brief(packet), packet.ip->ttl);
    if (packet.ip->more_fragments && packet.ip->fragment_offset == 0) text += ", first fragment";
  } else if (const auto* arp = std::get_if<ArpHeader>(&packet.transport)) {
    text = Brief{packet}(*arp);
  } else {
    text = fmt::format("ethertype {:#06x}", packet.ether_type);
  }
  if (!packet.problem.empty()) text += fmt::format(" ({})", packet.problem);
  return text;
}

}  // namespace plumbline::traffic
