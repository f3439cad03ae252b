#pragma once

#include <string>

#include "harness/engine/check/result.hpp"

/// Results for the tests of this room.
namespace plumbline::engine::testing {

inline JourneyStep step(std::string node, std::string interface, std::string direction,
                        std::string leg = "forward") {
  JourneyStep step;
  step.node = std::move(node);
  step.interface = std::move(interface);
  step.direction = std::move(direction);
  step.leg = std::move(leg);
  return step;
}

inline KernelEvent rule(std::string chain, std::string text, std::string verdict) {
  KernelEvent event;
  event.node = "host";
  event.table = "ip filter";
  event.chain = std::move(chain);
  event.rule = std::move(text);
  event.verdict = std::move(verdict);
  event.hook = "forward";
  event.leg = "forward";
  return event;
}

/// web, on a bridge of an engine's: its port and its bridge have names that are made up.
inline std::vector<DrawnNode> engine_network(const std::string& port, const std::string& bridge) {
  return {{"host",
           "host",
           {{bridge, "bridge", {"172.18.0.1/16", "fe80::1/64"}, "", "", true},
            {port, "veth", {"fe80::2/64"}, bridge, "web:eth0", true},
            {"ens4", "veth", {"192.168.16.10/24"}, "", "lan:host", true}}},
          {"web", "container", {{"eth0", "veth", {"172.18.0.2/16"}, "", "host:" + port, true}}}};
}

/// One check, "reach web -> internet", that web's packet leaves by ens4.
inline RunResult run_of(const std::string& port = "veth1", const std::string& bridge = "br0") {
  CheckResult check;
  check.id = "reach web -> internet";
  check.type = "reach";
  check.verdict = Verdict::pass;
  check.journey = {step("web", "eth0", "out"), step("host", port, "in"), step("host", bridge, "in"),
                   step("host", "ens4", "out")};
  check.kernel = {rule("FORWARD", "iifname \"" + bridge + "\" counter accept", "accept")};
  ScenarioResult scenario;
  scenario.name = "engine";
  scenario.setup = "docker";
  scenario.host = "ci-1";
  scenario.network = engine_network(port, bridge);
  scenario.checks = {check};
  RunResult run;
  run.scenarios = {scenario};
  run.started = "2026-02-28T12:00:00Z";
  run.duration_ms = 1000;
  return run;
}

inline CheckResult& check_of(RunResult& run) {
  return run.scenarios.front().checks.front();
}

}  // namespace plumbline::engine::testing
