#pragma once

#include <cstdint>
#include <optional>

namespace plumbline::traffic::detail {

/// Gives a TCP socket that is neither bound nor connected the sequence number that its SYN is to carry, by
/// which the SYN is known however the sender's own NAT translates it before anybody sees it. Numbers of
/// different connections lie far apart. Absent: the kernel keeps to its own choice (no CAP_NET_ADMIN in the
/// node).
std::optional<std::uint32_t> choose_initial_sequence(int fd);

}  // namespace plumbline::traffic::detail
