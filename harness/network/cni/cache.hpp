#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/network/cni/configuration.hpp"
#include "harness/network/cni/plugin.hpp"
#include "harness/network/cni/result.hpp"

/// What ADD came to is kept where and as other runtimes keep it (libcni: kind cniCacheV1), until DEL: whoever
/// looks at the host finds it there.
namespace plumbline::network::cni {

inline constexpr const char* kCacheFolder = "/var/lib/cni/results";

/// Throws Error where it cannot be written.
void remember(const Configuration& network, const Attachment& attachment, const boost::json::object& known,
              const Result& result);
/// Absent: nothing is kept. Throws Error of kind setup for what is no result.
std::optional<Result> recall(const Configuration& network, const Attachment& attachment);
void forget(const Configuration& network, const Attachment& attachment);

}  // namespace plumbline::network::cni
