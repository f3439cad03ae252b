#include "harness/engine/mutation/mutate.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <map>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/fd.hpp"
#include "harness/base/text.hpp"
#include "harness/engine/mutation/survey.hpp"
#include "harness/engine/mutation/words.hpp"
#include "harness/engine/report/reporter.hpp"

namespace plumbline::engine::mutation {
namespace {

using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// Memory that processes forked from this one share.
class SharedText {
 public:
  SharedText() : file_(::memfd_create("plumbline-survey", MFD_CLOEXEC)) {
    if (!file_) throw Error::from_errno(errno, "making a memory file");
  }

  void write(std::string_view text) const {
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t wrote =
          ::pwrite(file_.get(), text.data() + done, text.size() - done, static_cast<off_t>(done));
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) throw Error::from_errno(errno, "writing a memory file");
      done += static_cast<std::size_t>(wrote);
    }
  }

  std::string read() const {
    std::string text;
    std::string chunk(1U << 16U, '\0');
    while (true) {
      const ssize_t got = ::pread(file_.get(), chunk.data(), chunk.size(), static_cast<off_t>(text.size()));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw Error::from_errno(errno, "reading a memory file");
      if (got == 0) return text;
      text.append(chunk, 0, static_cast<std::size_t>(got));
    }
  }

 private:
  Fd file_;
};

/// Keeps of each run what it came to: journeys of hundreds of runs would fill the memory.
class Judging final : public Reporter {
 public:
  Judging(const std::vector<Mutant>& mutants, const std::function<void(const std::string&)>& progress)
      : mutants_(mutants), progress_(progress) {}

  /// After an interruption, scenarios that never started are not told of: names tell which this is.
  void scenario_finished(const ScenarioResult& scenario) override {
    results.push_back(judge(mutants_.at(std::stoul(scenario.name)), scenario));
    if (progress_) progress_(fmt::format("{} of {} mutants", results.size(), mutants_.size()));
  }

  std::vector<MutantResult> results;

 private:
  const std::vector<Mutant>& mutants_;
  const std::function<void(const std::string&)>& progress_;
};

RunOptions quick(const RunOptions& options) {
  RunOptions quick = options;
  quick.verdicts_only = true;
  quick.trace = TraceWhich::none;
  quick.pattern.clear();
  quick.ids.reset();
  return quick;
}

/// Why a scenario that is not mutated at all does not pass. Absent: it does.
std::optional<std::string> problem_of(const ScenarioResult& run) {
  if (run.error) return run.error->message;
  const auto differs =
      std::ranges::find_if(run.checks, [](const auto& check) { return check.verdict != Verdict::pass; });
  if (differs == run.checks.end()) return std::nullopt;
  return fmt::format("as it is, {} is {}: {}", differs->id, to_text(differs->verdict), differs->observed);
}

bool is_skipped(const ScenarioResult& run) {
  return !run.error &&
         std::ranges::all_of(run.checks, [](const auto& check) { return check.verdict == Verdict::skip; });
}

class Mutating {
 public:
  Mutating(const spec::Spec& spec, const MutationOptions& options) : spec_(spec), options_(options) {
    result_.scenario = spec.name;
    result_.file = spec.file;
    result_.setup = setup_name(spec);
  }

  /// False when it was interrupted.
  bool run() {
    const auto start = Clock::now();
    const bool whole = look() && (mutants_.empty() || try_all());
    result_.duration_ms = ms_since(start);
    return whole;
  }

  MutationResult take() { return std::move(result_); }

 private:
  void tell(const std::string& what) const {
    if (options_.progress)
      options_.progress(fmt::format("{} ({}): {}", result_.scenario, result_.setup, what));
  }

  /// Runs it as it is, and reads its nodes.
  bool look() {
    tell("as it is");
    const SharedText states;
    RunOptions run_options = quick(options_.run);
    run_options.arranged = [&](const network::LiveNetwork& network) {
      states.write(to_text(survey(network, spec_.world)));
    };
    const std::vector<spec::Spec> specs{spec_};
    Pool pool(specs, run_options, options_.pool);
    const RunResult run = pool.run({});
    if (run.interrupted) return false;
    if (run.scenarios.empty()) {
      result_.problem = "it has no checks";
      return true;
    }
    result_.checks = run.scenarios.front().checks.size();
    result_.problem = problem_of(run.scenarios.front());
    result_.skipped = is_skipped(run.scenarios.front());
    if (result_.problem) return true;
    for (const NodeState& state : from_text(states.read())) {
      for (Mutant& mutant : mutants_of(state)) {
        if (matches(options_.pattern, mutant.id)) mutants_.push_back(std::move(mutant));
      }
    }
    return true;
  }

  bool try_all() {
    std::vector<spec::Spec> specs;
    specs.reserve(mutants_.size());
    for (std::size_t i = 0; i < mutants_.size(); ++i) {
      specs.push_back(mutated(spec_, mutants_[i]));
      specs.back().name = std::to_string(i);
    }
    const std::function<void(const std::string&)> progress = [this](const std::string& what) { tell(what); };
    Judging judging(mutants_, progress);
    Pool pool(specs, quick(options_.run), options_.pool);
    const RunResult run = pool.run({&judging});
    result_.mutants = std::move(judging.results);
    // What was under way then came to nothing.
    if (run.interrupted)
      std::erase_if(result_.mutants, [](const auto& mutant) { return mutant.fate == Fate::broken; });
    return !run.interrupted;
  }

  const spec::Spec& spec_;
  const MutationOptions& options_;
  std::vector<Mutant> mutants_;
  MutationResult result_;
};

/// What a program has said, in the error that tells of its end; our own word for that is left out.
std::string output_in(const std::string& message) {
  std::string output;
  for (const std::string_view line : lines_of(message)) {
    const bool first = line.data() == message.data();
    if (first || line.find(kRefused) != std::string_view::npos) continue;
    const std::size_t begin = std::min(line.find_first_not_of(" \t"), line.size());
    if (begin < line.size()) output += fmt::format("{}{}", output.empty() ? "" : "\n", line.substr(begin));
  }
  return output.empty() ? message : output;
}

spec::Value text_value(const spec::Mark& mark, std::string text) {
  spec::Value value;
  value.kind = spec::Value::Kind::scalar;
  value.mark = mark;
  value.text = std::move(text);
  value.quoted = true;
  return value;
}

}  // namespace

const char* to_text(Fate fate) noexcept {
  switch (fate) {
    case Fate::noticed:
      return "noticed";
    case Fate::survived:
      return "survived";
    case Fate::equivalent:
      return "equivalent";
    case Fate::refused:
      return "refused";
    case Fate::not_made:
      return "not made";
    case Fate::broken:
      break;
  }
  return "broken";
}

std::size_t MutationResult::count(Fate fate) const {
  return static_cast<std::size_t>(std::ranges::count(mutants, fate, &MutantResult::fate));
}

int MutationRun::exit_status() const {
  constexpr int kInterrupted = 130;
  if (interrupted) return kInterrupted;
  if (!stale.empty()) return 1;
  const bool clean = std::ranges::all_of(scenarios, [](const MutationResult& result) {
    return (!result.problem || result.skipped) && result.count(Fate::survived) == 0 &&
           result.count(Fate::not_made) == 0 && result.count(Fate::broken) == 0;
  });
  return clean ? 0 : 1;
}

spec::Spec mutated(const spec::Spec& spec, const Mutant& mutant) {
  spec::Spec result = spec;
  const spec::Mark mark = spec.checks.empty() ? spec::Mark{} : spec.checks.front().mark;
  const network::Node* host = spec.world.host();
  spec::CheckItem item;
  item.kind = "run";
  item.mark = mark;
  item.change = true;
  item.fault = true;
  item.arguments.kind = spec::Value::Kind::mapping;
  item.arguments.mark = mark;
  item.arguments.entries.push_back(
      {"shell", mark, text_value(mark, program_of(mutant, host == nullptr ? std::string() : host->name))});
  result.checks.insert(result.checks.begin(), std::move(item));
  return result;
}

MutantResult judge(const Mutant& mutant, const ScenarioResult& run) {
  MutantResult result;
  result.mutant = mutant;
  if (run.error) result.says = run.error->message;
  const bool made = !run.changes.empty() && run.changes.front().made;
  if (!made) {
    if (run.changes.empty()) return result;
    if (result.says.find(kNotAsRead) != std::string::npos) {
      result.fate = Fate::not_made;
    } else if (result.says.find(kRefused) != std::string::npos) {
      result.fate = Fate::refused;
    }
    result.says = output_in(result.says);
    return result;
  }
  const auto notices = [](const CheckResult& check) {
    return check.verdict == Verdict::fail || check.verdict == Verdict::inconclusive;
  };
  result.noticing = static_cast<std::size_t>(std::ranges::count_if(run.checks, notices));
  if (result.noticing > 0) {
    result.fate = Fate::noticed;
    result.says = std::ranges::find_if(run.checks, notices)->id;
    return result;
  }
  // A change of the spec's own that could be made before, and no longer can.
  const auto change = std::ranges::find(run.changes, false, &ChangeResult::made);
  if (change != run.changes.end()) {
    result.fate = Fate::noticed;
    result.noticing = 1;
    result.says = change->about;
    return result;
  }
  const auto other =
      std::ranges::find_if(run.checks, [](const auto& check) { return check.verdict != Verdict::pass; });
  if (!run.error && other == run.checks.end()) {
    result.fate = Fate::survived;
  } else if (!run.error) {
    result.says = fmt::format("{}: {}", other->id, other->observed);
  }
  return result;
}

void excuse(const spec::Spec& spec, MutationResult& result, std::vector<bool>& used) {
  used.resize(spec.equivalent.size());
  for (MutantResult& mutant : result.mutants) {
    for (std::size_t i = 0; i < spec.equivalent.size(); ++i) {
      const std::string& glob = spec.equivalent[i].mutant;
      if (mutant.fate != Fate::survived) break;
      if (!glob_matches(glob, mutant.mutant.id) && !glob_matches(glob, mutant.mutant.line)) continue;
      mutant.fate = Fate::equivalent;
      mutant.says = spec.equivalent[i].reason;
      used[i] = true;
    }
  }
}

MutationRun mutate(const std::vector<spec::Spec>& specs, const MutationOptions& options) {
  const auto start = Clock::now();
  MutationRun run;
  // One file's setups have its declarations in common, and any of them may need one.
  struct Declared {
    const spec::Spec* spec = nullptr;
    std::vector<bool> used;
    bool tried = false;
  };
  std::map<std::string, Declared> files;
  for (const spec::Spec& spec : specs) {
    Mutating mutating(spec, options);
    run.interrupted = !mutating.run();
    MutationResult& result = run.scenarios.emplace_back(mutating.take());
    Declared& declared = files[spec.file];
    declared.spec = &spec;
    declared.tried = declared.tried || !result.problem;
    excuse(spec, result, declared.used);
    if (options.told) options.told(result);
    if (run.interrupted) break;
  }
  if (options.all_setups && options.pattern.empty() && !run.interrupted) {
    for (const auto& [file, declared] : files) {
      for (std::size_t i = 0; declared.tried && i < declared.used.size(); ++i) {
        const spec::Equivalent& each = declared.spec->equivalent[i];
        if (!declared.used[i]) run.stale.push_back({each.mutant, each.reason, each.mark.to_string()});
      }
    }
  }
  run.duration_ms = ms_since(start);
  return run;
}

}  // namespace plumbline::engine::mutation
