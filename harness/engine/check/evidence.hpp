#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/engine/check/promise.hpp"
#include "harness/engine/check/relay.hpp"
#include "harness/engine/check/result.hpp"
#include "harness/network/topology/model.hpp"
#include "harness/proof/journey/journey.hpp"
#include "harness/proof/witness/kernel_path.hpp"
#include "harness/traffic/probe/probe.hpp"

namespace plumbline::engine {

/// Where a probe goes: the address, and which node answers for it as far as that is known.
struct Target {
  std::string text;  ///< as the spec names it
  IpAddress address;
  std::string node;    ///< empty: no node that we can watch
  unsigned scope = 0;  ///< of a link-local IPv6 address: the sender's interface towards it, by its index
};

/// Why absence from `journey` proves nothing: frames were lost, or not even the probe's leaving `from` was
/// seen, as it must be of a probe that was answered. Absent: the taps saw what they should.
std::optional<std::string> blind_spot(const proof::Journey& journey, const std::string& from);

/// All that is known about one probe after it ended.
struct Evidence {
  std::string from;
  Target to;
  Service with;
  traffic::ProbeOutcome outcome;
  proof::Journey journey;
  proof::KernelPath kernel;  ///< what the kernels of traced nodes did with it
  /// The node whose planted or simulated server got the probe, the target or another; empty: none did.
  std::string delivered_to;
  std::optional<IpAddress> delivered_from;  ///< as that server saw it, behind NAT and proxies
  /// Of a live host: what is asked there is no server of ours. It takes connections, and need not echo.
  bool by_service = false;
  std::optional<Relay> relay;        ///< of such a service behind a proxy: who led the connection on to it
  bool went_beyond = false;          ///< last seen leaving for where nobody watches
  bool ended_early = false;          ///< before its time-out, since a kernel told that it dropped it
  std::optional<std::size_t> watch;  ///< by which the stage knows it; absent: it was never sent
  traffic::Nonce nonce = 0;

  /// The far end's answer came back: our own bytes, or what our request asked for.
  bool answered() const;
  /// More than nothing came back: an answer, or a TCP connection that was made and then stayed silent.
  bool got_through() const;
  /// "container-one:eth0 out": where the probe was last seen on its way out, or that it never was.
  std::string furthest() const;
  /// `blind_spot` of this probe.
  std::optional<std::string> blind() const { return blind_spot(journey, from); }
};

/// The same for a DNS question.
struct DnsEvidence {
  std::string from;
  Target server;
  std::string name;
  traffic::DnsOutcome outcome;
  proof::Journey journey;
  proof::KernelPath kernel;
  std::optional<std::size_t> watch;  ///< by which the stage knows it; absent: it was never sent
};

/// Takes out of the journey of a probe that a rule has stopped the address resolution that others asked for
/// after that.
void leave_out_later_questions(proof::Journey& journey, const proof::KernelPath& kernel);

struct Judgement {
  Verdict verdict = Verdict::inconclusive;
  std::string observed;
};

/// Why an answer does not prove that `to` gave it: it came from another node, or none was seen to give it
/// though the taps would have. Absent: `to` answered, or, where no node of ours holds the address, what is
/// there did: its answer came in from beyond with that address and, unless that is 0, with `port`.
std::optional<std::string> wrong_answerer(const proof::Journey& journey, const Target& to,
                                          std::uint16_t port = 0);

/// "forward", "reply", "error", "neighbour".
const char* leg_text(proof::Leg leg);

/// The journey as reports show it, times relative to its first sighting. `topology` tells the interfaces'
/// MTUs; null: they are not known. Translated is what differs from where its leg was seen first.
std::vector<JourneyStep> steps(const proof::Journey& journey, const network::Topology* topology);

/// "host:ens4".
std::string place(const proof::Sighting& sighting);

}  // namespace plumbline::engine
