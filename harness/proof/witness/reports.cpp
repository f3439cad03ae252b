#include "harness/proof/witness/reports.hpp"

#include <utility>

namespace plumbline::proof {
namespace {

/// Whether the packet leaves the base chain with this event.
bool ends(const kernel::nft::TraceEvent& event) {
  using Type = kernel::nft::TraceEvent::Type;
  if (event.type == Type::policy) return true;
  return event.verdict == "accept" || event.verdict == "drop" || event.verdict == "queue" ||
         event.verdict == "stolen";
}

}  // namespace

void Reports::add(std::vector<kernel::nft::TraceEvent> events) {
  for (kernel::nft::TraceEvent& event : events) {
    const std::uint32_t id = event.id;
    const bool last = ends(event);
    if (event.headers) {
      auto report = std::make_shared<ChainReport>();
      report->id = id;
      report->headers = std::move(*event.headers);
      event.headers.reset();
      begun_.push_back(report);
      open_[id] = std::move(report);
    }
    const auto open = open_.find(id);
    if (open == open_.end()) continue;  // its beginning was lost, which the socket has told
    open->second->events.push_back(std::move(event));
    open->second->ended = last;
    if (last) open_.erase(open);
  }
}

std::vector<std::shared_ptr<const ChainReport>> Reports::take() {
  return std::exchange(begun_, {});
}

}  // namespace plumbline::proof
