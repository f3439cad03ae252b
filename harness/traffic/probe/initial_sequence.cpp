#include "harness/traffic/probe/initial_sequence.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <atomic>
#include <random>

namespace plumbline::traffic::detail {
namespace {

/// Multiples of 2^32 divided by the golden ratio: any 40,000 in a row are more than 40,000 apart.
std::uint32_t next_sequence() {
  constexpr std::uint32_t kStep = 2'654'435'769;
  static const std::uint32_t start = std::random_device{}();
  static std::atomic<std::uint32_t> turn{0};
  const std::uint32_t sequence = start + kStep * turn.fetch_add(1, std::memory_order_relaxed);
  return sequence == 0 ? 1 : sequence;  // of 0 the kernel thinks that nobody has chosen
}

bool set(int fd, int option, int value) {
  return ::setsockopt(fd, IPPROTO_TCP, option, &value, sizeof value) == 0;
}

}  // namespace

// A closed socket in repair mode takes a number for its send queue, and tcp_v4_connect chooses one only where
// there is none. Leaving repair mode makes it an ordinary socket again.
std::optional<std::uint32_t> choose_initial_sequence(int fd) {
  constexpr int kSendQueue = 2;  // TCP_SEND_QUEUE of <linux/tcp.h>, which <netinet/tcp.h> does not go with
  if (!set(fd, TCP_REPAIR, 1)) return std::nullopt;
  const std::uint32_t sequence = next_sequence();
  const bool chosen =
      set(fd, TCP_REPAIR_QUEUE, kSendQueue) && set(fd, TCP_QUEUE_SEQ, static_cast<int>(sequence));
  const bool ordinary = set(fd, TCP_REPAIR, 0);
  return chosen && ordinary ? std::optional(sequence) : std::nullopt;
}

}  // namespace plumbline::traffic::detail
