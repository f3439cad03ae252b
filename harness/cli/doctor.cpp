#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <utility>

#include "harness/cli/command.hpp"
#include "harness/cli/engine_trials.hpp"
#include "harness/cli/trials.hpp"
#include "harness/engine/report/json_text.hpp"
#include "harness/engine/report/text.hpp"
#include "harness/kernel/netns/sandbox.hpp"

namespace plumbline::cli {
namespace {

namespace json = boost::json;

constexpr int kCannotRun = 3;
/// Says inside the sandbox who stands outside it, which cannot be seen from there.
constexpr const char* kOutside = "PLUMBLINE_OUTSIDE";
/// And what was seen there of the live host, as JSON.
constexpr const char* kLive = "PLUMBLINE_LIVE";
constexpr std::size_t kColumns = 100;

const char* to_text(Finding finding) noexcept {
  switch (finding) {
    case Finding::ok:
      return "ok";
    case Finding::missing:
      return "missing";
    case Finding::absent:
      return "absent";
    case Finding::untried:
      break;
  }
  return "untried";
}

bool can_run(const std::vector<Trial>& trials) {
  return std::none_of(trials.begin(), trials.end(),
                      [](const Trial& trial) { return trial.finding == Finding::missing; });
}

json::array findings(const std::vector<Trial>& trials) {
  json::array array;
  for (const Trial& trial : trials) {
    json::object object{{"name", engine::valid_utf8(trial.name)},
                        {"finding", to_text(trial.finding)},
                        {"detail", engine::valid_utf8(trial.detail)},
                        {"remedy", nullptr}};
    if (!trial.remedy.empty()) object["remedy"] = engine::valid_utf8(trial.remedy);
    array.push_back(std::move(object));
  }
  return array;
}

std::string as_json(const std::vector<Trial>& trials) {
  return engine::pretty(json::object{{"can_run", can_run(trials)}, {"findings", findings(trials)}});
}

/// Of a list that `findings` has made; empty for anything else.
std::vector<Trial> trials_of(const char* text) {
  std::vector<Trial> trials;
  json::error_code problem;
  const json::value value = text == nullptr ? json::value() : json::parse(text, problem);
  if (problem || !value.is_array()) return trials;
  for (const json::value& each : value.get_array()) {
    const auto at = [&](const char* key) {
      const json::value* found = each.is_object() ? each.get_object().if_contains(key) : nullptr;
      return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
    };
    Trial trial{at("name"), Finding::absent, at("detail"), at("remedy")};
    if (at("finding") == to_text(Finding::ok)) trial.finding = Finding::ok;
    trials.push_back(std::move(trial));
  }
  return trials;
}

void append(std::vector<Trial>& trials, std::vector<Trial> more) {
  std::ranges::move(more, std::back_inserter(trials));
}

std::string as_text(const std::vector<Trial>& trials) {
  constexpr std::size_t kBefore = 23;
  std::string lines;
  for (const Trial& trial : trials) {
    std::string head = fmt::format("{:<9}{:<14}", to_text(trial.finding), trial.name);
    const std::string remedy = trial.remedy.empty() ? "" : "remedy: " + trial.remedy;
    for (const std::string& text : {trial.detail, remedy}) {
      if (text.empty()) continue;
      for (const std::string& line : engine::wrap(engine::printable(text), kColumns - kBefore)) {
        lines += head + line + "\n";
        head.assign(kBefore, ' ');
      }
    }
  }
  return lines + (can_run(trials) ? "\nThis machine can run plumbline.\n"
                                  : "\nThis machine cannot run plumbline yet.\n");
}

int tell(std::vector<Trial> trials, const std::vector<Trial>& more, bool in_json) {
  trials.insert(trials.end(), more.begin(), more.end());
  print(in_json ? as_json(trials) : as_text(trials));
  return can_run(trials) ? 0 : kCannotRun;
}

/// The trials need the sandbox, so they are made and told inside it; where it is refused, that is what is
/// told.
int doctor(bool in_json, const Invocation& invocation) {
  if (kernel::in_sandbox()) {
    const char* outside = std::getenv(kOutside);
    std::vector<Trial> trials = try_inside();
    append(trials, look_for_runtimes());
    append(trials, trials_of(std::getenv(kLive)));
    return tell(look_around(outside == nullptr ? "" : outside), trials, in_json);
  }
  const std::vector<Trial> live = look_at_live_host();
  if (::setenv(kOutside, identity().c_str(), 1) != 0 ||
      ::setenv(kLive, json::serialize(findings(live)).c_str(), 1) != 0) {
    throw Error::from_errno(errno, "setenv");
  }
  try {
    return kernel::reexec_in_sandbox(invocation.argc, invocation.argv);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::environment) throw;
    std::vector<Trial> trials = refused_sandbox(error);
    append(trials, untried_runtimes());
    append(trials, live);
    return tell(look_around({}), trials, in_json);
  }
}

}  // namespace

Action add_doctor(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("doctor", "Can this machine run it? What is missing, and the remedy");
  const auto in_json = std::make_shared<bool>(false);
  command->add_flag("--json", *in_json, "As JSON");
  command->footer("Exit status: 0 it can, 3 it cannot. Nothing outside disposable namespaces is touched.\n");
  return [in_json](const Invocation& invocation) { return doctor(*in_json, invocation); };
}

}  // namespace plumbline::cli
