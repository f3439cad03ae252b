#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/engine/check/result.hpp"
#include "harness/proof/witness/kernel_path.hpp"

namespace plumbline::engine {

class Check;

/// Every node that one of the checks wants traced, once.
std::vector<std::string> traced_nodes(const std::vector<std::unique_ptr<Check>>& checks);

/// The path as reports show it. A connection's packets meet the same rules over and over: each is told once
/// for each way.
std::vector<KernelEvent> kernel_events(const proof::KernelPath& path);

/// "IN=bridge0 OUT=ens4 SRC=192.168.99.11 DST=203.0.113.80", as a LOG rule writes it.
std::string log_text(const proof::Passage& passage);

}  // namespace plumbline::engine
