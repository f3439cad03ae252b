// plumbline-gtest: each check of each scenario as a GoogleTest case.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/engine/report/text.hpp"
#include "harness/kernel/netns/sandbox.hpp"
#include "harness/kernel/netns/testing/run_tests.hpp"
#include "harness/testing/kept.hpp"
#include "harness/testing/spec_tests.hpp"
#include "harness/testing/specs.hpp"

namespace plumbline::testing {
namespace {

constexpr int kUsage = 2;

constexpr std::string_view kHelp =
    R"(Runs each check of scenarios as a GoogleTest case, in disposable namespaces.

  plumbline-gtest [SPEC…] [--check NAME]… [--out DIR] [--timeout TIME] [--gtest_…]
  plumbline-gtest [SPEC…] --list-checks

  SPEC            spec files, or folders of *.yaml; by default those that PLUMBLINE_SPECS names, separated by
                  colons, else all scenarios that ship
  --check NAME    only this case, by its full name, as in 'diy.native/reach host -> internet ping'; filter and
                  shard do not apply. Repeatable
  --list-checks   lists all cases, one a line: full name, file:line, setup, its kind, separated by tabs
  --setup NAME    only cases with this setup, as in script-iptables-nft
  --keep DIR      leaves the results in DIR for `--check NAME --kept DIR` of the same parent process, and ends with
                  status 0 whatever they are: so the tests of one ctest share a network
  --kept DIR      tells the result that is there for this case; where there is none, runs it. It is told once
  --out DIR       keeps the packets of checks that did not pass (pcapng)
  --timeout TIME  how long a probe waits: 500ms, 2s; by default 1s

A suite is a scenario; its cases are named SETUP/CHECK. --gtest_filter takes '-' and ':' for its own signs: write
'?' for them. In a shell on GoogleTest's sharding: GTEST_TOTAL_SHARDS and GTEST_SHARD_INDEX.

Exit status:
  0    all passed
  1    some did not pass: failed, inconclusive, or an error
  2    the command line or a spec is wrong; nothing was built
  77   this machine cannot make namespaces (1 with CI=true), or the only case of --check was skipped
  130  interrupted by SIGINT, SIGTERM or SIGHUP

)";

struct Arguments {
  std::vector<std::string> specs;
  SpecTestOptions options;
  std::string setup;
  std::string kept;
  bool list = false;
  bool help = false;
};

[[noreturn]] void usage(const std::string& message) {
  throw Error(message, ErrorKind::usage).with_remedy("plumbline-gtest --help lists what there is");
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::chrono::milliseconds parse_time(const std::string& text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, number);
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  const double milliseconds = unit == "ms" ? number : number * 1000;
  const bool known = unit.empty() || unit == "s" || unit == "ms";
  if (problem != std::errc{} || !known || !(milliseconds >= 1 && milliseconds <= 600'000))
    usage(fmt::format("--timeout {}: expected a time from 1ms to 600s, such as 500ms or 2s", text));
  return std::chrono::milliseconds(static_cast<long long>(milliseconds));
}

/// What GoogleTest has left over of the command line.
Arguments parse(int argc, char** argv) {
  Arguments arguments;
  bool options_end = false;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const auto value = [&]() -> std::string {
      if (equals != std::string::npos) return word.substr(equals + 1);
      if (++i == argc) usage(fmt::format("{}: what? a value is missing", name));
      return argv[i];
    };
    if (options_end || !word.starts_with('-')) {
      arguments.specs.push_back(word);
    } else if (word == "--") {
      options_end = true;
    } else if (name == "--check") {
      arguments.options.only.insert(value());
    } else if (name == "--out") {
      arguments.options.out_directory = value();
    } else if (name == "--setup") {
      arguments.setup = value();
    } else if (name == "--keep") {
      arguments.options.keep = value();
    } else if (name == "--kept") {
      arguments.kept = value();
    } else if (name == "--timeout") {
      arguments.options.timeout = parse_time(value());
    } else if (word == "--list-checks") {
      arguments.list = true;
    } else if (word == "--help" || word == "-h") {
      arguments.help = true;
    } else {
      usage(fmt::format("option '{}' is not known", name));
    }
  }
  if (const char* named = std::getenv("PLUMBLINE_SPECS"); named != nullptr && arguments.specs.empty())
    arguments.specs = split(named, ':');
  return arguments;
}

void print_error(const Error& error) {
  const std::string message = engine::printable(error.what());
  const bool placed = dynamic_cast<const spec::SpecError*>(&error) != nullptr;
  fmt::print(stderr, "{}{}\n", placed ? "" : "plumbline-gtest: ", message);
  if (!error.remedy().empty()) fmt::print(stderr, "  remedy: {}\n", engine::printable(error.remedy()));
}

int list(const LoadedSpecs& loaded) {
  for (const SpecTest& test : spec_tests(loaded.specs)) {
    fmt::print("{}\t{}:{}\t{}\t{}\n", test.full_name(), test.file, test.line, test.setup, test.kind);
  }
  for (const Error& error : loaded.errors) print_error(error);
  return loaded.errors.empty() ? EXIT_SUCCESS : kUsage;
}

void require_right(const LoadedSpecs& loaded) {
  if (loaded.errors.empty()) return;
  for (const Error& error : loaded.errors) print_error(error);
  throw Error(fmt::format("{} spec{} cannot be run; nothing was built", loaded.errors.size(),
                          loaded.errors.size() == 1 ? "" : "s"),
              ErrorKind::usage);
}

void require_checks(const LoadedSpecs& loaded, const std::set<std::string>& names) {
  if (names.empty()) return;
  std::vector<std::string> known;
  for (const SpecTest& test : spec_tests(loaded.specs)) known.push_back(test.full_name());
  for (const std::string& name : names) {
    if (std::ranges::find(known, name) != known.end()) continue;
    throw Error(fmt::format("--check {}: there is no such case in these scenarios", name), ErrorKind::usage)
        .with_remedy("--list-checks lists them");
  }
}

void select_setup(std::vector<spec::Spec>& specs, const std::string& setup) {
  if (setup.empty()) return;
  std::erase_if(specs, [&](const spec::Spec& spec) { return setup_name(spec) != setup; });
  if (specs.empty())
    throw Error(fmt::format("--setup {}: no scenario has this setup", setup), ErrorKind::usage);
}

/// Those of the named cases whose results are there already.
void take_kept(const std::string& folder, SpecTestOptions& options) {
  if (folder.empty()) return;
  const std::string whose = keeper();
  for (const std::string& name : options.only) {
    if (std::optional<Told> told = take(folder, whose, name)) options.known.emplace(name, std::move(*told));
  }
}

/// Whom results are kept for can be told outside the sandbox only.
constexpr const char* kKeeper = "PLUMBLINE_KEEPER";

/// False where there is no room for results: then nobody needs them, as each case can be run by itself.
bool prepare_keeping(const std::string& folder) {
  try {
    make_folder_for_results(folder);
  } catch (const Error& error) {
    fmt::print("no results are kept, so each check will be run by itself: {}\n",
               engine::printable(error.what()));
    return false;
  }
  ::setenv(kKeeper, keeper().c_str(), 1);
  return true;
}

/// With --check nothing else decides what runs: a filter or shard in the environment, which is meant for
/// whole runs, would let a named case pass unseen.
void choose_exactly() {
  GTEST_FLAG_SET(filter, "*");
  GTEST_FLAG_SET(also_run_disabled_tests, true);
  ::unsetenv("GTEST_TOTAL_SHARDS");
  ::unsetenv("GTEST_SHARD_INDEX");
}

int run_all(const Arguments& arguments) {
  const int status = RUN_ALL_TESTS();
  if (interrupted()) return kInterrupted;
  if (!arguments.options.keep.empty()) return EXIT_SUCCESS;
  const ::testing::UnitTest& unit = *::testing::UnitTest::GetInstance();
  const bool all_skipped =
      unit.test_to_run_count() > 0 && unit.skipped_test_count() == unit.test_to_run_count();
  return status == 0 && all_skipped && !arguments.options.only.empty() ? kernel::kSkipped : status;
}

/// The program runs twice, as `plumbline run` does: outside the sandbox to find what is wrong with the
/// command line and the specs, and inside to do the work.
int run(int argc, char** argv) {
  // GoogleTest takes its own words out of the list that it is given; the second start needs them.
  std::vector<char*> words(argv, argv + argc);
  words.push_back(nullptr);
  const bool wants_help = std::any_of(argv, argv + argc, [](const char* word) {
    return std::string_view(word) == "--help" || std::string_view(word) == "-h";
  });
  if (wants_help) fmt::print("{}", kHelp);
  ::testing::InitGoogleMock(&argc, argv);
  Arguments arguments = parse(argc, argv);
  if (arguments.help || wants_help) return EXIT_SUCCESS;
  LoadedSpecs loaded = load_specs(arguments.specs);
  if (arguments.list) return list(loaded);
  require_right(loaded);
  select_setup(loaded.specs, arguments.setup);
  require_checks(loaded, arguments.options.only);
  if (!arguments.options.only.empty() || !arguments.options.keep.empty()) choose_exactly();
  const bool inside = kernel::in_sandbox();
  if (!inside) take_kept(arguments.kept, arguments.options);
  const bool all_known =
      !arguments.options.only.empty() && arguments.options.known.size() == arguments.options.only.size();
  if (!GTEST_FLAG_GET(list_tests) && !inside && !all_known) {
    if (!arguments.options.keep.empty() && !prepare_keeping(arguments.options.keep)) return EXIT_SUCCESS;
    try {
      return kernel::reexec_in_sandbox(static_cast<int>(words.size()) - 1, words.data());
    } catch (const Error& error) {
      return kernel::sandbox_refused(error);
    }
  }
  if (const char* whose = std::getenv(kKeeper); whose != nullptr) arguments.options.keeper = whose;
  register_specs(std::move(loaded.specs), arguments.options);
  return run_all(arguments);
}

int guarded(int argc, char** argv) {
  try {
    // Probes write to connections that the other end may have closed.
    if (std::signal(SIGPIPE, SIG_IGN) == SIG_ERR) throw Error::from_errno(errno, "ignore SIGPIPE");
    return run(argc, argv);
  } catch (const Error& error) {
    print_error(error);
    return error.kind() == ErrorKind::usage ? kUsage : EXIT_FAILURE;
  } catch (const std::exception& error) {
    print_error(Error(fmt::format("internal error: {}", error.what())));
    return EXIT_FAILURE;
  }
}

}  // namespace
}  // namespace plumbline::testing

int main(int argc, char** argv) {
  return plumbline::testing::guarded(argc, argv);
}
