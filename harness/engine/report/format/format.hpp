#pragma once

#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "harness/engine/report/reporter.hpp"

namespace plumbline::engine {

/// One format of report, as `--report NAME` asks for it. foo.cpp in this folder defines `foo_format()`.
struct Format {
  std::string name;
  std::string about;  ///< a line, for help texts
  /// `options` are for formats that people read on a terminal.
  std::unique_ptr<Reporter> (*make)(std::ostream& out, const ConsoleOptions& options) = nullptr;
  /// Its lines may stand among another report's on standard output, whose reader picks them out.
  bool shares_output = false;
  /// Written as the run goes on: whoever follows its file sees how far it is. The files of all others are
  /// never seen half written.
  bool grows = false;
};

/// All there are, by name.
const std::vector<Format>& formats();
/// Throws std::out_of_range where there is none of that name.
const Format& format(std::string_view name);

}  // namespace plumbline::engine
