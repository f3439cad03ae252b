#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/proof/diagnosis/case.hpp"
#include "harness/proof/diagnosis/facts.hpp"

namespace plumbline::proof {

enum class Certainty : std::uint8_t {
  proven,  ///< the kernel's own word about this probe, or a state that leaves no other outcome
  likely,  ///< the state explains what was seen, and nothing speaks against it
};

/// A cause, recognised in a case.
struct Finding {
  Certainty certainty = Certainty::likely;
  std::string summary;                ///< one sentence that names nodes, interfaces and rules
  std::vector<std::string> evidence;  ///< what shows it, a line each
  std::vector<std::string> fix;       ///< commands to type, a line each
  /// What keeps the packet back and may be meant to: `fix` opens it.
  struct Barrier {
    std::string node;
    bool rule = false;  ///< of a firewall; else a route, a flag or a setting
  };
  std::optional<Barrier> opens;
};

/// A kind of cause: one file in harness/proof/cause/, found by the build.
struct CauseKind {
  std::string_view code;      ///< stable: "forwarding-disabled"
  std::string_view summary;   ///< one sentence
  std::string_view meaning;   ///< Markdown: what goes wrong, and how one comes to it
  std::string_view shown_by;  ///< Markdown: the evidence on which it is claimed
  std::string_view mend;      ///< Markdown: what to do, with commands
  /// Absent: this is not it, or nothing shows that it is. Never throws for what a network may be.
  std::optional<Finding> (*recognise)(const Case& question, Facts& facts) = nullptr;
  enum class Depth : std::uint8_t {
    question,  ///< somebody else was asked than was meant: whatever became of it is no matter
    link,      ///< of cables, bridges, addresses and neighbours: whatever rests on them is off as well
    network,   ///< of routes and rules
    outcome,   ///< what something deeper led to: told where no such is known, or none as certain
  };
  Depth depth = Depth::network;
  /// Codes of the causes that this may be a mere consequence of, in the case at hand: where one of them is
  /// recognised and at least as certain, mending that comes first, and this is left out. No circles.
  std::vector<std::string_view> follows_from;
};

struct Diagnosis {
  std::string_view code;
  Finding finding;
};

/// All causes that are recognised and are not a consequence of another: outcomes last, else proven ones
/// first, then the deepest, then in the order of `kinds`.
std::vector<Diagnosis> diagnose(const Case& question, Facts& facts, const std::vector<CauseKind>& kinds);

}  // namespace plumbline::proof
