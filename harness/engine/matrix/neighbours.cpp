#include "harness/engine/matrix/neighbours.hpp"

#include <spdlog/spdlog.h>

#include <string>

#include "harness/base/error.hpp"
#include "harness/kernel/netlink/batch.hpp"
#include "harness/kernel/netlink/neighbour.hpp"
#include "harness/kernel/netlink/socket.hpp"

namespace plumbline::engine::matrix {
namespace {

namespace netlink = kernel::netlink;

constexpr std::size_t kFewNodes = 15;  ///< whose pairs are no trouble
constexpr std::size_t kProbes = 100;   ///< each may leave two behind, as those do that are under way

void forget(const Stage& stage, const std::string& node) {
  auto socket = netlink::Socket::open(stage.network().netns(node));
  netlink::Batch batch("node " + node);
  for (const auto& entry :
       socket.dump(netlink::get_neighbours(), "listing the neighbours", netlink::decode_neighbour_entry)) {
    const bool kept =
        entry.state == netlink::NeighbourState::permanent || entry.state == netlink::NeighbourState::noarp;
    if (!kept)
      batch.add(netlink::delete_neighbour(entry), [] { return std::string("deleting a neighbour"); });
  }
  if (!batch.empty()) socket.execute(batch);
}

}  // namespace

void Neighbours::one_more(const Stage& stage) {
  const auto& nodes = stage.topology().nodes;
  if (nodes.size() <= kFewNodes || ++probes_ < kProbes) return;
  probes_ = 0;
  for (const network::Node& node : nodes) {
    try {
      forget(stage, node.name);
    } catch (const Error& error) {
      // The kernel may have thrown one out itself meanwhile.
      spdlog::debug("forgetting neighbours: {}", error.what());
    }
  }
}

}  // namespace plumbline::engine::matrix
