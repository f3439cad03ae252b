#pragma once

#include <cstddef>

namespace plumbline::network::bench {

/// The same network by iproute2 at its fastest: one `ip -batch` for all namespaces and pairs, and one for
/// the inside of each container. Does not wait for carrier. Throws Error.
class IpBatchNetwork {
 public:
  void build(std::size_t containers);
  void teardown();

 private:
  std::size_t containers_ = 0;
};

}  // namespace plumbline::network::bench
