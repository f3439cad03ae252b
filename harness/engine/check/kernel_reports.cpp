#include "harness/engine/check/kernel_reports.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>

namespace plumbline::engine {
namespace {

/// How long an ICMP error may take to its probe's sender over simulated cables: generous.
constexpr std::chrono::milliseconds kIcmpArrives{20};

/// Rules are told by nftables' trace, and a rejection drops the packet, too. What got lost by accident is not
/// denied.
bool is_final(const proof::Drop& drop) {
  return drop.leg == proof::Leg::forward && drop.reason != "NETFILTER_DROP" && proof::is_decision(drop);
}

}  // namespace

void KernelReports::open(const network::Topology& topology) {
  std::vector<proof::TraceSource> traced, all;
  for (const auto& [name, netns] : network_.nodes()) {
    all.push_back({name, &netns});
    const network::Node* node = topology.find(name);
    const bool under_test = options_.rules && node != nullptr && node->role != network::Role::world;
    if (under_test || std::ranges::find(options_.traced, name) != options_.traced.end())
      traced.push_back({name, &netns});
  }
  if (!traced.empty() && !trace_)
    trace_.emplace(executor_, proof::TraceOptions{options_.buffer_bytes, options_.live});
  if (trace_) {
    trace_->watch(traced);
    trace_->on_news([this] { recall_dropped(); });
  }
  if (!options_.drops) return;
  // What the world drops is evidence, too.
  if (!drops_) drops_.emplace(executor_);
  drops_->watch(all);
  drops_->on_news([this] { recall_lost(); });
}

KernelReports::Mark KernelReports::mark() const {
  Mark mark;
  if (trace_) mark.rules = trace_->mark();
  if (drops_) mark.drops = drops_->lost();
  return mark;
}

/// Reports first, then taps: what they saw before a report was written tells whose packet it is about.
proof::KernelPath KernelReports::path(std::optional<proof::WatchId> watch, const std::string& from,
                                      const Mark& before) {
  if (trace_) trace_->drain();
  if (drops_) drops_->drain();
  taps_.drain();
  look_for_others();
  proof::KernelPath path;
  if (trace_) {
    path = trace_->path(taps_.observer(), watch, before.rules,
                        [&](const std::string& node) { return taps_.distance(from, node); });
  }
  if (!drops_) return path;
  path.drops_problem = drops_->problem();
  path.drops_complete = drops_->lost() == before.drops;
  if (watch) {
    path.drops = drops_->drops(taps_.observer(), *watch);
    drops_->forget(*watch);
  }
  return path;
}

/// Taps first: what they saw before a report was written tells whose packet it is about.
void KernelReports::recall_dropped() {
  if (recalls_->empty()) return;
  taps_.drain();
  for (const proof::WatchId watch : trace_->perhaps_stopped(taps_.observer())) {
    const auto waiting = recalls_->find(watch);
    if (waiting != recalls_->end() && trace_->dropped_in_silence(watch)) waiting->second->now();
  }
}

/// For reasons other than a rule's the kernel may tell the sender by ICMP: that is on its way then.
void KernelReports::recall_lost() {
  if (recalls_->empty()) return;
  taps_.drain();
  for (const proof::WatchId watch : drops_->fresh(taps_.observer())) {
    const auto waiting = recalls_->find(watch);
    if (waiting == recalls_->end()) continue;
    const auto drops = drops_->drops(taps_.observer(), watch);
    if (std::ranges::any_of(drops, is_final)) waiting->second->soon(executor_, kIcmpArrives);
  }
}

/// What was read for one probe's sake may be about others that wait: no news come of it any more.
void KernelReports::look_for_others() {
  if (recalls_->empty() || looking_) return;
  looking_ = true;
  boost::asio::post(executor_, [this, here = std::weak_ptr<const bool>(here_)] {
    if (here.expired()) return;
    looking_ = false;
    if (trace_) recall_dropped();
    if (drops_) recall_lost();
  });
}

KernelReports::Impatience::Impatience(KernelReports& reports, Until until) : recalls_(reports.recalls_) {
  if (until == Until::dropped) recall_ = std::make_shared<traffic::Recall>();
}

KernelReports::Impatience::~Impatience() {
  if (watch_) recalls_->erase(*watch_);
}

void KernelReports::Impatience::await(proof::WatchId watch) {
  if (!recall_) return;
  watch_ = watch;
  recalls_->emplace(watch, recall_);
}

}  // namespace plumbline::engine
