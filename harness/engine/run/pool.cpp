#include "harness/engine/run/pool.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <functional>
#include <numeric>
#include <thread>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/fd.hpp"
#include "harness/kernel/drops/drops.hpp"
#include "harness/kernel/netns/sandbox.hpp"

namespace plumbline::engine {

using Clock = std::chrono::steady_clock;

struct Pool::Job {
  const spec::Spec* spec = nullptr;
  const ScenarioResult* planned = nullptr;
  std::size_t repetition = 0;
};

struct Pool::Worker {
  std::size_t number;  ///< of its job
  kernel::Sandbox sandbox;
  Fd results;
  std::string line;         ///< what has come of the next one
  std::size_t counted = 0;  ///< checks that have ended
  bool told = false;        ///< its scenario's result, or why there is none
  bool ended = false;
};

namespace {

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw Error::from_errno(errno, "making a pipe");
    read_end = Fd(ends[0]);
    write_end = Fd(ends[1]);
    // A whole result fits, so that it is written at one go. Where that much is refused, it is written in
    // parts.
    constexpr int kBytes = 1 << 20;
    static_cast<void>(::fcntl(write_end.get(), F_SETPIPE_SZ, kBytes));
    static_cast<void>(::fcntl(read_end.get(), F_SETFL, O_NONBLOCK));
  }
  Fd read_end, write_end;
};

/// What is known of a scenario that has not run.
ScenarioResult plan_of(const spec::Spec& spec, const RunOptions& options) {
  ScenarioResult scenario = describe(spec);
  scenario.checks = promises(spec, options);
  for (CheckResult& check : scenario.checks) {
    check.verdict = Verdict::skip;
    check.observed = "not run";
  }
  return scenario;
}

/// How long it may take, compared with others: a script starts processes, for as long as many checks take.
std::size_t weight(const spec::Spec& spec, const ScenarioResult& planned) {
  constexpr std::size_t kScript = 500;
  return planned.checks.size() + (spec.setup && spec.setup->kind != "native" ? kScript : 0);
}

std::string how_it_ended(int status) {
  constexpr int kSignal = 128;
  if (status <= kSignal)
    return fmt::format("its sandbox ended with exit status {}, without a result", status);
  return fmt::format("its sandbox was ended by signal {} ({})", status - kSignal,
                     ::strsignal(status - kSignal));
}

Error died(int status) {
  const Error error(how_it_ended(status));
  if (status != 128 + SIGKILL) return error;
  return error.with_remedy(
      "if this machine has run out of memory (dmesg says so), run fewer at once: --parallel 1");
}

}  // namespace

std::size_t PoolOptions::default_parallel() {
  // A scenario waits much longer than it works: for time-outs, for processes of its scripts, and for the
  // kernel. More than some dozens would only wait for each other, at the locks that all namespaces share.
  return std::clamp<std::size_t>(4 * std::size_t{std::thread::hardware_concurrency()}, 4, 32);
}

Pool::Pool(const std::vector<spec::Spec>& specs, const RunOptions& options, const PoolOptions& pool_options)
    : options_(options),
      pool_options_(pool_options),
      limit_(std::max<std::size_t>(1, pool_options.parallel)) {
  plan(specs);
  if (queue_.empty()) return;
  // Once, for all sandboxes, which inherit it.
  kernel::drops::prepare(std::min(limit_, jobs_.size()));
  start(queue_.front());
  queue_.pop_front();
  workers_.front()->sandbox.wait_until_set_up();
}

Pool::~Pool() = default;

void Pool::plan(const std::vector<spec::Spec>& specs) {
  planned_.reserve(specs.size());
  for (const spec::Spec& spec : specs) planned_.push_back(plan_of(spec, options_));
  std::vector<std::size_t> order(specs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::erase_if(order, [this](std::size_t spec) { return planned_[spec].checks.empty(); });
  const std::size_t each = order.size();
  for (std::size_t repetition = 1; repetition <= pool_options_.repetitions; ++repetition) {
    for (const std::size_t spec : order) {
      jobs_.push_back({&specs[spec], &planned_[spec], pool_options_.repetitions > 1 ? repetition : 0});
    }
  }
  // One long scenario that starts last would have the others wait for it.
  std::vector<std::size_t> longest_first(each);
  std::iota(longest_first.begin(), longest_first.end(), std::size_t{0});
  std::ranges::stable_sort(longest_first, std::ranges::greater{},
                           [this](std::size_t job) { return weight(*jobs_[job].spec, *jobs_[job].planned); });
  for (std::size_t first = 0; first < jobs_.size(); first += each) {
    for (const std::size_t job : longest_first) queue_.push_back(first + job);
  }
}

void Pool::start(std::size_t number) {
  Pipe pipe;
  const Job& job = jobs_[number];
  kernel::Sandbox sandbox = kernel::Sandbox::start([&] {
    pipe.read_end.reset();
    return work(job, pipe.write_end.get());
  });
  spdlog::debug("{} ({}): sandbox {} started", job.spec->name, setup_name(*job.spec), sandbox.pid());
  workers_.push_back(std::make_unique<Worker>(
      Worker{number, std::move(sandbox), std::move(pipe.read_end), {}, 0, false, false}));
}

/// In the sandbox.
int Pool::work(const Job& job, int results) const {
  RunOptions options = options_;
  options.repetition = job.repetition;
  const auto stream = stream_reporter(results);
  try {
    // From here to the end no signal finds it without a handler, which would end it with its result untold.
    // They are still blocked: the runner takes them as soon as it can stop.
    boost::asio::io_context idle;
    const boost::asio::signal_set handlers(idle, SIGINT, SIGTERM, SIGHUP);
    engine::run({*job.spec}, options, {stream.get()});
  } catch (const boost::system::system_error& problem) {
    throw Error::from_errno(problem.code().value(), "preparing the event loop");  // too few descriptors, say
  }
  return 0;
}

RunResult Pool::run(const std::vector<Reporter*>& reporters) {
  const std::string started = now_in_utc();
  const auto start = Clock::now();
  reporters_ = reporters;
  for (const Job& job : jobs_) progress_.total += job.planned->checks.size();
  story_ = std::make_unique<InOrder>(jobs_.size(), reporters);
  for (const auto& worker : workers_) tell_start(worker->number);
  for (start_what_may_run(); !workers_.empty(); start_what_may_run()) {
    tell_progress();
    wait();
  }
  RunResult result;
  result.started = started;
  result.scenarios = story_->take();
  result.interrupted = interrupted_;
  result.repetitions = pool_options_.repetitions;
  result.duration_ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  for (Reporter* reporter : reporters) reporter->run_finished(result);
  return result;
}

void Pool::tell_start(std::size_t number) {
  ScenarioResult planned = *jobs_[number].planned;
  planned.repetition = jobs_[number].repetition;
  story_->started(number, std::move(planned));
}

void Pool::tell_progress() {
  progress_.running.clear();
  for (const auto& worker : workers_) {
    if (worker->told) continue;
    const spec::Spec& spec = *jobs_[worker->number].spec;
    const std::string setup = setup_name(spec);
    progress_.running.push_back(setup.empty() ? spec.name : fmt::format("{} ({})", spec.name, setup));
  }
  for (Reporter* reporter : reporters_) reporter->progressed(progress_);
}

std::size_t Pool::under_way() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(workers_, [](const auto& worker) { return !worker->told; }));
}

void Pool::start_what_may_run() {
  while (!interrupted_ && !queue_.empty() && under_way() < limit_) {
    const std::size_t number = queue_.front();
    try {
      start(number);
      tell_start(number);
    } catch (const Error& error) {
      // The machine has no room for more (descriptors, namespaces): there is some when one of those that run
      // ends.
      if (!workers_.empty()) {
        limit_ = std::max<std::size_t>(1, under_way());
        spdlog::debug("no more than {} scenarios at once: {}", limit_, error.what());
        return;
      }
      tell_start(number);
      fail(number, error);
      progress_.done += jobs_[number].planned->checks.size();
    }
    queue_.pop_front();
  }
}

void Pool::wait() {
  std::vector<pollfd> awaited{{signals_.fd(), POLLIN, 0}};
  for (const auto& worker : workers_) {
    awaited.push_back({worker->results.get(), POLLIN, 0});
    awaited.push_back({worker->sandbox.ended_fd(), POLLIN, 0});
  }
  constexpr int kTick = 1000;  // ms: the time that a live display shows goes on when nothing happens
  if (::poll(awaited.data(), awaited.size(), kTick) < 0 && errno != EINTR) {
    throw Error::from_errno(errno, "waiting for sandboxes");
  }
  take_signals();
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker& worker = *workers_[i];
    const bool ended = awaited[2 + 2 * i].revents != 0;  // looked at first: what it wrote is there by then
    if (ended || awaited[1 + 2 * i].revents != 0) read_results(worker);
    if (ended) bury(worker);
  }
  std::erase_if(workers_, [](const auto& worker) { return worker->ended; });
}

void Pool::take_signals() {
  while (const auto signal = signals_.next()) {
    for (const auto& worker : workers_) {
      if (interrupted_) {
        worker->sandbox.kill();
      } else {
        worker->sandbox.signal(signal->number, signal->from_terminal);
      }
    }
    interrupted_ = true;
  }
}

void Pool::read_results(Worker& worker) {
  std::array<char, 1 << 16> chunk{};
  for (;;) {
    const ssize_t got = ::read(worker.results.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) worker.results.reset();
    if (got <= 0) return;
    std::string_view text(chunk.data(), static_cast<std::size_t>(got));
    for (std::size_t end = 0; (end = text.find('\n')) != std::string_view::npos;
         text.remove_prefix(end + 1)) {
      worker.line += text.substr(0, end);
      take_line(worker, worker.line);
      worker.line.clear();
    }
    worker.line += text;
  }
}

void Pool::take_line(Worker& worker, std::string_view line) {
  if (worker.told) return;
  try {
    Event event = read_event(line);
    if (const auto* check = std::get_if<CheckEnded>(&event)) {
      ++progress_.done;
      ++worker.counted;
      if (check->verdict != Verdict::pass && check->verdict != Verdict::skip) ++progress_.not_passed;
      return story_->ended(worker.number, *check);
    }
    auto& [result, interrupted] = std::get<ScenarioEnded>(event);
    // Somebody else's signal (a memory killer's, say) is no wish of the user's: what it cut short is an
    // error.
    if (interrupted && !interrupted_ && !result.error) {
      result.error = ScenarioError{
          "its sandbox was sent a signal that ends it, by somebody else than this program", result.file,
          "look for what ends processes here: a memory limit, a watchdog", ErrorKind::internal};
    }
    story_->ended(worker.number, std::move(result));
    conclude(worker);
  } catch (const Error& error) {
    give_up(worker, error);
    worker.sandbox.kill();
  }
}

void Pool::bury(Worker& worker) {
  worker.ended = true;
  const int status = worker.sandbox.wait();
  spdlog::debug("{} ended with status {}", jobs_[worker.number].spec->name, status);
  if (worker.told) return;
  const auto failure = worker.sandbox.failure();
  if (interrupted_ && !failure) {
    conclude(worker);
    return story_->broke_off(worker.number, "interrupted", std::nullopt);
  }
  give_up(worker, failure ? *failure : died(status));
}

/// What it has not told of by now has not run.
void Pool::conclude(Worker& worker) {
  worker.told = true;
  progress_.done += jobs_[worker.number].planned->checks.size() - worker.counted;
}

void Pool::give_up(Worker& worker, const Error& error) {
  conclude(worker);
  fail(worker.number, error);
}

void Pool::fail(std::size_t number, const Error& error) {
  story_->broke_off(number, "the scenario could not be run to its end",
                    ScenarioError{error.what(), jobs_[number].spec->file, error.remedy(), error.kind()});
}

}  // namespace plumbline::engine
