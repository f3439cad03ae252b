#include "harness/engine/check/arrange.hpp"

#include <utility>

namespace plumbline::engine {

bool runs_programs(const spec::Spec& spec) {
  return spec.setup && (spec.setup->script || spec.setup->runtime);
}

std::vector<IpAddress> stated_resolvers(const spec::Spec& spec) {
  return spec.setup && spec.setup->script ? spec.setup->script->resolvers : std::vector<IpAddress>();
}

boost::asio::awaitable<std::optional<std::string>> set_up(const spec::Spec& spec,
                                                          network::LiveNetwork& network,
                                                          network::ScriptHost* scripts,
                                                          network::Topology& declared) {
  if (!runs_programs(spec)) {
    network.build(spec.addition);
    co_return std::nullopt;
  }
  if (spec.setup->runtime) co_return co_await spec.setup->runtime->set_up(*scripts, declared);
  network::ScriptSetup script = *spec.setup->script;
  co_return co_await scripts->set_up(std::move(script));
}

boost::asio::awaitable<void> follow(const spec::Spec& spec, network::ScriptHost& scripts,
                                    network::Topology& declared) {
  if (spec.setup && spec.setup->runtime) co_await spec.setup->runtime->follow(scripts, declared);
}

}  // namespace plumbline::engine
