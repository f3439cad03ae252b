#pragma once

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "harness/base/ip.hpp"
#include "harness/kernel/netns/netns.hpp"

namespace plumbline::engine {

/// A connection that a process made for the one which it took, as engines' proxies do for published ports.
struct Relay {
  pid_t pid = 0;
  std::string process;  ///< "docker-proxy"
  IpAddress source;     ///< of its own connection, as the server sees it
};

/// Who took a connection in one node, and whether it has made one to a server in another node since this was
/// constructed: told by both kernels' sockets and by whose they are, with nothing sent. A process that has
/// more new connections than these two is at work for others too: of that nothing is told.
class RelaySearch {
 public:
  /// The namespaces outlive this.
  RelaySearch(const kernel::Netns& taken_in, const kernel::Netns& server_in, std::uint16_t server_port);

  /// While a connection from `client_port` to `port` of the first node stands. Looks until there is something
  /// to be told, but no longer than `at_most`.
  boost::asio::awaitable<void> look(std::uint16_t client_port, std::uint16_t port,
                                    std::chrono::milliseconds at_most);
  /// Absent: none was seen.
  const std::optional<Relay>& found() const { return found_; }

 private:
  /// False: there is no need to look again.
  bool look_again(std::uint16_t client_port, std::uint16_t port);

  const kernel::Netns& taken_in_;
  const kernel::Netns& server_in_;
  std::uint16_t server_port_;
  std::set<std::uint64_t> before_;  ///< connections that stood when this began, by inode
  std::optional<Relay> found_;
};

}  // namespace plumbline::engine
