#include "harness/traffic/probe/source_port.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <random>

namespace plumbline::traffic::detail {

SourcePorts::SourcePorts() : turn_(std::random_device{}() % kCount) {}

std::uint16_t SourcePorts::next() noexcept {
  // The counter wraps at 2^32, which kCount does not divide: once in four thousand million probes a port
  // comes back early.
  return static_cast<std::uint16_t>(kFirst + turn_.fetch_add(1, std::memory_order_relaxed) % kCount);
}

SourcePorts& SourcePorts::udp() {
  static SourcePorts ports;
  return ports;
}

SourcePorts& SourcePorts::tcp() {
  static SourcePorts ports;
  return ports;
}

int bind_fresh(int fd, const IpAddress& source, SourcePorts& ports) {
  for (std::uint32_t i = 0; i < SourcePorts::kCount; ++i) {
    const Endpoint local = endpoint(source, ports.next());
    if (::bind(fd, local.data(), static_cast<socklen_t>(local.size())) == 0) return 0;
    if (errno != EADDRINUSE) return errno;
  }
  return EADDRINUSE;
}

std::uint16_t next_echo_id() {
  static std::atomic<std::uint32_t> turn{std::random_device{}()};
  return static_cast<std::uint16_t>(turn.fetch_add(1, std::memory_order_relaxed));
}

}  // namespace plumbline::traffic::detail
