#include "harness/engine/report/console_style.hpp"

#include <fmt/format.h>

#include <cmath>

#include "harness/engine/report/text.hpp"

namespace plumbline::engine::console {
namespace {

const char* escape_of(Colour colour) noexcept {
  switch (colour) {
    case Colour::none:
      return "";
    case Colour::bold:
      return "\x1b[1m";
    case Colour::dim:
      return "\x1b[2m";
    case Colour::red:
      return "\x1b[31m";
    case Colour::green:
      return "\x1b[32m";
    case Colour::yellow:
      return "\x1b[33m";
    case Colour::magenta:
      return "\x1b[35m";
    case Colour::cyan:
      return "\x1b[36m";
  }
  return "";
}

struct Marks {
  std::string_view word, glyph;
};

Marks marks_of(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::pass:
      return {"PASS", "✓"};
    case Verdict::fail:
      return {"FAIL", "✗"};
    case Verdict::inconclusive:
      return {"INCONCLUSIVE", "?"};
    case Verdict::skip:
      return {"SKIP", "-"};
    case Verdict::error:
      break;
  }
  return {"ERROR", "!"};
}

}  // namespace

std::string painted(const ConsoleOptions& options, Colour colour, std::string_view text) {
  if (!options.colour || colour == Colour::none || text.empty()) return std::string(text);
  return fmt::format("{}{}\x1b[0m", escape_of(colour), text);
}

Colour colour_of(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::pass:
      return Colour::green;
    case Verdict::fail:
      return Colour::red;
    case Verdict::inconclusive:
      return Colour::yellow;
    case Verdict::skip:
      return Colour::dim;
    case Verdict::error:
      break;
  }
  return Colour::magenta;
}

std::string_view mark(const ConsoleOptions& options, Verdict verdict) noexcept {
  const Marks marks = marks_of(verdict);
  return options.unicode ? marks.glyph : marks.word;
}

std::string duration(const ConsoleOptions& options, double milliseconds) {
  if (!std::isfinite(milliseconds)) return "-";
  const double size = std::abs(milliseconds);
  if (size < 0.9995) return fmt::format("{:.0f} {}", milliseconds * 1000, options.unicode ? "µs" : "us");
  if (size < 9.995) return fmt::format("{:.2f} ms", milliseconds);
  if (size < 999.95) return fmt::format("{:.1f} ms", milliseconds);
  return fmt::format("{:.2f} s", milliseconds / 1000);
}

std::string padded(std::string_view text, std::size_t width) {
  const std::size_t used = columns(text);
  return std::string(text).append(used < width ? width - used : 0, ' ');
}

std::string right_aligned(std::string_view text, std::size_t width) {
  const std::size_t used = columns(text);
  return std::string(used < width ? width - used : 0, ' ').append(text);
}

std::string table_row(std::string_view name, std::size_t width, const std::vector<std::string>& cells,
                      std::size_t cell_width) {
  std::string line = padded(name, width);
  for (const std::string& each : cells) line += right_aligned(each, cell_width);
  return line + "\n";
}

std::string cell(std::size_t count) {
  return count == 0 ? "." : std::to_string(count);
}

std::string counted(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace plumbline::engine::console
