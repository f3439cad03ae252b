#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/engine/check/result.hpp"
#include "harness/engine/report/reporter.hpp"

/// How the console report looks: words or glyphs, colours, numbers with units.
namespace plumbline::engine::console {

enum class Colour : std::uint8_t { none, bold, dim, red, green, yellow, magenta, cyan };

/// `text` in `colour`, or as it is where colours are not wanted.
std::string painted(const ConsoleOptions& options, Colour colour, std::string_view text);
Colour colour_of(Verdict verdict) noexcept;

/// "FAIL", or "✗" on a terminal that can show it.
std::string_view mark(const ConsoleOptions& options, Verdict verdict) noexcept;

/// "850 us", "2.40 ms", "12.4 ms", "1.25 s".
std::string duration(const ConsoleOptions& options, double milliseconds);

/// `text` with spaces to `width` columns, before or after it.
std::string padded(std::string_view text, std::size_t width);
std::string right_aligned(std::string_view text, std::size_t width);

/// A line of a table: `name` in `width` columns, and its cells, right-aligned, in `cell_width` each.
std::string table_row(std::string_view name, std::size_t width, const std::vector<std::string>& cells,
                      std::size_t cell_width);
/// A number for a table; "." for none.
std::string cell(std::size_t count);

/// "1 check", "2 checks".
std::string counted(std::size_t count, std::string_view noun);

}  // namespace plumbline::engine::console
