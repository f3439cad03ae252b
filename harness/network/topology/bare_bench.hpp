#pragma once

#include <cstddef>
#include <vector>

#include "harness/base/fd.hpp"

namespace plumbline::network::bench {

/// The least that the kernel can be asked for: a bridge with `containers` containers by raw netlink messages,
/// with nothing of the library between. Namespaces, pairs straight into place, ports, up, addresses, default
/// routes, and carrier awaited; no names, no sysctls. Throws Error.
class BareNetwork {
 public:
  void build(std::size_t containers);
  void teardown() { nodes_.clear(); }

 private:
  std::vector<Fd> nodes_;
};

}  // namespace plumbline::network::bench
