#include "harness/engine/run/stream.hpp"

#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>

#include "harness/base/error.hpp"
#include "harness/engine/report/json_value.hpp"
#include "harness/engine/report/text.hpp"

namespace plumbline::engine {
namespace {

namespace json = boost::json;

class StreamReporter final : public Reporter {
 public:
  explicit StreamReporter(int fd) : fd_(fd) {}

  void check_finished(const ScenarioResult& scenario, const CheckResult& check) override {
    write(json::object{{"check", &check - scenario.checks.data()},
                       {"verdict", to_text(check.verdict)},
                       {"observed", valid_utf8(check.observed)},
                       {"duration_ms", check.duration_ms}});
  }

  void run_finished(const RunResult& run) override {
    for (const ScenarioResult& scenario : run.scenarios) {
      write(json::object{{"scenario", to_json(scenario)}, {"interrupted", run.interrupted}});
    }
  }

 private:
  void write(const json::value& value) {
    const std::string line = json::serialize(value) + "\n";
    std::string_view rest = line;
    while (!rest.empty()) {
      const ssize_t written = ::write(fd_, rest.data(), rest.size());
      if (written >= 0) {
        rest.remove_prefix(static_cast<std::size_t>(written));
      } else if (errno != EINTR) {
        return;
      }
    }
  }

  int fd_;
};

Event read(const json::object& event) {
  if (const json::value* scenario = event.if_contains("scenario"))
    return ScenarioEnded{read_scenario(*scenario), event.at("interrupted").as_bool()};
  return CheckEnded{event.at("check").to_number<std::size_t>(), read_verdict(event.at("verdict")),
                    std::string(event.at("observed").as_string()),
                    event.at("duration_ms").to_number<double>()};
}

}  // namespace

std::unique_ptr<Reporter> stream_reporter(int fd) {
  return std::make_unique<StreamReporter>(fd);
}

Event read_event(std::string_view line) {
  try {
    json::monotonic_resource memory;  // a result is thousands of small values, gone all at once
    return read(json::parse(line, &memory).as_object());
  } catch (const std::exception& problem) {
    throw Error(std::string("not what a sandbox tells of its scenario: ") + problem.what());
  }
}

}  // namespace plumbline::engine
