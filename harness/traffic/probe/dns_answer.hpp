#pragma once

#include <cstdint>
#include <span>

#include "harness/traffic/probe/probe.hpp"

namespace plumbline::traffic::detail {

/// Reads `answer` to `query` (both from the DNS header on) into status, rcode, addresses, truncation and
/// case.
void read_dns_answer(std::span<const std::uint8_t> query, std::span<const std::uint8_t> answer, bool aaaa,
                     DnsOutcome& outcome);

}  // namespace plumbline::traffic::detail
