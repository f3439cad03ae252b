#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "harness/kernel/nftables/trace_event.hpp"

namespace plumbline::proof {

/// All that nf_tables reported about one packet in one base chain, and the chains that it jumped to.
struct ChainReport {
  std::uint32_t id = 0;  ///< of the packet, while it is under way
  kernel::nft::TraceEvent::Headers headers;
  std::vector<kernel::nft::TraceEvent> events;
  bool ended = false;  ///< the packet has left the chain: no more events come
};

/// Puts one namespace's events together again: those of packets under way at the same time come interleaved.
class Reports {
 public:
  void add(std::vector<kernel::nft::TraceEvent> events);
  /// Those begun since the last call. One that has not ended yet still grows.
  std::vector<std::shared_ptr<const ChainReport>> take();

 private:
  std::unordered_map<std::uint32_t, std::shared_ptr<ChainReport>> open_;
  std::vector<std::shared_ptr<const ChainReport>> begun_;
};

}  // namespace plumbline::proof
