#pragma once

#include <optional>
#include <string>

#include "harness/engine/check/check.hpp"
#include "harness/engine/check/evidence.hpp"

namespace plumbline::checks {

/// Where a published port is to lead.
struct PublishedPromise {
  std::string at;               ///< the node whose server answers
  std::optional<IpAddress> as;  ///< the source that it sees; absent: whatever it is
  std::uint16_t port = 0;       ///< of that server; 0: whatever it is
};

/// Whether the probe's own bytes came to a server of `promise.at`, from the promised source, and were
/// answered. Of a service that is none of ours: whether a connection was made with it, as the taps saw.
engine::Judgement judge_published(const PublishedPromise& promise, const engine::Evidence& evidence);

engine::CheckKind published_kind();

}  // namespace plumbline::checks
