#include "harness/network/service/dns_message.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace plumbline::network::detail {
namespace {

using Bytes = std::vector<std::uint8_t>;
using Span = std::span<const std::uint8_t>;

constexpr std::size_t kHeaderSize = 12;
constexpr std::size_t kOptSize = 11;
constexpr std::size_t kNameLimit = 255;
constexpr std::uint16_t kTypeA = 1;
constexpr std::uint16_t kTypeAaaa = 28;
constexpr std::uint16_t kTypeOpt = 41;
constexpr std::uint16_t kTypeAny = 255;
constexpr std::uint16_t kClassIn = 1;
constexpr std::uint16_t kClassAny = 255;
constexpr std::uint16_t kFlagTruncated = 0x0200;
constexpr std::uint32_t kTtlSeconds = 60;

enum class Rcode : std::uint16_t {
  ok = 0,
  form_error = 1,
  name_error = 3,
  not_implemented = 4,
  refused = 5,
  bad_version = 16
};

std::uint16_t get16(Span bytes, std::size_t at) {
  return static_cast<std::uint16_t>((bytes[at] << 8U) | bytes[at + 1]);
}

void put16(Bytes& bytes, std::size_t value) {
  bytes.push_back(static_cast<std::uint8_t>((value >> 8U) & 0xFFU));
  bytes.push_back(static_cast<std::uint8_t>(value & 0xFFU));
}

void set16(Bytes& bytes, std::size_t at, std::size_t value) {
  bytes[at] = static_cast<std::uint8_t>((value >> 8U) & 0xFFU);
  bytes[at + 1] = static_cast<std::uint8_t>(value & 0xFFU);
}

void append_label(std::string& name, Span label) {
  if (!name.empty()) name += '.';
  for (const std::uint8_t c : label) {
    if (c > ' ' && c < 0x7F && c != '.' && c != '\\') {
      name += static_cast<char>(c);
    } else {
      name += fmt::format("\\{:03}", c);
    }
  }
}

/// Where the name at `at` ends, its text added to `name` if wanted. Pointers are refused where `pointers` is
/// not set: the first name of a query has nothing before it to point at.
std::optional<std::size_t> read_name(Span message, std::size_t at, bool pointers, std::string* name) {
  const std::size_t start = at;
  while (at < message.size() && at - start < kNameLimit) {
    const std::size_t length = message[at];
    if (length == 0) return at + 1;
    if ((length & 0xC0U) == 0xC0U) {
      if (!pointers || message.size() - at < 2) return std::nullopt;
      return at + 2;
    }
    if (length > 63 || message.size() - at - 1 < length) return std::nullopt;
    if (name != nullptr) append_label(*name, message.subspan(at + 1, length));
    at += 1 + length;
  }
  return std::nullopt;
}

struct Edns {
  std::size_t udp_size = 0;
  std::uint8_t version = 0;
};

struct Query {
  std::uint16_t id = 0;
  std::uint16_t flags = 0;
  std::string name;
  std::uint16_t type = 0;
  std::uint16_t klass = 0;
  std::size_t question_end = 0;  ///< 0: the question could not be read
  std::optional<Edns> edns;
};

/// Goes over the records behind the question, keeping the OPT. False when they do not parse.
bool read_records(Span message, Query& query) {
  std::size_t at = query.question_end;
  const std::size_t others = std::size_t{get16(message, 6)} + get16(message, 8);
  const std::size_t all = others + get16(message, 10);
  for (std::size_t i = 0; i < all; ++i) {  // bounded: each record takes at least 11 bytes of the message
    const auto end = read_name(message, at, true, nullptr);
    if (!end || message.size() - *end < 10) return false;
    const std::size_t data_size = get16(message, *end + 8);
    if (message.size() - *end - 10 < data_size) return false;
    if (get16(message, *end) == kTypeOpt) {
      // RFC 6891, 6.1.1: one only, in the additional section, at the root.
      if (i < others || query.edns || *end - at != 1) return false;
      query.edns = Edns{get16(message, *end + 2), message[*end + 5]};
    }
    at = *end + 10 + data_size;
  }
  return true;
}

/// False: a form error, as far as it was read.
bool read_query(Span message, Query& query) {
  if (get16(message, 4) != 1) return false;
  const auto name_end = read_name(message, kHeaderSize, false, &query.name);
  if (!name_end || message.size() - *name_end < 4) {
    query.name.clear();
    return false;
  }
  query.type = get16(message, *name_end);
  query.klass = get16(message, *name_end + 2);
  query.question_end = *name_end + 4;
  return read_records(message, query);
}

/// The header and, where it was read, the question exactly as it was sent (letters' case included).
Bytes begin_reply(const Query& query, Span message, Rcode rcode) {
  Bytes reply;
  put16(reply, query.id);
  constexpr std::size_t kAnswerAuthoritativeRecursive = 0x8480;
  const std::size_t kept = query.flags & 0x7900U;  // opcode and RD are repeated
  put16(reply, kAnswerAuthoritativeRecursive | kept | (static_cast<std::size_t>(rcode) & 0xFU));
  put16(reply, query.question_end > 0 ? 1 : 0);
  put16(reply, 0);
  put16(reply, 0);
  put16(reply, 0);
  if (query.question_end > 0) {
    const Span question = message.subspan(kHeaderSize, query.question_end - kHeaderSize);
    reply.insert(reply.end(), question.begin(), question.end());
  }
  return reply;
}

/// Puts another name into a reply's question.
void rename_question(Bytes& reply, std::string_view name) {
  Bytes labels;
  while (!name.empty()) {
    const std::string_view label = name.substr(0, std::min<std::size_t>(name.find('.'), 63));
    labels.push_back(static_cast<std::uint8_t>(label.size()));
    labels.insert(labels.end(), label.begin(), label.end());
    name.remove_prefix(std::min(name.size(), label.size() + 1));
  }
  labels.push_back(0);
  constexpr std::size_t type_and_class = 4;
  const auto begin = reply.begin() + static_cast<std::ptrdiff_t>(kHeaderSize);
  const auto at = reply.erase(begin, reply.end() - static_cast<std::ptrdiff_t>(type_and_class));
  reply.insert(at, labels.begin(), labels.end());
}

void append_opt(Bytes& reply, Rcode rcode) {
  reply.push_back(0);
  put16(reply, kTypeOpt);
  put16(reply, kDnsEdnsUdpLimit);
  put16(reply, (static_cast<std::size_t>(rcode) >> 4U) << 8U);  // extended rcode, version 0
  put16(reply, 0);
  put16(reply, 0);
  set16(reply, 10, 1);
}

void append_address(Bytes& reply, const IpAddress& address) {
  put16(reply, 0xC000U | kHeaderSize);  // the name is the question's
  put16(reply, address.is_v4() ? kTypeA : kTypeAaaa);
  put16(reply, kClassIn);
  put16(reply, kTtlSeconds >> 16U);
  put16(reply, kTtlSeconds & 0xFFFFU);
  const auto data = address.bytes();
  put16(reply, data.size());
  reply.insert(reply.end(), data.begin(), data.end());
}

std::size_t size_limit(const Query& query, bool tcp) {
  if (tcp) return kDnsTcpLimit;
  if (!query.edns) return kDnsPlainUdpLimit;
  return std::clamp(query.edns->udp_size, kDnsPlainUdpLimit, kDnsEdnsUdpLimit);
}

void append_answers(Bytes& reply, const Query& query, const std::vector<IpAddress>& addresses,
                    std::size_t limit) {
  std::size_t count = 0;
  for (const IpAddress& address : addresses) {
    const std::uint16_t type = address.is_v4() ? kTypeA : kTypeAaaa;
    if (query.type != type && query.type != kTypeAny) continue;
    if (reply.size() + kHeaderSize + address.bytes().size() > limit) {
      set16(reply, 2, std::size_t{get16(reply, 2)} | kFlagTruncated);
      break;
    }
    append_address(reply, address);
    ++count;
  }
  set16(reply, 6, count);
}

std::string lower(std::string text) {
  // Not tolower: DNS compares ASCII letters only (RFC 4343), whatever the locale.
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

Rcode judge(const Query& query, const DnsZone& zone, DnsZone::const_iterator& found) {
  found = zone.end();
  if (query.edns && query.edns->version != 0) return Rcode::bad_version;
  if (query.klass != kClassIn && query.klass != kClassAny) return Rcode::refused;
  found = zone.find(lower(query.name));
  return found == zone.end() ? Rcode::name_error : Rcode::ok;
}

}  // namespace

DnsReply answer_dns(const DnsZone& zone, Span message, bool tcp, const DnsWays& ways) {
  if (message.size() < kHeaderSize) return {};
  Query query;
  query.id = get16(message, 0);
  query.flags = get16(message, 2);
  const bool is_response = (query.flags & 0x8000U) != 0;  // answering one could go on for ever
  if (is_response) return {};
  if ((query.flags & 0x7800U) != 0) return {begin_reply(query, message, Rcode::not_implemented), {}};
  if (!read_query(message, query)) return {begin_reply(query, message, Rcode::form_error), query.name};

  DnsZone::const_iterator found;
  Rcode rcode = judge(query, zone, found);
  if (ways.rcode != 0) {
    rcode = static_cast<Rcode>(ways.rcode);
    found = zone.end();
  }
  Bytes reply = begin_reply(query, message, rcode);
  if (!ways.question.empty()) rename_question(reply, ways.question);
  const std::size_t opt = query.edns ? kOptSize : 0;
  if (ways.truncated && !tcp) {
    set16(reply, 2, std::size_t{get16(reply, 2)} | kFlagTruncated);
    found = zone.end();
  }
  if (found != zone.end()) append_answers(reply, query, found->second, size_limit(query, tcp) - opt);
  if (query.edns) append_opt(reply, rcode);
  return {std::move(reply), std::move(query.name)};
}

}  // namespace plumbline::network::detail
