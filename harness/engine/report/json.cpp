#include <boost/json.hpp>
#include <ostream>

#include "harness/engine/report/json_text.hpp"
#include "harness/engine/report/json_value.hpp"
#include "harness/engine/report/reporter.hpp"

namespace plumbline::engine {
namespace {

class JsonReporter final : public Reporter {
 public:
  explicit JsonReporter(std::ostream& out) : out_(out) {}

  void run_finished(const RunResult& run) override { out_ << pretty(to_json(run)) << std::flush; }

 private:
  std::ostream& out_;
};

}  // namespace

std::unique_ptr<Reporter> json_reporter(std::ostream& out) {
  return std::make_unique<JsonReporter>(out);
}

}  // namespace plumbline::engine
