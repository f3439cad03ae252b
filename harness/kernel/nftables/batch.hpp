#pragma once

#include <cstdint>
#include <vector>

#include "harness/kernel/nftables/names.hpp"
#include "harness/kernel/nftables/ruleset.hpp"

namespace plumbline::kernel::nft {

/// One transaction as it goes to the kernel.
struct Batch {
  std::vector<std::uint8_t> bytes;            ///< NFNL_MSG_BATCH_BEGIN, a message for each object, BATCH_END
  std::vector<ObjectRef> objects;             ///< in the messages' order; point into the ruleset given
  static constexpr std::uint32_t kBegin = 1;  ///< sequence number of the begin message
  static constexpr std::uint32_t kFirstObject = 2;  ///< of the first object's message
};

/// All tables, then all chains, so that any rule may jump to any of them, then all rules. Only the last
/// message asks for an acknowledgement: the kernel answers refused ones in any case, and thousands of answers
/// would not fit the receive buffer that a user namespace may have.
/// Throws Error of kind usage, naming the object, for what cannot be expressed.
Batch encode(const Ruleset& ruleset);

}  // namespace plumbline::kernel::nft
