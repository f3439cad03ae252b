#include <CLI/CLI.hpp>
#include <memory>

#include "checks/kinds.hpp"
#include "harness/cli/command.hpp"
#include "harness/engine/change/kinds.hpp"
#include "harness/engine/report/reporter.hpp"
#include "harness/engine/spec/spec.hpp"

namespace plumbline::cli {
namespace {

std::string spec_schema() {
  spec::KindSchemas checks;
  for (const engine::CheckKind& kind : checks::check_kinds()) checks.emplace_back(kind.name, kind.schema);
  spec::KindSchemas changes;
  for (const engine::ChangeKind& kind : engine::change_kinds()) changes.emplace_back(kind.name, kind.schema);
  return spec::json_schema(checks, changes);
}

}  // namespace

Action add_schema(CLI::App& app) {
  CLI::App* command = app.add_subcommand("schema", "JSON Schema of the spec, or of the JSON report");
  const auto what = std::make_shared<std::string>("spec");
  command->add_option("WHAT", *what, "spec (the default) or report")->check(one_of({"spec", "report"}));
  command->footer(
      "Example, for editors with a YAML language server:\n"
      "  plumbline schema > plumbline.schema.json\n");
  return [what](const Invocation&) {
    std::string text = *what == "report" ? engine::report_json_schema() : spec_schema();
    if (!text.ends_with('\n')) text += '\n';
    print(text);
    return 0;
  };
}

}  // namespace plumbline::cli
