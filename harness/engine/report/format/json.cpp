#include <boost/json.hpp>
#include <ostream>

#include "harness/engine/report/format/format.hpp"
#include "harness/engine/report/json_text.hpp"
#include "harness/engine/report/json_value.hpp"

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

Format json_format() {
  return {"json", "all of it, for programs (`plumbline schema report`)",
          [](std::ostream& out, const ConsoleOptions&) -> std::unique_ptr<Reporter> {
            return std::make_unique<JsonReporter>(out);
          }};
}

}  // namespace plumbline::engine
