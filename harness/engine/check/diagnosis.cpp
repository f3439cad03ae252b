#include "harness/engine/check/diagnosis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/engine/check/check.hpp"
#include "harness/proof/cause/kinds.hpp"
#include "harness/proof/diagnosis/reading.hpp"

namespace plumbline::engine {

namespace {

std::string tuple_text(const proof::Translation::Tuple& tuple) {
  const auto end = [](const IpAddress& address, std::uint16_t port) {
    return fmt::format(fmt::runtime(address.is_v4() ? "{}:{}" : "[{}]:{}"), address.to_string(), port);
  };
  return fmt::format("{} > {}", end(tuple.source, tuple.source_port),
                     end(tuple.destination, tuple.destination_port));
}

Tracked told(const proof::Translation& known) {
  return {known.node, tuple_text(known.original), tuple_text(known.reply), known.answered};
}

void add_counts(proof::Facts& facts, std::vector<KernelEvent>& events) {
  for (KernelEvent& event : events) {
    if (event.handle == 0) continue;
    for (const proof::Chain& chain : facts.chains(event.node)) {
      if (chain.name != event.chain || chain.family + " " + chain.table != event.table) continue;
      const auto rule = std::ranges::find(chain.rules, event.handle, &proof::Chain::Rule::number);
      if (rule != chain.rules.end()) event.packets = rule->packets;
    }
  }
}

}  // namespace

proof::Case case_of(const Evidence& evidence, proof::Case::Promise promise) {
  proof::Case question;
  question.promise = promise;
  question.from = evidence.from;
  question.to = evidence.to.address;
  question.to_node = evidence.to.node;
  question.protocol = evidence.with.protocol;
  question.port = evidence.with.port;
  question.payload_bytes = evidence.with.payload_bytes;
  question.outcome = evidence.outcome;
  question.journey = evidence.journey;
  question.kernel = evidence.kernel;
  question.delivered_to = evidence.delivered_to;
  question.watch = evidence.watch;
  return question;
}

proof::Case case_of(const DnsEvidence& evidence) {
  proof::Case question;
  question.promise = proof::Case::Promise::resolve;
  question.from = evidence.from;
  question.to = evidence.server.address;
  question.to_node = evidence.server.node;
  question.port = 53;
  question.name = evidence.name;
  question.dns = evidence.outcome;
  question.outcome.status = evidence.outcome.status == traffic::DnsOutcome::Status::timeout
                                ? traffic::ProbeOutcome::Status::timeout
                            : evidence.outcome.status == traffic::DnsOutcome::Status::icmp_error
                                ? traffic::ProbeOutcome::Status::icmp_error
                            : evidence.outcome.status == traffic::DnsOutcome::Status::local_error
                                ? traffic::ProbeOutcome::Status::local_error
                            : evidence.outcome.status == traffic::DnsOutcome::Status::refused_connection
                                ? traffic::ProbeOutcome::Status::refused
                                : traffic::ProbeOutcome::Status::replied;
  question.outcome.icmp = evidence.outcome.icmp;
  question.outcome.error_number = evidence.outcome.error_number;
  question.outcome.identity = evidence.outcome.identity;
  question.outcome.duration = evidence.outcome.duration;
  question.watch = evidence.watch;
  question.journey = evidence.journey;
  question.kernel = evidence.kernel;
  return question;
}

boost::asio::awaitable<void> learn_more(Stage& stage, Outcome& outcome, CheckResult& result) {
  if (!outcome.question) co_return;
  proof::Case& question = *outcome.question;
  try {
    co_await stage.ask_otherwise(question);
    co_await stage.await_late_answer(question);
    outcome.journey = question.journey;
  } catch (const Error& error) {
    result.incomplete.push_back(fmt::format("what came later: {}", error.what()));
  }
}

bool is_unexplained(const proof::Case& question) {
  if (!question.was_sent()) return false;
  if (question.outcome.status != traffic::ProbeOutcome::Status::timeout) return false;
  return question.kernel.drops.empty() && question.kernel.counters.empty() &&
         !proof::stopper(question.kernel);
}

namespace {

void look_for_causes(proof::Case question, Stage& stage, LiveFacts& facts, CheckResult& result) {
  if (const network::Node* host = stage.topology().host()) question.host = host->name;
  question.kernel.translations = stage.translations(question.journey);
  add_counts(facts, result.kernel);
  for (const proof::Translation& known : question.kernel.translations)
    result.conntrack.push_back(told(known));
  for (proof::Diagnosis& each : proof::diagnose(question, facts, proof::cause_kinds())) {
    Cause& cause = result.causes.emplace_back();
    cause.code = each.code;
    cause.summary = std::move(each.finding.summary);
    cause.evidence = std::move(each.finding.evidence);
    cause.fix = fmt::format("{}", fmt::join(each.finding.fix, "\n"));
    cause.proven = each.finding.certainty == proof::Certainty::proven;
  }
}

}  // namespace

void find_causes(proof::Case question, Stage& stage, CheckResult& result) {
  LiveFacts facts(stage);
  find_causes(std::move(question), stage, facts, result);
}

void find_causes(proof::Case question, Stage& stage, LiveFacts& facts, CheckResult& result) {
  try {
    look_for_causes(std::move(question), stage, facts, result);
  } catch (const Error& error) {
    // The verdict stands, whatever keeps it from being explained.
    result.incomplete.push_back(fmt::format("causes: {}", error.what()));
  }
}

}  // namespace plumbline::engine
