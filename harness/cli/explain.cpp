#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <memory>

#include "harness/cli/command.hpp"
#include "harness/engine/report/json_text.hpp"
#include "harness/engine/report/text.hpp"
#include "harness/proof/cause/kinds.hpp"

namespace plumbline::cli {
namespace {

namespace json = boost::json;
using proof::CauseKind;

constexpr std::size_t kColumns = 100;

struct ExplainArguments {
  std::string code;
  bool as_json = false;
  bool as_markdown = false;
};

/// Markdown's paragraphs as lines of a terminal; what stands between fences is kept as it is.
std::string plain(std::string_view markdown, std::size_t indent) {
  std::string lines;
  bool fenced = false;
  while (!markdown.empty()) {
    const std::size_t end = std::min(markdown.find('\n'), markdown.size());
    const std::string_view line = markdown.substr(0, end);
    markdown.remove_prefix(std::min(end + 1, markdown.size()));
    if (line.starts_with("```")) {
      fenced = !fenced;
    } else if (fenced) {
      lines += fmt::format("{:{}}{}\n", "", indent + 2, line);
    } else {
      for (const std::string& wrapped : engine::wrap(line, kColumns - indent))
        lines += fmt::format("{:{}}{}\n", "", wrapped.empty() ? 0 : indent, wrapped);
    }
  }
  return lines;
}

std::string as_text(const CauseKind& kind) {
  return fmt::format("{}: {}\n\n{}\nRecognised by\n{}\nMending\n{}", kind.code, kind.summary,
                     plain(kind.meaning, 0), plain(kind.shown_by, 2), plain(kind.mend, 2));
}

std::string as_json(const CauseKind& kind) {
  return engine::pretty(json::object{{"code", kind.code},
                                     {"summary", kind.summary},
                                     {"meaning", kind.meaning},
                                     {"recognised_by", kind.shown_by},
                                     {"mending", kind.mend}});
}

/// docs/causes.md.
std::string as_page(const std::vector<CauseKind>& kinds) {
  std::string page =
      "# Causes\n\n"
      "Why a check did not pass, as reports name it. `plumbline explain CODE` prints one of these. This page "
      "is made "
      "from\nthe sources by `plumbline explain --markdown`; a test compares the two.\n\n"
      "A cause is *proven* where the kernel itself says so of this probe, or where a state leaves no other "
      "outcome; "
      "else it is\n*likely*: the state explains what was seen, and nothing speaks against it. Where no cause "
      "is named, "
      "none was recognised:\nthe journey and the kernels' reports are the evidence.\n\n";
  for (const CauseKind& kind : kinds) page += fmt::format("- [{0}](#{0}): {1}\n", kind.code, kind.summary);
  for (const CauseKind& kind : kinds) {
    page += fmt::format("\n## {}\n\n{}\n\n{}\n\n**Recognised by.** {}\n\n**Mending.** {}\n", kind.code,
                        kind.summary, kind.meaning, kind.shown_by, kind.mend);
  }
  return page;
}

const CauseKind& kind_of(const std::string& code) {
  const auto& kinds = proof::cause_kinds();
  const auto found = std::ranges::find(kinds, code, &CauseKind::code);
  if (found != kinds.end()) return *found;
  std::vector<std::string> codes;
  for (const CauseKind& kind : kinds) codes.emplace_back(kind.code);
  throw Error(fmt::format("there is no cause '{}'{}", code, did_you_mean(code, codes)), ErrorKind::usage)
      .with_remedy("plumbline list causes tells all of them");
}

int explain(const ExplainArguments& arguments) {
  if (arguments.as_markdown) {
    print(as_page(proof::cause_kinds()));
    return 0;
  }
  if (arguments.code.empty()) {
    throw Error("explain: which cause? Reports name its code", ErrorKind::usage)
        .with_remedy("plumbline list causes tells all of them");
  }
  const CauseKind& kind = kind_of(arguments.code);
  print(arguments.as_json ? as_json(kind) : as_text(kind));
  return 0;
}

}  // namespace

Action add_explain(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("explain", "A cause: what it means, how it is recognised, how to mend it");
  const auto arguments = std::make_shared<ExplainArguments>();
  command->add_option("CODE", arguments->code, "As a report names it: forwarding-disabled");
  command->add_flag("--json", arguments->as_json, "As JSON");
  command->add_flag("--markdown", arguments->as_markdown, "All of them, as docs/causes.md has them");
  command->footer(
      "Example:\n"
      "  plumbline explain forwarding-disabled\n"
      "\n"
      "`plumbline list causes` tells all codes.\n"
      "\n"
      "Exit status: 0; 2 there is no such cause.\n");
  return [arguments](const Invocation&) { return explain(*arguments); };
}

}  // namespace plumbline::cli
