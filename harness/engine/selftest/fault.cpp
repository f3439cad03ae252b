#include "harness/engine/selftest/fault.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "harness/base/text.hpp"
#include "harness/engine/run/data.hpp"
#include "harness/engine/run/runner.hpp"
#include "harness/proof/cause/kinds.hpp"

namespace plumbline::engine::selftest {
namespace {

constexpr std::string_view kHealthy = "healthy";

std::vector<std::string> read_texts(const spec::Value& value, std::string_view what) {
  std::vector<std::string> texts;
  for (const spec::Value& each : value.as_list()) {
    texts.push_back(each.as_text(what));
    if (texts.back().empty()) each.fail(fmt::format("'{}' is empty", what));
  }
  if (texts.empty()) value.fail(fmt::format("'{}' names nothing", what));
  return texts;
}

std::vector<std::string> read_causes(const spec::Value& value) {
  std::vector<std::string_view> codes;
  for (const proof::CauseKind& kind : proof::cause_kinds()) codes.push_back(kind.code);
  std::vector<std::string> causes;
  for (const spec::Value& each : value.as_list()) {
    causes.emplace_back(codes[each.as_word("cause", codes)]);
  }
  return causes;
}

std::vector<Verdict> read_verdicts(const spec::Value* value) {
  constexpr std::array<std::string_view, 2> words{"fail", "inconclusive"};
  constexpr std::array<Verdict, 2> verdicts{Verdict::fail, Verdict::inconclusive};
  if (value == nullptr) return {Verdict::fail};
  std::vector<Verdict> read;
  for (const spec::Value& each : value->as_list()) read.push_back(verdicts[each.as_word("verdict", words)]);
  return read;
}

Expectation read_expectation(const spec::Value& item) {
  constexpr std::array<std::string_view, 6> keys{"checks", "except",     "verdict",
                                                 "cause",  "indistinct", "some"};
  item.as_mapping("what is expected");
  item.allow_keys("what is expected", keys);
  Expectation expected;
  expected.mark = item.mark;
  expected.checks = read_texts(item.require("checks", "what is expected"), "checks");
  if (const spec::Value* except = item.find("except")) expected.except = read_texts(*except, "except");
  expected.verdicts = read_verdicts(item.find("verdict"));
  if (const spec::Value* cause = item.find("cause")) expected.causes = read_causes(*cause);
  if (const spec::Value* why = item.find("indistinct")) expected.indistinct = why->as_text("indistinct");
  if (const spec::Value* some = item.find("some")) expected.some = some->as_number("some", 1, 1'000'000);
  const bool fails = std::ranges::find(expected.verdicts, Verdict::fail) != expected.verdicts.end();
  if (fails && expected.causes.empty()) item.fail("a check that is to fail must name a 'cause'");
  if ((expected.causes.size() > 1 || expected.verdicts.size() > 1) && expected.indistinct.empty()) {
    item.fail("several verdicts or causes: say why no evidence tells them apart, with 'indistinct'");
  }
  return expected;
}

/// A glob about nothing would be forgotten.
void require_known(const Fault& fault, const std::vector<CheckResult>& checks) {
  for (const Expectation& expected : fault.expected) {
    for (const auto* globs : {&expected.checks, &expected.except}) {
      for (const std::string& glob : *globs) {
        const auto about = [&](const CheckResult& check) { return glob_matches(glob, check.id); };
        if (std::ranges::any_of(checks, about)) continue;
        throw spec::SpecError(expected.mark, fmt::format("'{}' is about no check of {} with setup {}", glob,
                                                         fault.spec.file, setup_name(fault.spec)));
      }
    }
  }
}

std::vector<spec::Spec> wanted_setups(std::vector<spec::Spec> specs, const spec::Value* wanted) {
  if (wanted == nullptr) {
    specs.resize(1);
    return specs;
  }
  std::vector<std::string> names;
  for (const spec::Spec& spec : specs) names.push_back(setup_name(spec));
  const std::vector<std::string_view> words(names.begin(), names.end());
  std::vector<spec::Spec> chosen;
  for (const spec::Value& each : wanted->as_list()) chosen.push_back(specs[each.as_word("setup", words)]);
  return chosen;
}

std::vector<spec::Spec> load_scenario(const spec::Value& name, const spec::LoadOptions& options) {
  try {
    return spec::load_specs(shipped_scenario(name.as_text("scenario")), options);
  } catch (const spec::SpecError&) {
    throw;
  } catch (const Error& error) {
    name.fail(error.what());
  }
}

/// Two runs of one report must be told apart by their name and setup.
void place(Fault& fault, const std::string& stem) {
  fault.id = fmt::format("{}/{}", fault.kind, stem);
  fault.spec.name = stem;
}

}  // namespace

bool Expectation::is_about(std::string_view check) const {
  const auto matches = [&](const std::string& glob) { return glob_matches(glob, check); };
  return std::ranges::any_of(checks, matches) && std::ranges::none_of(except, matches);
}

const std::vector<std::string_view>& fault_classes() {
  static const std::vector<std::string_view> classes{"link",     "layer2", "address", "route",  "sysctl",
                                                     "firewall", "nat",    "dns",     "timing", kHealthy};
  return classes;
}

std::vector<Fault> load_fault(const std::string& file, const spec::LoadOptions& options) {
  constexpr std::array<std::string_view, 7> keys{"version", "about",  "class", "scenario",
                                                 "setup",   "change", "expect"};
  const spec::Value document = spec::load_yaml(file);
  document.as_mapping("a fault");
  document.allow_keys("a fault", keys);
  document.require("version", "a fault").as_number("version", 1, 1);
  const std::span<const std::string_view> classes(fault_classes().data(), fault_classes().size() - 1);
  std::vector<spec::CheckItem> changes = spec::read_changes(document.require("change", "a fault"), options);
  for (spec::CheckItem& change : changes) change.fault = true;
  Fault fault;
  fault.file = file;
  fault.mark = document.mark;
  fault.about = document.require("about", "a fault").as_text("about");
  fault.kind = classes[document.require("class", "a fault").as_word("class", classes)];
  const spec::Value& expect = document.require("expect", "a fault");
  for (const spec::Value& item : expect.as_list()) fault.expected.push_back(read_expectation(item));
  if (fault.expected.empty()) expect.fail("a fault that nobody is to notice is none");
  std::vector<Fault> faults;
  const std::vector<spec::Spec> specs =
      wanted_setups(load_scenario(document.require("scenario", "a fault"), options), document.find("setup"));
  for (const spec::Spec& spec : specs) {
    Fault& with = faults.emplace_back(fault);
    with.spec = spec;
    with.spec.checks.insert(with.spec.checks.begin(), changes.begin(), changes.end());
    require_known(with, promises(with.spec, {}));
    place(with, std::filesystem::path(file).stem().string());
  }
  return faults;
}

std::vector<Fault> load_healthy(const std::string& file, const spec::LoadOptions& options) {
  std::vector<Fault> faults;
  for (spec::Spec& spec : spec::load_specs(file, options)) {
    Fault& fault = faults.emplace_back();
    fault.about = spec.about;
    fault.kind = kHealthy;
    fault.file = file;
    fault.spec = std::move(spec);
    static_cast<void>(promises(fault.spec, {}));  // reads the checks' arguments
    place(fault, std::filesystem::path(file).stem().string());
  }
  return faults;
}

}  // namespace plumbline::engine::selftest
