#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "harness/kernel/netns/netns.hpp"
#include "harness/kernel/nftables/batch.hpp"
#include "harness/kernel/nftables/replies.hpp"

struct mnl_socket;

namespace plumbline::kernel::nft {

/// A netfilter netlink socket of one namespace; it stays so wherever the thread goes next. A table made
/// through it with the owner flag lives as long as it does.
class Connection {
 public:
  explicit Connection(const Netns& netns);

  /// Sends the transaction and throws Error unless all of it was accepted, naming the first object refused.
  void commit(const Batch& batch);

  int fd() const noexcept;

 private:
  struct Close {
    void operator()(mnl_socket* socket) const noexcept;
  };

  void send(const Batch& batch);
  std::vector<Reply> receive(std::size_t at_most);

  std::unique_ptr<mnl_socket, Close> socket_;
};

}  // namespace plumbline::kernel::nft
