#include <benchmark/benchmark.h>

#include <sstream>
#include <string>

#include "harness/engine/report/format/format.hpp"
#include "harness/engine/report/json_value.hpp"
#include "harness/engine/report/testing/large_run.hpp"

/// How long each format takes for 200 scenarios with 5,000 checks, and how large it becomes.
namespace plumbline::engine {
namespace {

std::string render(const Format& format, const RunResult& run) {
  std::ostringstream out;
  const auto reporter = format.make(out, {});
  replay(run, *reporter);
  return out.str();
}

void write_report(benchmark::State& state, const Format& format) {
  const RunResult run = samples::large_run();
  std::size_t size = 0;
  for (auto each : state) size = render(format, run).size();
  state.counters["megabytes"] = static_cast<double>(size) / 1e6;
}

void read_back(benchmark::State& state) {
  const std::string text = render(format("json"), samples::large_run());
  for (auto each : state) benchmark::DoNotOptimize(read_report(text));
}

}  // namespace
}  // namespace plumbline::engine

int main(int argc, char** argv) {
  using namespace plumbline::engine;
  benchmark::Initialize(&argc, argv);
  for (const Format& format : formats())
    benchmark::RegisterBenchmark(("write/" + format.name).c_str(), [&format](benchmark::State& state) {
      write_report(state, format);
    })->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("read/json", read_back)->Unit(benchmark::kMillisecond);
  benchmark::RunSpecifiedBenchmarks();
}
