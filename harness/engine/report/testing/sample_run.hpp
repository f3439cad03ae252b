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
      {1000250,
       "intranet",
       "eth0",
       "in",
       "192.168.16.10:40001 > 10.1.2.3:80 TCP SYN, seq 305419896, ttl 62",
       "forward",
       "source",
       "bad checksum",
       {101, 1514, {0x45, 0x00, 0xFF}}},
  };
  const std::string packet = "192.168.99.11:40001 > 10.1.2.3:80 TCP SYN, seq 305419896, ttl 63";
  result.kernel = {
      {"host", "ip filter", "FORWARD", "log prefix \"[FORWARD] \"", 4, "", std::nullopt, "continue", "", "",
       "forward", "forward", "bridge0", "ens4", "[FORWARD] ", packet, 3},
      {"host", "ip filter", "FORWARD", "iifname \"bridge0\" counter accept", 5, "what comes from containers",
       7, "accept", "", "", "forward", "forward", "bridge0", "ens4", std::nullopt, packet, 3},
      {"host", "", "", "", 0, "", std::nullopt, "accept", "", "", "prerouting", "reply", "ens4", "",
       std::nullopt, packet, 5},
      {"host", "", "", "", 0, "", std::nullopt, "", "NO_SOCKET", "tcp_v4_rcv", "", "reply", "", "",
       std::nullopt, "", 5}};
  result.conntrack = {
      {"host", "192.168.99.11:40001 > 10.1.2.3:80", "10.1.2.3:80 > 192.168.16.10:40001", true}};
  result.control = Control{"lan-peer", "10.1.2.3", "tcp/80", Verdict::pass, "connected"};
  result.stopped = "host (the answer): kernel drop reason NO_SOCKET in tcp_v4_rcv";
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

/// Stopped by a rule in a chain of the user's; many others let it pass.
inline CheckResult stopped() {
  CheckResult result = check("reach", "container-one", "internet", "tcp/80", Verdict::fail);
  result.expected = "tcp/80 from container-one arrives at internet and is answered";
  result.observed = "timeout; last seen at host:bridge0 in";
  result.duration_ms = 1003.2;
  const auto step = [&](std::int64_t t_us, const char* node, const char* interface, const char* direction,
                        const std::string& packet) {
    JourneyStep one;
    one.t_us = t_us;
    one.node = node;
    one.interface = interface;
    one.direction = direction;
    one.packet = packet;
    one.leg = "forward";
    result.journey.push_back(one);
  };
  const auto met = [&](const char* chain, const std::string& rule, std::uint64_t handle,
                       const char* verdict) {
    KernelEvent event;
    event.node = "host";
    event.table = "ip filter";
    event.chain = chain;
    event.rule = rule;
    event.handle = handle;
    event.verdict = verdict;
    event.hook = "forward";
    event.leg = "forward";
    event.iif = "bridge0";
    event.oif = "ens5";
    event.after = 2;
    result.kernel.push_back(event);
  };
  const std::string sent = "192.168.99.11:40001 > 203.0.113.80:80 TCP SYN seq 1000, ttl 64";
  step(0, "container-one", "eth0", "out", sent);
  step(18, "host", "bridge0", "in", sent);
  met("FORWARD", "iifname \"bridge0\" jump GUARD", 4, "jump GUARD");
  for (std::uint64_t i = 0; i < 8; ++i) {
    met("GUARD", "ip daddr 10." + std::to_string(i) + ".0.0/16 drop", 20 + i, "continue");
  }
  met("GUARD", "", 0, "return");
  result.kernel.back().rule = "return";
  met("FORWARD", "oifname \"ens4\" accept", 5, "continue");
  met("FORWARD", "counter drop", 6, "drop");
  result.kernel.back().packets = 3;
  result.kernel.back().comment = "whatever is left";
  KernelEvent drop;
  drop.node = "host";
  drop.drop_reason = "NETFILTER_DROP";
  drop.function = "nft_do_chain";
  drop.leg = "forward";
  drop.after = 2;
  result.kernel.push_back(drop);
  result.stopped = "host forward: ip filter FORWARD handle 6: counter drop";
  Cause rule;
  rule.code = "forward-rule-drop";
  rule.summary = "a rule of host drops what is forwarded from bridge0 to ens5";
  rule.evidence = {"ip filter FORWARD handle 6 dropped it"};
  rule.fix = "nft insert rule ip filter FORWARD iifname bridge0 oifname ens5 accept";
  rule.proven = true;
  Cause uplink;
  uplink.code = "wrong-uplink";
  uplink.summary = "host sends it to ens5, and its rules expect ens4";
  uplink.evidence = {"a rule accepts what leaves by ens4"};
  uplink.fix = "ip route replace default via 192.168.16.1 dev ens4";
  result.causes = {rule, uplink};
  return result;
}

/// container-one on br0 of host, whose ens4 leads to intranet.
inline std::vector<DrawnNode> network() {
  return {{"host",
           "host",
           {{"br0", "bridge", {"192.168.99.1/24"}, "", "", true},
            {"veth-one", "veth", {}, "br0", "container-one:eth0", true},
            {"ens4", "veth", {"192.168.16.10/24", "2001:db8:16::10/64"}, "", "intranet:eth0", true}}},
          {"container-one", "container", {{"eth0", "veth", {"192.168.99.11/24"}, "", "host:veth-one", true}}},
          {"intranet", "world", {{"eth0", "veth", {"192.168.16.1/24"}, "", "host:ens4", false}}}};
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
    scenario.host = "web1";
    scenario.network = network();
    scenario.matrix = {{"tcp/80",
                        "ipv4",
                        {"host", "container-one"},
                        {"host", "10.1.2.3"},
                        {"-.", "?X"},
                        {{"host forward: ip filter FORWARD policy drop", {{1, 0}, {1, 1}}}}}};
    for (CheckResult& check : scenario.checks) check.family = "ipv6";
    scenario.checks[0].frames_lost = true;
    scenario.interrupted = true;
    scenario.checks[1].duration_ms = 1.203;
    scenario.checks[2].verdict = repetition == 1 ? Verdict::inconclusive : Verdict::pass;
    scenario.changes = {
        {"delete-link host:veth1", "scenarios/two-uplinks.yaml:14:5", 3, repetition == 1, 0.5}};
    run.scenarios.push_back(scenario);
    scenario = sample_run().scenarios.back();
    scenario.repetition = repetition;
    scenario.host = "web1";
    scenario.error->kind = ErrorKind::setup;
    run.scenarios.push_back(scenario);
  }
  run.repetitions = 2;
  run.started = "2026-02-28T12:00:00Z";
  run.interrupted = true;
  run.duration_ms = 2043.21;
  return run;
}

/// The same from two hosts, beside an earlier run.
inline RunResult merged_run() {
  RunResult run = everything();
  // Another host has one of the checks too, and came to another verdict.
  ScenarioResult beside = run.scenarios.front();
  beside.host = "web2";
  beside.interrupted = false;
  beside.checks[2].verdict = Verdict::pass;
  beside.checks[1].verdict = Verdict::pass;
  run.scenarios.push_back(beside);
  run.baseline = Baseline{"old.json",
                          "2026-02-27T12:00:00Z",
                          9,
                          1,
                          {{"web1",
                            "two-uplinks",
                            "native",
                            "deny container-one -> 10.1.2.3 tcp/80",
                            Verdict::pass,
                            Verdict::fail,
                            {"host:ens4 out, source translated"},
                            {"host forward ip filter FORWARD: ip daddr 10.0.0.0/8 drop → drop"}},
                           {"web1",
                            "two-uplinks",
                            "native",
                            "reach host -> container-one ping",
                            std::nullopt,
                            Verdict::pass,
                            {},
                            {}},
                           {"web1",
                            "two-uplinks",
                            "native",
                            "reach host -> container-three ping",
                            Verdict::pass,
                            std::nullopt,
                            {},
                            {}}}};
  return run;
}

/// Whatever a packet, a spec or a kernel might hold.
inline RunResult hostile_run() {
  const std::string hostile = "a\x1b[2J\r\nPASS  forged\xff\xe2\x80\xae\"</script>\\";
  RunResult run;
  ScenarioResult scenario;
  scenario.name = scenario.file = scenario.setup = scenario.about = scenario.host = hostile;
  scenario.network = {{hostile, "host", {{hostile, hostile, {hostile}, hostile, hostile, true}}}};
  scenario.matrix = {{hostile, "ipv4", {hostile}, {hostile}, {"!"}, {{hostile, {{0, 0}}}}}};
  CheckResult result = failed();
  result.id = result.expected = result.observed = result.where = result.trace = hostile;
  result.type = result.from = result.to = result.with = hostile;
  result.journey = {{-3, hostile, hostile, hostile, hostile, "error", hostile, hostile}};
  result.kernel = {{hostile, hostile, hostile, hostile, 1, hostile, 1, hostile, hostile, hostile, "input",
                    "error", hostile, hostile, hostile, hostile, 1}};
  result.incomplete = {hostile};
  result.conntrack = {{hostile, hostile, hostile, true}};
  result.control = Control{hostile, hostile, hostile, Verdict::inconclusive, hostile};
  result.stopped = hostile;
  result.causes = {Cause{hostile, hostile, {hostile}, hostile, true}};
  scenario.checks = {result};
  scenario.error = ScenarioError{hostile, hostile, hostile};
  run.scenarios = {scenario};
  run.baseline =
      Baseline{hostile,
               hostile,
               1,
               1,
               {{hostile, hostile, hostile, hostile, Verdict::pass, Verdict::fail, {hostile}, {hostile}}}};
  return run;
}

}  // namespace plumbline::engine::samples
