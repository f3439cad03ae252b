#pragma once

#include <boost/asio/awaitable.hpp>
#include <vector>

#include "harness/engine/check/evidence.hpp"
#include "harness/engine/check/live_facts.hpp"
#include "harness/engine/check/result.hpp"
#include "harness/engine/check/stage.hpp"
#include "harness/proof/diagnosis/case.hpp"

namespace plumbline::engine {

struct Outcome;

/// What a probe that did not keep `promise` leaves to be explained.
proof::Case case_of(const Evidence& evidence, proof::Case::Promise promise);
proof::Case case_of(const DnsEvidence& evidence);

/// What is found out at once of a probe that did not keep its promise: how its question fares over the other
/// transport, and an answer that comes too late.
boost::asio::awaitable<void> learn_more(Stage& stage, Outcome& outcome, CheckResult& result);

/// Whether nothing tells yet who stopped the probe, though nothing came back: counters may.
bool is_unexplained(const proof::Case& question);

/// Says in `result` why the promise was not kept: the causes that are recognised, the most certain first, how
/// the nodes' conntracks know the flow, and what the rules that it met have counted. To be asked before the
/// network changes.
void find_causes(proof::Case question, Stage& stage, CheckResult& result);
/// For many questions about one network: `facts` are read once for all of them.
void find_causes(proof::Case question, Stage& stage, LiveFacts& facts, CheckResult& result);

}  // namespace plumbline::engine
