#include <fmt/format.h>

#include "harness/base/error.hpp"
#include "harness/engine/change/place.hpp"
#include "harness/engine/spec/program.hpp"
#include "harness/network/setup/script_host.hpp"

namespace plumbline::engine {
namespace {

constexpr std::string_view kSchema = R"({
  "type": "object", "$ref": "#/$defs/program", "unevaluatedProperties": false,
  "properties": {"env": {"$ref": "#/$defs/variables"},
                 "fails": {"type": "string", "minLength": 1, "description": "It must fail, and say this."}}
})";

class Run final : public Change {
 public:
  Run(network::Script script, std::string fails) : script_(std::move(script)), fails_(std::move(fails)) {}

  boost::asio::awaitable<void> make(ChangeSite& site) const override {
    const network::ScriptEnd end = co_await site.scripts.run(script_);
    if (fails_.empty()) {
      if (const auto reason = network::ScriptHost::skipped(end)) throw ChangeSkipped(*reason);
      if (end.failed()) throw network::ScriptHost::failure(script_, end);
      co_return;
    }
    if (end.status != 0 && !end.timed_out && end.output.find(fails_) != std::string::npos) co_return;
    if (end.failed()) {
      throw network::ScriptHost::failure(script_, end)
          .within(fmt::format("it must fail and say '{}'", fails_));
    }
    throw Error(fmt::format("it must fail and say '{}', but went well", fails_), ErrorKind::setup);
  }

 private:
  network::Script script_;
  std::string fails_;
};

std::unique_ptr<Change> parse(const spec::CheckItem& item, const network::Topology& /*intended*/,
                              const spec::Spec& spec) {
  constexpr std::string_view keys[] = {"run", "shell", "arguments", "env", "timeout", "fails"};
  item.arguments.as_mapping("run");
  item.arguments.allow_keys("run", keys);
  const spec::Program program = spec::read_program(item.arguments, "run", spec.file, spec.setups_directory);
  network::Script script = spec::script_of(program, item.mark);
  // What the setup's variant is told, its later steps are told too.
  if (spec.setup && spec.setup->script) script.env = spec.setup->script->env;
  for (const auto& [name, values] : program.env) {
    if (values.size() > 1) item.arguments.fail(fmt::format("'{}' must have one value here", name));
    script.env[name] = values.front();
  }
  std::string fails;
  if (const spec::Value* text = item.arguments.find("fails")) {
    fails = text->as_text("fails");
    if (fails.empty()) text->fail("'fails' must say what is to be said");
  }
  std::string about = "run " + program.name;
  for (const std::string& argument : program.arguments) about += " " + argument;
  auto made = std::make_unique<Run>(std::move(script), std::move(fails));
  made->about = std::move(about);
  return made;
}

}  // namespace

ChangeKind run_change() {
  return {"run", "Runs a script of the user's in the host.", kSchema, parse};
}

}  // namespace plumbline::engine
