#pragma once

#include <string>
#include <utility>
#include <vector>

#include "harness/engine/check/evidence.hpp"

/// For the unit tests of judgements: what a kernel reports, made by hand.
namespace plumbline::checks::testing_support {

/// The host's kernel reports, and has lost nothing.
inline void trace_host(engine::Evidence& e) {
  e.kernel.nodes.push_back({"host", "", true});
}

inline proof::Passage& pass(engine::Evidence& e, proof::Hook hook, proof::Leg leg = proof::Leg::forward,
                            std::string verdict = "accept") {
  proof::Passage& passage = e.kernel.passages.emplace_back();
  passage.node = "host";
  passage.hook = hook;
  passage.leg = leg;
  passage.iif = "bridge0";
  passage.oif = "ens4";
  passage.source = *IpAddress::parse("192.168.99.11");
  passage.destination = *IpAddress::parse("203.0.113.80");
  passage.verdict = std::move(verdict);
  return passage;
}

inline void log(proof::Passage& passage, std::string prefix) {
  proof::RuleMet& rule = passage.rules.emplace_back();
  rule.verdict = "continue";
  rule.log_prefix = std::move(prefix);
}

inline void pass_all(engine::Evidence& e, proof::Leg leg) {
  for (const proof::Hook hook : {proof::Hook::prerouting, proof::Hook::forward, proof::Hook::postrouting}) {
    pass(e, hook, leg);
  }
}

}  // namespace plumbline::checks::testing_support
