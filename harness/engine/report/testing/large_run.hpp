#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "harness/engine/report/testing/sample_run.hpp"

namespace plumbline::engine::samples {

/// A run as large as a fleet's: each check with 20 sightings of 98 bytes, as a ping through a host and two
/// routers has them, and one of 25 that was stopped by a rule.
inline RunResult large_run(std::size_t scenarios = 200, std::size_t checks = 25) {
  RunResult run;
  run.started = "2026-02-28T12:00:00Z";
  run.duration_ms = 60'000;
  for (std::size_t i = 0; i < scenarios; ++i) {
    ScenarioResult& scenario = run.scenarios.emplace_back();
    scenario.name = "scenario-" + std::to_string(i);
    scenario.file = "scenarios/" + scenario.name + ".yaml";
    scenario.setup = "native";
    scenario.about = "Containers leave by one uplink, and reach no internal network.";
    scenario.host = "host-" + std::to_string(i % 10);
    scenario.network = sample_run().scenarios.front().network;
    for (std::size_t k = 0; k < checks; ++k) {
      CheckResult& check = scenario.checks.emplace_back(k % 25 == 24 ? stopped() : passed());
      check.id = "reach container-" + std::to_string(k) + " -> internet ping";
      if (check.verdict != Verdict::pass) continue;
      check.journey.clear();
      for (std::uint8_t hop = 0; hop < 20; ++hop) {
        JourneyStep& step = check.journey.emplace_back();
        step.t_us = hop * 7;
        step.node = "node-" + std::to_string(hop / 4);
        step.interface = "eth" + std::to_string(hop % 4);
        step.direction = hop % 2 == 0 ? "out" : "in";
        step.leg = hop < 10 ? "forward" : "reply";
        step.packet = "192.168.99.11 > 203.0.113.80 ICMP echo request id " + std::to_string(i * checks + k) +
                      " seq 1, ttl " + std::to_string(64 - hop / 4);
        step.frame = {276, 104, {0x08, 0x00, 0,   0,   0,    0,    0,    hop, 0,    1,    4, 6, 2,   0,
                                 0,    0,    0,   hop, 0,    0,  // link
                                 0x45, 0,    0,   84,  0x1A, 0x2B, 0x40, 0,   64,   1,    0, 0, 192, 168,
                                 99,   11,   203, 0,   113,  80,   8,    0,   0xF7, 0xFD, 0, 1, 0,   1}};
        for (std::uint8_t at = 0; step.frame.bytes.size() < 104; ++at) step.frame.bytes.push_back(at);
      }
    }
  }
  return run;
}

}  // namespace plumbline::engine::samples
