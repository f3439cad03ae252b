#pragma once

#include <vector>

#include "harness/kernel/nftables/listing.hpp"
#include "harness/proof/witness/kernel_path.hpp"

namespace plumbline::proof {

/// Tells of each passage at which a bridge's rules stopped a packet whether there were other copies of it
/// (`Passage::copies`). The passages are one node's, in their order.
void note_copies(std::vector<Passage>& passages);

/// Whether the packet that was dropped there has ended with it, though reports may still be to come. Of what
/// a bridge was to send on this is known only where no copy of it can fare otherwise: where none has, and no
/// rule of the bridge family in `rules` asks by which port a frame leaves, or counts.
bool is_the_end(const Passage& dropped, const kernel::nft::Listing& rules);

}  // namespace plumbline::proof
