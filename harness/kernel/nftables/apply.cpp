#include "harness/kernel/nftables/batch.hpp"
#include "harness/kernel/nftables/connection.hpp"
#include "harness/kernel/nftables/nftables.hpp"

namespace plumbline::kernel::nft {

void apply(const Netns& netns, const Ruleset& ruleset) {
  if (ruleset.tables.empty()) return;
  const Batch batch = encode(ruleset);
  Connection(netns).commit(batch);
}

}  // namespace plumbline::kernel::nft
