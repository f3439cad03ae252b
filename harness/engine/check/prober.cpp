#include "harness/engine/check/prober.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <optional>
#include <set>
#include <utility>

#include "harness/engine/check/tcp_connections.hpp"

namespace plumbline::engine {
namespace {

using boost::asio::awaitable;

/// On the clock of the taps' timestamps.
std::uint64_t now_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

proof::Key key_for(const traffic::ProbeRequest& request, const traffic::ProbeIdentity& identity) {
  if (request.protocol == traffic::Protocol::tcp) {
    return proof::TcpKey{identity.source_port, request.port, request.to, identity.initial_sequence};
  }
  return proof::NonceKey{request.nonce, identity.source_port, request.port};
}

}  // namespace

awaitable<Evidence> Prober::exchange(std::string from, Target to, Service with, Until until, bool echoes,
                                     RelaySearch* relays) {
  traffic::ProbeRequest request;
  request.from = &network_.netns(from);
  request.protocol = with.protocol;
  request.to = to.address;
  request.port = with.port;
  request.scope = to.scope;
  request.nonce = traffic::next_nonce();
  request.timeout = options_.timeout;
  if (with.payload_bytes != 0) {
    request.payload_bytes = with.payload_bytes;
    request.whole = true;
  }
  request.exchange = echoes;
  std::uint16_t source_port = 0;
  const std::chrono::milliseconds at_most = options_.timeout / 2;
  if (relays != nullptr) {
    request.connected = [relays, with, at_most, &source_port] {
      return relays->look(source_port, with.port, at_most);
    };
  }
  std::optional<proof::WatchId> watch;
  KernelReports::Impatience impatience(reports_, until);
  request.recall = impatience.recall();
  const std::function<void(const traffic::ProbeIdentity&)> ready =
      [&](const traffic::ProbeIdentity& identity) {
        source_port = identity.source_port;
        watch = taps_.observer().watch(key_for(request, identity), now_ns());
        impatience.await(*watch);
      };
  const std::uint64_t lost_before = taps_.frames_known_lost();
  const KernelReports::Mark traced_before = reports_.mark();
  Evidence evidence;
  evidence.outcome = co_await traffic::probe(request, ready);
  evidence.ended_early = impatience.was_early();
  evidence.watch = watch;
  evidence.nonce = request.nonce;
  evidence.journey = taps_.journey(watch, from, request.to, lost_before);
  evidence.kernel = reports_.path(watch, from, traced_before);
  leave_out_later_questions(evidence.journey, evidence.kernel);
  evidence.delivered_to = listeners_.delivered_to(request.nonce);
  evidence.delivered_from = listeners_.delivered_from(request.nonce);
  if (evidence.delivered_to.empty() && !evidence.ended_early)
    evidence.delivered_to = half_open_at(with, evidence);
  evidence.from = std::move(from);
  evidence.to = std::move(to);
  evidence.with = with;
  co_return evidence;
}

awaitable<Evidence> Prober::question(std::string from, Target to, Service with, Until until) {
  using Dns = traffic::DnsOutcome::Status;
  using Status = traffic::ProbeOutcome::Status;
  const traffic::Nonce nonce = traffic::next_nonce();
  traffic::DnsRequest request;
  request.from = &network_.netns(from);
  request.server = to.address;
  request.port = with.port;
  request.name = traffic::nonce_text(nonce) + ".plumbline.test";
  request.id = static_cast<std::uint16_t>(random_());
  request.timeout = options_.timeout;
  traffic::DnsOutcome answer;
  Evidence evidence;
  KernelReports::Impatience impatience(reports_, until);
  request.recall = impatience.recall();
  evidence.nonce = nonce;
  const std::function<void(proof::WatchId)> sent = [&](proof::WatchId watch) {
    evidence.watch = watch;
    impatience.await(watch);
  };
  evidence.journey = co_await ask(request, from, answer, evidence.kernel, sent);
  evidence.ended_early = impatience.was_early();
  const bool no_response = answer.status == Dns::timeout;
  evidence.outcome.status = answer.status == Dns::icmp_error    ? Status::icmp_error
                            : answer.status == Dns::local_error ? Status::local_error
                            : no_response                       ? Status::timeout
                                                                : Status::replied;
  evidence.outcome.identity = answer.identity;
  evidence.outcome.icmp = answer.icmp;
  evidence.outcome.error_number = answer.error_number;
  evidence.outcome.attempted = answer.attempted;
  evidence.outcome.duration = answer.duration;
  evidence.delivered_to = listeners_.delivered_to(nonce);
  evidence.from = std::move(from);
  evidence.to = std::move(to);
  evidence.with = with;
  co_return evidence;
}

awaitable<DnsEvidence> Prober::resolve(std::string from, Target server, std::string name, bool tcp,
                                       IpFamily family) {
  traffic::DnsRequest request;
  request.from = &network_.netns(from);
  request.server = server.address;
  request.name = mix_case(name);
  request.aaaa = family == IpFamily::v6;
  request.id = static_cast<std::uint16_t>(random_());
  request.transport = tcp ? traffic::DnsTransport::tcp : traffic::DnsTransport::udp;
  request.timeout = options_.timeout;
  DnsEvidence evidence;
  const std::function<void(proof::WatchId)> sent = [&](proof::WatchId watch) { evidence.watch = watch; };
  evidence.journey = co_await ask(request, from, evidence.outcome, evidence.kernel, sent);
  evidence.from = std::move(from);
  evidence.server = std::move(server);
  evidence.name = std::move(name);
  co_return evidence;
}

awaitable<proof::Journey> Prober::ask(const traffic::DnsRequest& request, const std::string& from,
                                      traffic::DnsOutcome& outcome, proof::KernelPath& kernel,
                                      const std::function<void(proof::WatchId)>& sent) {
  std::optional<proof::WatchId> watch;
  const std::function<void(const traffic::ProbeIdentity&)> ready =
      [&](const traffic::ProbeIdentity& identity) {
        if (request.transport == traffic::DnsTransport::tcp) {
          watch = taps_.observer().watch(
              proof::TcpKey{identity.source_port, request.port, request.server, identity.initial_sequence},
              now_ns());
        } else {
          watch = taps_.observer().watch(
              proof::DnsKey{request.id, request.name, identity.source_port, request.port}, now_ns());
        }
        sent(*watch);
      };
  const std::uint64_t lost_before = taps_.frames_known_lost();
  const KernelReports::Mark traced_before = reports_.mark();
  outcome = co_await traffic::ask(request, ready);
  proof::Journey seen = taps_.journey(watch, from, request.server, lost_before);
  kernel = reports_.path(watch, from, traced_before);
  leave_out_later_questions(seen, kernel);
  co_return seen;
}

/// A node that the probe came to and whose kernel took the SYN of a connection that never came about (its
/// answer was lost): the probe got through to it. One that sent it on did not take it; reading the table
/// costs the kernel a walk over every connection of the machine.
std::string Prober::half_open_at(const Service& with, const Evidence& evidence) const {
  if (with.protocol != traffic::Protocol::tcp) return {};
  if (evidence.outcome.status != traffic::ProbeOutcome::Status::timeout) return {};
  const std::uint16_t source_port = evidence.outcome.identity.source_port;
  std::set<std::string> passed;
  for (const proof::Sighting& sighting : evidence.journey.sightings) {
    if (sighting.leg != proof::Leg::neighbour) passed.insert(sighting.node);
  }
  std::erase_if(passed, [&](const std::string& node) {
    const proof::Sighting* left = evidence.journey.left(node);
    return left != nullptr && left->interface != "lo" && node != evidence.to.node;
  });
  for (const std::string& node : passed) {
    for (const TcpConnection& each : tcp_connections(network_.netns(node))) {
      if (each.state == TcpConnection::State::half_open && each.remote_port == source_port) return node;
    }
  }
  return {};
}

std::string Prober::mix_case(std::string name) {
  for (char& letter : name) {
    const auto code = static_cast<unsigned char>(letter);
    if (std::isalpha(code) == 0) continue;
    letter = static_cast<char>((random_() & 1U) != 0 ? std::toupper(code) : std::tolower(code));
  }
  return name;
}

}  // namespace plumbline::engine
