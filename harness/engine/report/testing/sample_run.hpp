#pragma once

#include "harness/engine/check/result.hpp"

/// A run with every verdict and every kind of evidence, for the tests of the reports.
namespace plumbline::engine::samples {

inline CheckResult check(std::string type, std::string from, std::string to, std::string with,
                         Verdict verdict) {
  CheckResult result;
  result.id = type + " " + from + " -> " + to + " " + with;
  result.type = std::move(type);
  result.from = std::move(from);
  result.to = std::move(to);
  result.with = std::move(with);
  result.verdict = verdict;
  result.where = "scenarios/two-uplinks.yaml:12:5";
  return result;
}

inline CheckResult passed() {
  CheckResult result = check("reach", "host", "container-one", "ping", Verdict::pass);
  result.expected = "a reply";
  result.observed = "replied";
  result.duration_ms = 0.412;
  result.journey = {
      {0, "host", "bridge0", "out", "192.168.99.1 > 192.168.99.11 ICMP echo request, ttl 64"},
      {31, "container-one", "eth0", "in", "192.168.99.1 > 192.168.99.11 ICMP echo request, ttl 64"},
      {58, "container-one", "eth0", "out", "192.168.99.11 > 192.168.99.1 ICMP echo reply, ttl 64"},
  };
  return result;
}

inline CheckResult failed() {
  CheckResult result = check("deny", "container-one", "10.1.2.3", "tcp/80", Verdict::fail);
  result.expected = "rejected by host before it leaves by an uplink";
  result.observed =
      "connected: the probe left host by ens4 and intranet answered it with its own bytes, so nothing was in "
      "its way";
  result.duration_ms = 1.2034;
  result.journey = {
      {0, "container-one", "eth0", "out", "192.168.99.11:40001 > 10.1.2.3:80 TCP SYN, seq 305419896, ttl 64"},
      {42, "host", "veth-one", "in", "192.168.99.11:40001 > 10.1.2.3:80 TCP SYN, seq 305419896, ttl 64"},
      {44, "host", "br0", "other-host", "192.168.99.11:40001 > 10.1.2.3:80 TCP SYN, seq 305419896, ttl 64"},
      {1203, "host", "ens4", "out", "192.168.16.10:40001 > 10.1.2.3:80 TCP SYN, seq 305419896, ttl 63"},
      {1000250, "intranet", "eth0", "in", "192.168.16.10:40001 > 10.1.2.3:80 TCP SYN, seq 305419896, ttl 62",
       "forward", "source", "checksum left to the device"},
  };
  const std::string packet = "192.168.99.11:40001 > 10.1.2.3:80 TCP SYN, seq 305419896, ttl 63";
  result.kernel = {
      {"host", "ip filter", "FORWARD", "log prefix \"[FORWARD] \"", 4, "", std::nullopt, "continue", "", "",
       "forward", "forward", "bridge0", "ens4", "[FORWARD] ", packet, 3},
      {"host", "ip filter", "FORWARD", "iifname \"bridge0\" counter accept", 5, "what comes from containers",
       7, "accept", "", "", "forward", "forward", "bridge0", "ens4", std::nullopt, packet, 3},
      {"host", "", "", "", 0, "", std::nullopt, "accept", "", "", "prerouting", "reply", "ens4", "",
       std::nullopt, packet, 5},
      {"host", "", "", "", 0, "", std::nullopt, "", "NO_SOCKET", "tcp_v4_rcv", "", "forward", "", "",
       std::nullopt, "", 5}};
  result.control = Control{"lan-peer", "10.1.2.3", "tcp/80", Verdict::pass, "connected"};
  result.stopped = "nobody";
  result.causes = {
      Cause{"deny-rule-missing",
            "no rule of host rejects 10.0.0.0/8 before the rule that accepts what comes from bridge0",
            {"the probe left by ens4", "FORWARD accepted it by its first rule"},
            "nft insert rule ip filter FORWARD iifname bridge0 ip daddr 10.0.0.0/8 reject\nnft list chain ip "
            "filter FORWARD",
            true}};
  result.trace = "plumbline-out/two-uplinks.native/deny-container-one-10.1.2.3-tcp-80.pcapng";
  return result;
}

inline RunResult sample_run() {
  RunResult run;
  ScenarioResult scenario;
  scenario.name = "two-uplinks";
  scenario.file = "scenarios/two-uplinks.yaml";
  scenario.setup = "native";
  scenario.about =
      "Containers leave by ens5, never reach internal networks, and still resolve names in spite of that "
      "firewall.";
  scenario.build_ms = 12.5;
  scenario.checks_ms = 30.25;
  scenario.teardown_ms = 0.75;
  CheckResult inconclusive = check("deny", "container-two", "172.16.5.5", "udp/53", Verdict::inconclusive);
  inconclusive.expected = "rejected";
  inconclusive.observed = "nothing came back, but neither did it for the control";
  inconclusive.duration_ms = 1001.4;
  inconclusive.control = Control{"lan-peer", "172.16.5.5", "udp/53", Verdict::fail, "timeout"};
  CheckResult skipped =
      check("egress", "container-one", "internet",
            "ping via ens5 as 192.168.17.10, translated back to the container", Verdict::skip);
  skipped.observed = "this kernel has no IPv6";
  CheckResult error = check("resolve", "container-one", "www.example.test", "udp", Verdict::error);
  error.observed = "node container-one: socket: Permission denied";
  error.duration_ms = 12.44;
  scenario.checks = {passed(), failed(), inconclusive, skipped, error};
  ScenarioResult broken;
  broken.name = "broken";
  broken.file = "scenarios/broken.yaml";
  broken.setup = "native";
  broken.error = ScenarioError{"host: nft:3:9: syntax error, unexpected string\n  flurb rule\n  ^^^^^",
                               "scenarios/broken.yaml:7:3", "correct the ruleset under `nft:`"};
  run.scenarios = {scenario, broken};
  run.duration_ms = 1043.21;
  return run;
}

/// Twice, with every member of every result set to something of its own, but for what JSON cannot tell.
inline RunResult everything() {
  RunResult run;
  for (const std::size_t repetition : {1U, 2U}) {
    ScenarioResult scenario = sample_run().scenarios.front();
    scenario.repetition = repetition;
    for (CheckResult& check : scenario.checks) check.family = "ipv6";
    scenario.checks[1].duration_ms = 1.203;
    scenario.checks[2].verdict = repetition == 1 ? Verdict::inconclusive : Verdict::pass;
    scenario.changes = {
        {"delete-link host:veth1", "scenarios/two-uplinks.yaml:14:5", 3, repetition == 1, 0.5}};
    run.scenarios.push_back(scenario);
    scenario = sample_run().scenarios.back();
    scenario.repetition = repetition;
    scenario.error->kind = ErrorKind::setup;
    run.scenarios.push_back(scenario);
  }
  run.repetitions = 2;
  run.interrupted = true;
  run.duration_ms = 2043.21;
  return run;
}

/// Whatever a packet, a spec or a kernel might hold.
inline RunResult hostile_run() {
  const std::string hostile = "a\x1b[2J\r\nPASS  forged\xff\xe2\x80\xae\"</script>\\";
  RunResult run;
  ScenarioResult scenario;
  scenario.name = scenario.file = scenario.setup = scenario.about = hostile;
  CheckResult result = failed();
  result.id = result.expected = result.observed = result.where = result.trace = hostile;
  result.type = result.from = result.to = result.with = hostile;
  result.journey = {{-3, hostile, hostile, hostile, hostile, "error", hostile, hostile}};
  result.kernel = {{hostile, hostile, hostile, hostile, 1, hostile, 1, hostile, hostile, hostile, "input",
                    "error", hostile, hostile, hostile, hostile, 1}};
  result.control = Control{hostile, hostile, hostile, Verdict::inconclusive, hostile};
  result.stopped = hostile;
  result.causes = {Cause{hostile, hostile, {hostile}, hostile, true}};
  scenario.checks = {result};
  scenario.error = ScenarioError{hostile, hostile, hostile};
  run.scenarios = {scenario};
  return run;
}

}  // namespace plumbline::engine::samples
