#include "harness/kernel/netlink/batch.hpp"

namespace plumbline::kernel::netlink {

void Batch::add(const Message& message, Describe describe, Answer answer) {
  entries_.push_back({bytes_.size(), std::move(describe), std::move(answer)});
  const auto bytes = message.bytes();  // a multiple of 4 long: libmnl pads every attribute
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

}  // namespace plumbline::kernel::netlink
