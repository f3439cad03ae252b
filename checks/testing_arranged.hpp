#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <map>
#include <string>
#include <vector>

#include "checks/kinds.hpp"
#include "harness/engine/check/kernel_view.hpp"
#include "harness/engine/run/testing/scenario.hpp"
#include "harness/network/discovery/discover.hpp"
#include "harness/network/service/testing.hpp"

/// For netns tests: a network that is changed by hand, with other tools than ours, before it is judged.
namespace plumbline::checks::testing_support {

/// Two containers behind bridge0, both families, routed by ens5 and its table 88; of the world `diy`.
/// `checks` are the lines below `checks:`, `setup` those below `native:`.
inline constexpr const char* kSetup = R"(
    bridges:
      bridge0:
        address: [192.168.99.1/24, "fd00:99::1/64"]
        containers:
          container-one: [192.168.99.11, "fd00:99::11"]
          container-two: [192.168.99.12, "fd00:99::12"]
    forward: {allow: [ens4, ens5]}
    masquerade: [ens4, ens5]
    routing: {via: ens5}
)";
inline spec::Spec arranged_spec(const std::string& checks, const std::string& setup = kSetup) {
  const engine::testing::Scenario folder;
  const std::string path = folder.directory() + "/arranged.yaml";
  std::ofstream(path) << "version: 1\nname: arranged\nworld: diy\nsetup:\n  native:" << setup << "checks:\n"
                      << checks << "\n";
  return spec::load_spec(path, engine::load_options(std::string(PLUMBLINE_SOURCE_DIR) + "/fixtures"));
}

inline engine::StageOptions quick() {
  engine::StageOptions options;
  options.timeout = std::chrono::milliseconds(200);
  return options;
}

/// A scenario's network, built and held. Its checks are judged without the runner.
class Arranged {
 public:
  explicit Arranged(const spec::Spec& spec) : spec_(spec), intended_(spec.intended()) {
    const std::vector<engine::ChangeKind> no_changes;
    checks_ = std::move(engine::make_plan(spec, {check_kinds(), no_changes}).checks);
    network_.build(spec.world);
    network_.build(spec.addition);
  }

  const network::LiveNetwork& network() const { return network_; }

  /// `script` by sh, in that node. Throws where it fails.
  Arranged& run(const std::string& node, const std::string& script) {
    testing::must_run(network_.netns(node), script);
    return *this;
  }

  /// In the spec's order; those that are judged last after the others.
  std::vector<engine::CheckResult> judge(engine::StageOptions options = quick()) {
    options.traced = engine::traced_nodes(checks_);
    std::vector<engine::Need> needs;
    std::vector<engine::FrameWatch> watches;
    for (const auto& check : checks_) {
      for (engine::Need& need : check->needs()) needs.push_back(std::move(need));
      for (engine::FrameWatch& watch : check->watches()) watches.push_back(std::move(watch));
    }
    boost::asio::io_context loop(1);
    engine::Stage stage(loop.get_executor(), network_, network::discover(network_, intended_), needs,
                        options);
    stage.watch(watches);
    std::vector<engine::CheckResult> results;
    std::exception_ptr problem;
    boost::asio::co_spawn(loop, judge_all(stage, results), [&](const std::exception_ptr& thrown) {
      problem = thrown;
      loop.stop();
    });
    loop.run();
    if (problem) std::rethrow_exception(problem);
    return results;
  }

  /// Of the only check that there is.
  engine::CheckResult judge_only() {
    auto results = judge();
    if (results.size() == 1) return results.front();
    ADD_FAILURE() << results.size() << " checks instead of one";
    return {};
  }

 private:
  boost::asio::awaitable<void> judge_all(engine::Stage& stage, std::vector<engine::CheckResult>& results) {
    for (const bool last : {false, true}) {
      for (const auto& check : checks_) {
        if (check->judged_last() != last) continue;
        results.push_back(check->promise);
        try {
          const engine::Outcome outcome = co_await check->run(stage);
          engine::tell(outcome, stage.topology(), results.back());
        } catch (const Error& error) {
          results.back().observed = error.what();
        }
      }
    }
  }

  const spec::Spec spec_;
  const network::Topology intended_;
  std::vector<std::unique_ptr<engine::Check>> checks_;
  network::LiveNetwork network_;
};

}  // namespace plumbline::checks::testing_support
