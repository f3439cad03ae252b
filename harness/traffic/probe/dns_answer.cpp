#include "harness/traffic/probe/dns_answer.hpp"

#include <ares.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace plumbline::traffic::detail {
namespace {

using Span = std::span<const std::uint8_t>;
using Status = DnsOutcome::Status;

constexpr std::size_t kHeaderSize = 12;
// More than a message of 65,535 bytes can hold.
constexpr std::size_t kAddressesLimit = 4096;

Status status_of(std::uint8_t rcode) {
  switch (rcode) {
    case 0:
      return Status::answered;
    case 2:
      return Status::server_failure;
    case 3:
      return Status::name_error;
    case 5:
      return Status::refused;
    default:
      return Status::other_rcode;
  }
}

template <std::size_t N>
IpAddress to_address(const void* bytes) {
  std::array<std::uint8_t, N> copy{};
  std::memcpy(copy.data(), bytes, N);
  if constexpr (N == 4) {
    return IpAddress::v4(copy);
  } else {
    return IpAddress::v6(copy);
  }
}

/// False when the records do not parse.
bool read_addresses(Span answer, bool aaaa, std::vector<IpAddress>& addresses) {
  int count = static_cast<int>(kAddressesLimit);
  const int size = static_cast<int>(answer.size());
  int status = ARES_SUCCESS;
  if (aaaa) {
    std::vector<ares_addr6ttl> found(kAddressesLimit);
    status = ares_parse_aaaa_reply(answer.data(), size, nullptr, found.data(), &count);
    if (status != ARES_SUCCESS) return status == ARES_ENODATA;
    for (const auto& one : std::span(found).first(static_cast<std::size_t>(count))) {
      addresses.push_back(to_address<16>(&one.ip6addr));
    }
  } else {
    std::vector<ares_addrttl> found(kAddressesLimit);
    status = ares_parse_a_reply(answer.data(), size, nullptr, found.data(), &count);
    if (status != ARES_SUCCESS) return status == ARES_ENODATA;
    for (const auto& one : std::span(found).first(static_cast<std::size_t>(count))) {
      addresses.push_back(to_address<4>(&one.ipaddr));
    }
  }
  return true;
}

}  // namespace

void read_dns_answer(Span query, Span answer, bool aaaa, DnsOutcome& outcome) {
  outcome.status = Status::malformed;
  if (answer.size() < kHeaderSize) return;
  outcome.rcode = answer[3] & 0x0FU;
  outcome.truncated = (answer[2] & 0x02U) != 0;
  // A server may leave the question out of an error; where it is there, its letters must be ours.
  const bool has_question = answer[4] != 0 || answer[5] != 0;
  const Span question = query.subspan(std::min(kHeaderSize, query.size()));
  const Span repeated = answer.subspan(kHeaderSize);
  outcome.case_kept = !has_question || (repeated.size() >= question.size() &&
                                        std::ranges::equal(repeated.first(question.size()), question));
  if (outcome.rcode == 0 && !read_addresses(answer, aaaa, outcome.addresses)) return;
  outcome.status = status_of(outcome.rcode);
}

}  // namespace plumbline::traffic::detail
