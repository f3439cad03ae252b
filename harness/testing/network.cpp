#include "harness/testing/network.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <optional>
#include <utility>

#include "checks/kinds.hpp"
#include "harness/base/error.hpp"
#include "harness/engine/change/kinds.hpp"
#include "harness/engine/check/arrange.hpp"
#include "harness/engine/check/check.hpp"
#include "harness/engine/check/diagnosis.hpp"
#include "harness/engine/check/kernel_view.hpp"
#include "harness/engine/check/stage.hpp"
#include "harness/kernel/netns/sandbox.hpp"
#include "harness/network/discovery/discover.hpp"
#include "harness/network/setup/script_host.hpp"
#include "harness/network/topology/live_network.hpp"
#include "harness/testing/work_loop.hpp"

namespace plumbline::testing {
namespace {

using engine::CheckResult;
using Checks = std::vector<std::unique_ptr<engine::Check>>;
using Clock = std::chrono::steady_clock;

/// Checks of one expectation, as far as rings for their packets are concerned: more are right, but may lose
/// some.
constexpr std::size_t kAtOnce = 64;

template <class Kind>
const Kind& kind_of(const spec::CheckItem& item, const std::vector<Kind>& kinds) {
  const auto found = std::ranges::find(kinds, item.kind, &Kind::name);
  if (found != kinds.end()) return *found;
  std::vector<std::string_view> names;
  for (const Kind& kind : kinds) names.push_back(kind.name);
  const std::string_view near = spec::nearest(item.kind, names);
  throw spec::SpecError(item.mark,
                        fmt::format("unknown {} '{}'{}", item.change ? "change" : "check", item.kind,
                                    near.empty() ? fmt::format("; there are {}", fmt::join(names, ", "))
                                                 : fmt::format("; did you mean '{}'?", near)));
}

/// A place in a test's source counts as that of everything said there.
void place(spec::Value& value, const spec::Mark& mark) {
  value.mark = mark;
  for (spec::Value& item : value.items) place(item, mark);
  for (spec::Value::Entry& entry : value.entries) {
    entry.mark = mark;
    place(entry.value, mark);
  }
}

spec::CheckItem item_of(std::string_view yaml, const char* file, int line) {
  spec::Value document = spec::parse_yaml(yaml, file);
  const spec::Mark mark{std::make_shared<const std::string>(file), static_cast<std::size_t>(line), 1};
  place(document, mark);
  if (document.as_mapping("this").size() != 1) {
    document.fail("it must be one key with its arguments, as in reach: {from: host, to: internet}");
  }
  return {document.entries.front().key, mark, document.entries.front().value, false};
}

/// What is about the traffic of all other checks of a scenario has seen none in a call of its own.
void refuse_judged_last(const spec::CheckItem& item, const Checks& checks) {
  if (std::ranges::none_of(checks, [](const auto& check) { return check->judged_last(); })) return;
  throw spec::SpecError(
      item.mark,
      fmt::format("'{}' is judged after all other checks of a scenario, from whose first probe on it "
                  "watches, so in a call of its own it would see nothing: promise it in a spec",
                  item.kind));
}

}  // namespace

class Network::Impl {
 public:
  Impl(spec::Spec arrangement, const NetworkOptions& options)
      : spec_(std::move(arrangement)), intended_(spec_.intended()) {
    // Outside it the names of nodes would be the machine's own.
    if (!kernel::in_sandbox()) {
      throw Error("a network can be built inside the sandbox only", ErrorKind::usage)
          .with_remedy("link plumbline::testing_main, or write PLUMBLINE_GTEST_MAIN() instead of a main()");
    }
    stage_options_.timeout = options.timeout;
    stage_options_.checks = kAtOnce;
    stage_options_.intended = intended_;
    arrange();
    set_stage(network::discover(network_, intended_), {}, {});
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    stage_.reset();    // before what a script has left running ends, and with it interfaces
    scripts_.reset();  // and this before the loop, in which its daemons are watched
  }

  const network::Topology& topology() const noexcept { return stage_ ? stage_->topology() : intended_; }
  const spec::Spec& arrangement() const noexcept { return spec_; }
  const network::Topology& intended() const noexcept { return intended_; }

  /// Throws Error.
  void require_alive() const {
    loop_.require_alive();
    if (!stage_) throw Error("the network cannot be used any more, for watching it went wrong");
  }

  void make(const engine::Change& change) {
    change.foresee(intended_);
    engine::ChangeSite site{network_, *scripts_, stage_->listeners(), intended_};
    loop_.run(change.make(site));
    loop_.run(engine::follow(spec_, *scripts_, intended_));
    scripts_->settle();
    stage_->intend(intended_);
    stage_->update(network::discover(network_, intended_), {});
  }

  std::vector<CheckResult> run(const Checks& checks) {
    prepare(checks);
    std::vector<CheckResult> results;
    for (const auto& check : checks) results.push_back(check->promise);
    loop_.run(start_all(checks, results));
    return results;
  }

 private:
  void arrange() {
    network_.build(spec_.world);
    scripts_.emplace(network_, spec_.world, spec_.setup ? spec_.setup->name : std::string(),
                     engine::stated_resolvers(spec_));
    std::optional<std::string> reason;
    const auto work = [&]() -> boost::asio::awaitable<void> {
      reason = co_await engine::set_up(spec_, network_, &*scripts_, intended_);
    };
    loop_.run(work());
    if (reason) throw Unavailable(*reason, ErrorKind::environment);
  }

  void set_stage(network::Topology topology, const std::vector<engine::Need>& needs,
                 const std::vector<engine::FrameWatch>& watches) {
    stage_.reset();
    stage_.emplace(loop_.executor(), network_, std::move(topology), needs, stage_options_);
    stage_->watch(watches);
  }

  /// What these checks need of the stage. Kernels' reports, and interfaces to be watched, are asked for when
  /// a stage is set, so one that lacks some is set anew.
  void prepare(const Checks& checks) {
    std::vector<engine::Need> needs;
    std::vector<engine::FrameWatch> watches;
    for (const auto& check : checks) {
      for (engine::Need& need : check->needs()) needs.push_back(std::move(need));
      for (engine::FrameWatch& watch : check->watches()) watches.push_back(std::move(watch));
    }
    std::vector<std::string>& traced = stage_options_.traced;
    const std::size_t known = traced.size();
    for (std::string& node : engine::traced_nodes(checks)) {
      if (std::ranges::find(traced, node) == traced.end()) traced.push_back(std::move(node));
    }
    if (traced.size() == known && watches.empty()) return stage_->plant(needs);
    set_stage(network::Topology(stage_->topology()), needs, watches);
  }

  /// One after the other, with a turn of the loop between: the taps are read meanwhile.
  boost::asio::awaitable<void> start_all(const Checks& checks, std::vector<CheckResult>& results) {
    for (std::size_t i = 0; i < checks.size(); ++i) {
      loop_.start(run_one(*checks[i], results[i]));
      co_await boost::asio::post(loop_.executor(), boost::asio::use_awaitable);
    }
  }

  boost::asio::awaitable<void> run_one(const engine::Check& check, CheckResult& result) {
    const auto start = Clock::now();
    try {
      engine::Outcome outcome = co_await check.run(*stage_);
      co_await engine::learn_more(*stage_, outcome, result);
      engine::tell(outcome, stage_->topology(), result);
      if (outcome.question) engine::find_causes(*outcome.question, *stage_, result);
    } catch (const std::exception& error) {
      result.verdict = engine::Verdict::error;
      result.observed = error.what();
    }
    result.duration_ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  }

  const spec::Spec spec_;
  network::Topology intended_;  ///< as it should be after the changes until now
  network::LiveNetwork network_;
  std::optional<network::ScriptHost> scripts_;
  WorkLoop loop_;
  engine::StageOptions stage_options_;
  std::optional<engine::Stage> stage_;
};

Network::Network(spec::Spec arrangement, const NetworkOptions& options)
    : impl_(std::make_unique<Impl>(std::move(arrangement), options)) {}

Network::~Network() = default;

const network::Topology& Network::topology() const noexcept {
  return impl_->topology();
}

Source Network::from(Names nodes, const char* file, int line) {
  return Source(Question{this, {file, line}, {{"from", std::move(nodes.list)}}});
}

std::vector<CheckResult> Network::check(std::string_view yaml, const char* file, int line) {
  return carry_out(item_of(yaml, file, line));
}

void Network::change(std::string_view yaml, const char* file, int line) {
  spec::CheckItem item = item_of(yaml, file, line);
  item.change = true;
  static_cast<void>(carry_out(item));
}

std::vector<CheckResult> Network::carry_out(const spec::CheckItem& item) {
  impl_->require_alive();
  if (item.change) {
    impl_->make(*kind_of(item, engine::change_kinds()).parse(item, impl_->intended(), impl_->arrangement()));
    return {};
  }
  const Checks checks = kind_of(item, checks::check_kinds()).parse(item, impl_->intended());
  refuse_judged_last(item, checks);
  return impl_->run(checks);
}

}  // namespace plumbline::testing
