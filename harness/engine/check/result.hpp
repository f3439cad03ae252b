#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/error.hpp"

/// What a run found out: plain data, on which reports rest.
namespace plumbline::engine {

enum class Verdict : std::uint8_t { pass, fail, inconclusive, skip, error };
/// "pass", "fail", "inconclusive", "skip", "error".
const char* to_text(Verdict verdict) noexcept;
/// Of two for the same check, the one that counts: whatever did not pass, and what was run before what was
/// not.
Verdict graver(Verdict a, Verdict b) noexcept;

/// A frame as a tap got it.
struct StepFrame {
  static constexpr std::size_t kMost = 256;  ///< bytes kept: all headers, and the payload's beginning
  std::uint16_t link_type = 0;               ///< of https://www.tcpdump.org/linktypes.html
  std::size_t length = 0;                    ///< bytes that it had on its way
  std::vector<std::uint8_t> bytes;

  friend bool operator==(const StepFrame&, const StepFrame&) = default;
};

/// One sighting of the probe's packet.
struct JourneyStep {
  std::int64_t t_us = 0;  ///< since the probe's first sighting
  std::string node;
  std::string interface;
  std::string direction;  ///< "in" or "out"; "other-host" for frames that the interface should not take
  std::string packet;     ///< the packet in one line, addresses as they are here
  std::string leg;        ///< "forward", "reply", "error" or "neighbour"
  /// What is not as the packet's sender made it: "source", "destination", "source, destination"; empty:
  /// nothing.
  std::string translated;
  std::string note;  ///< "checksum left to the device"; empty: none
  StepFrame frame;   ///< without bytes: not kept

  friend bool operator==(const JourneyStep&, const JourneyStep&) = default;
};

/// What a kernel did with a packet of the probe at one rule; or, without a table, at a hook without rules.
struct KernelEvent {
  std::string node, table, chain;  ///< table with its family: "ip filter"
  std::string rule;          ///< in the words of nft or `iptables -S`; "policy" and "return" at a chain's end
  std::uint64_t handle = 0;  ///< nftables: of the rule; iptables-legacy: its number; 0: none
  std::string comment;       ///< the rule's own
  std::optional<std::uint64_t> packets;  ///< that the rule's counter had counted; absent: it has none
  std::string verdict;
  std::string drop_reason;                ///< the kernel let go of the packet, for this reason
  std::string function;                   ///< of the kernel, that did
  std::string hook;                       ///< "forward", "bridge forward"
  std::string leg;                        ///< "forward", "reply" or "error"
  std::string iif, oif;                   ///< empty: none
  std::optional<std::string> log_prefix;  ///< it logged the packet with this prefix
  std::string packet;                     ///< in one line, addresses as they are at this hook
  std::size_t after = 0;                  ///< how many steps of the journey came before it

  friend bool operator==(const KernelEvent&, const KernelEvent&) = default;
};

/// How a node's conntrack knows the flow of a probe that did not do what was promised.
struct Tracked {
  std::string node;
  std::string
      original;  ///< "192.168.99.11:4000 > 203.0.113.80:80", as its first packet came; an echo's id as port
  std::string reply;      ///< as an answer must come
  bool answered = false;  ///< one did

  friend bool operator==(const Tracked&, const Tracked&) = default;
};

/// The positive control: differs from the check only in what is guarded.
struct Control {
  std::string from, to, with;
  Verdict verdict = Verdict::inconclusive;
  std::string observed;

  friend bool operator==(const Control&, const Control&) = default;
};

/// Why, with what shows it.
struct Cause {
  std::string code, summary;
  std::vector<std::string> evidence;
  std::string fix;      ///< commands, a line each
  bool proven = false;  ///< otherwise it is only likely: nothing speaks against it

  friend bool operator==(const Cause&, const Cause&) = default;
};

struct CheckResult {
  std::string id;    ///< unique in its scenario and stable: "deny container-one -> 10.1.2.3 tcp/80"
  std::string type;  ///< "deny"
  std::string from, to, with;
  std::string family;  ///< "ipv4" or "ipv6": of what it sends; empty: it sends nothing
  std::string where;   ///< file:line:column of the promise
  Verdict verdict = Verdict::error;
  std::string expected, observed;
  double duration_ms = 0;
  std::vector<JourneyStep> journey;
  std::vector<KernelEvent> kernel;
  std::vector<std::string>
      incomplete;            ///< which kernels could not report all, and why: what is not told may be
  bool frames_lost = false;  ///< the capture lost some: the journey may lack sightings, and `kernel` rules
  std::vector<Tracked> conntrack;  ///< in the order of the way
  std::optional<Control> control;
  std::string stopped;        ///< who stopped the probe or its answer, and where; empty: nobody, or not known
  std::vector<Cause> causes;  ///< the most certain first; empty: none was recognised
  std::string trace;          ///< path of the pcapng; empty: none written

  friend bool operator==(const CheckResult&, const CheckResult&) = default;
};

/// A change made between checks.
struct ChangeResult {
  std::string about;       ///< "delete-link host:veth1"
  std::string where;       ///< file:line:column
  std::size_t before = 0;  ///< index into the scenario's checks: the first that came after it
  bool made = false;
  double duration_ms = 0;

  friend bool operator==(const ChangeResult&, const ChangeResult&) = default;
};

/// What a picture of the network shows of an interface.
struct DrawnInterface {
  std::string name, kind;              ///< the kernel's word: "veth", "bridge"
  std::vector<std::string> addresses;  ///< with prefix lengths
  std::string master;                  ///< the bridge of the same node that it is a port of; empty: none
  /// "host:veth1": the other end of its cable, or the interface that it lies on; empty: none that is known.
  std::string peer;
  bool up = true;

  friend bool operator==(const DrawnInterface&, const DrawnInterface&) = default;
};
struct DrawnNode {
  std::string name, role;  ///< "host", "container" or "world"
  std::vector<DrawnInterface> interfaces;

  friend bool operator==(const DrawnNode&, const DrawnNode&) = default;
};

/// Why cells of a matrix are what they are: who stopped it, or what is not known.
struct MatrixReason {
  std::string text;
  std::vector<std::pair<std::size_t, std::size_t>> cells;  ///< row, column

  friend bool operator==(const MatrixReason&, const MatrixReason&) = default;
};
/// Who reaches whom by one service over one family.
struct Matrix {
  std::string with, family;           ///< "tcp/80"; "ipv4" or "ipv6"
  std::vector<std::string> from, to;  ///< nodes; `to` also addresses that promises name
  /// A text a row, a character a column: `.` allowed, `X` denied, `?` not proven, `!` differs from what was
  /// promised, `-` the node itself, a space: nothing known.
  std::vector<std::string> cells;
  std::vector<MatrixReason> reasons;

  friend bool operator==(const Matrix&, const Matrix&) = default;
};

struct ScenarioError {
  std::string message;
  std::string where;
  std::string remedy;
  ErrorKind kind = ErrorKind::internal;

  friend bool operator==(const ScenarioError&, const ScenarioError&) = default;
};

struct ScenarioResult {
  std::string name, file, setup, about;
  std::string host;            ///< the machine's name
  std::size_t repetition = 0;  ///< 1, 2, ... of a run that is repeated; 0 of one that is not
  bool interrupted = false;    ///< its own run was, where that was put together with others
  double build_ms = 0, checks_ms = 0, teardown_ms = 0;
  std::vector<CheckResult> checks;
  std::vector<ChangeResult> changes;  ///< in their order; none of a run without steps
  std::vector<DrawnNode> network;     ///< as it was read back before the first check; empty: it was not
  std::vector<Matrix>
      matrix;  ///< of all its nodes, where it was asked for; empty: its checks tell what is known
  std::optional<ScenarioError> error;  ///< it could not be run (to the end)

  friend bool operator==(const ScenarioResult&, const ScenarioResult&) = default;
};

struct Summary {
  std::size_t passed = 0, failed = 0, inconclusive = 0, skipped = 0, errors = 0;

  friend bool operator==(const Summary&, const Summary&) = default;
};

/// A check whose verdict was not the same in all repetitions.
struct Difference {
  std::string scenario, setup, check;
  std::map<Verdict, std::vector<std::size_t>> repetitions;  ///< which came to which verdict
  std::string host;                                         ///< where; empty: not told

  friend bool operator==(const Difference&, const Difference&) = default;
};

/// A check whose verdict was not the same on all hosts.
struct HostDifference {
  std::string scenario, setup, check;
  /// Which came to which verdict; of several repetitions on a host, the gravest counts.
  std::map<Verdict, std::vector<std::string>> hosts;

  friend bool operator==(const HostDifference&, const HostDifference&) = default;
};

/// What became of a check since the run that this one is compared with.
struct BaselineChange {
  std::string host, scenario, setup, check;
  std::optional<Verdict> was, is;  ///< without the first the check is new, without the second it is gone
  /// Rules and hops of its path that were not there before, and that are there no more, each in its order:
  /// "host forward ip filter FORWARD: RULE → drop", "host:ens5 out".
  std::vector<std::string> gained, lost;

  friend bool operator==(const BaselineChange&, const BaselineChange&) = default;
};

/// This run beside an earlier one.
struct Baseline {
  std::string name;            ///< of the earlier one's report
  std::string started;         ///< as RunResult::started
  std::size_t compared = 0;    ///< checks that both have
  std::size_t incomplete = 0;  ///< of those: where one of the runs could not tell all rules or hops
  std::vector<BaselineChange> changes;

  friend bool operator==(const Baseline&, const Baseline&) = default;
};

struct RunResult {
  std::vector<ScenarioResult> scenarios;
  std::string started;  ///< "2026-02-28T12:00:00Z"; empty: not told
  double duration_ms = 0;
  bool interrupted = false;
  std::size_t repetitions = 1;  ///< how often all of it was to be run
  std::optional<Baseline> baseline;

  Summary summary() const;  ///< a scenario's own error counts as one error
  /// In the order of `scenarios`. A check that was not run to a verdict (its scenario broke off, or the run
  /// was interrupted) is no difference: that is told by itself.
  std::vector<Difference> differing() const;
  /// In the order of `scenarios`.
  std::vector<HostDifference> across_hosts() const;
  /// Checks that more than one host has run.
  std::size_t shared_by_hosts() const;
  /// What it skipped, it might have run. Of a run that was interrupted, all scenarios; of several that were
  /// put together, those that say so.
  bool was_interrupted(const ScenarioResult& scenario) const;
  /// It is known of which scenarios the run was interrupted.
  bool tells_whose_interruption() const;
  /// Then each scenario must be told with its host.
  bool has_several_hosts() const;
  /// 0 all passed, 1 a check or a setup failed, 2 a scenario's own text is wrong (its ruleset), 3 this
  /// machine cannot run one, 4 none failed but some inconclusive, or all skipped or not the same in all
  /// repetitions, 5 another error, 130 interrupted.
  int exit_status() const;

  friend bool operator==(const RunResult&, const RunResult&) = default;
};

}  // namespace plumbline::engine
