#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/engine/check/evidence.hpp"
#include "harness/engine/check/result.hpp"
#include "harness/proof/witness/kernel_path.hpp"

namespace plumbline::engine {

class Check;

/// Every node that one of the checks wants traced, once.
std::vector<std::string> traced_nodes(const std::vector<std::unique_ptr<Check>>& checks);

/// The path as reports show it: in order, each event placed among the journey's steps. A connection's packets
/// meet the same rules over and over: each is told once for each way.
std::vector<KernelEvent> kernel_events(const proof::Journey& journey, const proof::KernelPath& path);

/// Why what the kernel of `node` did not report of the probe may have happened all the same. Absent: the
/// report is whole.
std::optional<std::string> unreported(const Evidence& evidence, std::string_view node);

/// Why it proves nothing that the kernel of `node` reported nothing: the probe was neither there nor at its
/// target, so it may have been lost before, or never sent. Absent: it was.
std::optional<std::string> never_came(const Evidence& evidence, std::string_view node);

/// "IN=bridge0 OUT=ens4 SRC=192.168.99.11 DST=203.0.113.80", as a LOG rule writes it.
std::string log_text(const proof::Passage& passage);

}  // namespace plumbline::engine
