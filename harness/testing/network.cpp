#include "harness/testing/network.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <optional>
#include <ostream>

#include "checks/kinds.hpp"
#include "harness/base/error.hpp"
#include "harness/engine/change/kinds.hpp"
#include "harness/engine/check/check.hpp"
#include "harness/engine/check/stage.hpp"
#include "harness/kernel/netns/sandbox.hpp"
#include "harness/network/discovery/discover.hpp"
#include "harness/network/topology/live_network.hpp"

namespace plumbline::testing {
namespace {

using engine::CheckResult;
using Checks = std::vector<std::unique_ptr<engine::Check>>;
using Clock = std::chrono::steady_clock;

template <class Derived>
Derived with_argument(Derived question, std::string key, std::vector<std::string> values) {
  const auto known = std::ranges::find(question.arguments, key, [](const auto& each) { return each.first; });
  if (known == question.arguments.end()) {
    question.arguments.emplace_back(std::move(key), std::move(values));
  } else {
    known->second = std::move(values);
  }
  return question;
}

std::string listed(const Question& question, std::string_view key) {
  for (const auto& [name, values] : question.arguments) {
    if (name == key) return fmt::format("{}", fmt::join(values, ", "));
  }
  return {};
}

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

}  // namespace

void PrintTo(const Probe& probe, std::ostream* out) {
  *out << fmt::format("{} from {} to {}", listed(probe, "with"), listed(probe, "from"), listed(probe, "to"));
}

void PrintTo(const Query& query, std::ostream* out) {
  *out << fmt::format("DNS query for {} from {}", listed(query, "name"), listed(query, "from"));
  if (const std::string server = listed(query, "server"); !server.empty()) *out << " to " << server;
}

Query Query::at(const std::string& server) const {
  return with_argument(*this, "server", {server});
}

Query Query::over_udp() const {
  return with_argument(*this, "with", {"udp"});
}

Query Query::over_tcp() const {
  return with_argument(*this, "with", {"tcp"});
}

Probe Pair::with(Names services) const {
  return with_argument(Probe{question_}, "with", std::move(services.list));
}

Pair Source::to(Names targets) const {
  return Pair(with_argument(question_, "to", std::move(targets.list)));
}

Query Source::query(const std::string& name) const {
  return with_argument(Query{question_}, "name", {name});
}

class Network::Impl {
 public:
  Impl(spec::Spec arrangement, const NetworkOptions& options)
      : spec_(std::move(arrangement)), intended_(spec_.intended()) {
    // Outside it the names of nodes would be the machine's own.
    if (!kernel::in_sandbox()) {
      throw Error("a network can be built inside the sandbox only", ErrorKind::usage)
          .with_remedy("link plumbline::testing_main, or write PLUMBLINE_GTEST_MAIN() instead of a main()");
    }
    network_.build(spec_.world);
    network_.build(spec_.addition);
    engine::StageOptions stage_options;
    stage_options.timeout = options.timeout;
    stage_.emplace(loop_.get_executor(), network_, network::discover(network_, intended_),
                   std::vector<engine::Need>{}, stage_options);
  }

  const network::Topology& topology() const noexcept { return stage_->topology(); }
  const spec::Spec& arrangement() const noexcept { return spec_; }
  const network::Topology& intended() const noexcept { return intended_; }

  void make(const engine::Change& change) {
    change.foresee(intended_);
    engine::ChangeSite site{network_, {}};
    problem_ = nullptr;
    boost::asio::co_spawn(loop_, change.make(site),
                          [&](const std::exception_ptr& problem) { note(problem, 0); });
    loop_.restart();
    loop_.run();
    if (problem_) std::rethrow_exception(problem_);
    stage_->update(network::discover(network_, intended_), {});
  }

  std::vector<CheckResult> run(const Checks& checks) {
    std::vector<CheckResult> results;
    for (const auto& check : checks) {
      stage_->plant(check->needs());
      results.push_back(check->promise);
    }
    std::size_t open = checks.size();
    if (open == 0) return results;
    const auto start_all = [&]() -> boost::asio::awaitable<void> {
      for (std::size_t i = 0; i < checks.size(); ++i) {
        boost::asio::co_spawn(loop_, run_one(*checks[i], results[i]), [&](const std::exception_ptr& problem) {
          --open;
          note(problem, open);
        });
        // A turn of the loop between them: the taps are read meanwhile.
        co_await boost::asio::post(loop_, boost::asio::use_awaitable);
      }
    };
    problem_ = nullptr;
    boost::asio::co_spawn(loop_, start_all(),
                          [&](const std::exception_ptr& problem) { note(problem, open); });
    loop_.restart();
    loop_.run();
    if (problem_) std::rethrow_exception(problem_);
    return results;
  }

 private:
  /// Servers and taps keep the loop busy for ever: the last check ends its run.
  void note(const std::exception_ptr& problem, std::size_t open) {
    if (problem && !problem_) problem_ = problem;
    if (problem || open == 0) loop_.stop();
  }

  boost::asio::awaitable<void> run_one(const engine::Check& check, CheckResult& result) {
    const auto start = Clock::now();
    try {
      engine::tell(co_await check.run(*stage_), result);
    } catch (const Error& error) {
      result.verdict = engine::Verdict::error;
      result.observed = error.what();
    }
    result.duration_ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  }

  const spec::Spec spec_;
  network::Topology intended_;  ///< as it should be after the changes until now
  network::LiveNetwork network_;
  boost::asio::io_context loop_{1};
  std::optional<engine::Stage> stage_;
  std::exception_ptr problem_;
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

std::vector<CheckResult> Network::check_all() {
  std::vector<CheckResult> results;
  for (const spec::CheckItem& item : impl_->arrangement().checks) {
    for (CheckResult& result : carry_out(item)) results.push_back(std::move(result));
  }
  return results;
}

std::vector<CheckResult> Network::carry_out(const spec::CheckItem& item) {
  if (!item.change) return impl_->run(kind_of(item, checks::check_kinds()).parse(item, impl_->intended()));
  impl_->make(*kind_of(item, engine::change_kinds()).parse(item, impl_->intended(), impl_->arrangement()));
  return {};
}

}  // namespace plumbline::testing
