#pragma once

#include <string_view>

#include "harness/engine/report/reporter.hpp"

namespace plumbline::cli {

/// How the console report is to look on standard output: `color` is auto, always or never.
engine::ConsoleOptions console_on_standard_output(std::string_view color, engine::Verbosity verbosity);
/// The same for a file: no glyphs, no progress, colour only with "always".
engine::ConsoleOptions console_in_file(std::string_view color, engine::Verbosity verbosity);

}  // namespace plumbline::cli
