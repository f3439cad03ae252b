#include "harness/engine/report/matrix_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "harness/base/ip.hpp"
#include "harness/engine/report/console_style.hpp"
#include "harness/engine/report/matrix_lines.hpp"
#include "harness/engine/report/text.hpp"

namespace plumbline::engine {
namespace {

using namespace console;

constexpr std::size_t kMargin = 2;
constexpr std::size_t kLongestName = 32;  ///< of a row: what is longer is cut
constexpr std::size_t kMostNamedColumns = 8;

Colour colour_of_sign(char sign) {
  switch (sign) {
    case '.':
      return Colour::green;
    case 'X':
      return Colour::cyan;
    case '?':
      return Colour::yellow;
    case '!':
      return Colour::red;
    default:
      return Colour::dim;
  }
}

std::string cut(const std::string& name) {
  const std::string shown = printable(name);
  return columns(shown) <= kLongestName ? shown : wrap(shown, kLongestName - 2).front() + "..";
}

void trim_end(std::string& line) {
  line.erase(line.find_last_not_of(' ') + 1);
}

/// Of columns without names: those of one line of the table, and where each stands.
struct Layout {
  std::size_t per_block = 0;
  bool dense = false;  ///< no space between two, one between tens

  std::size_t offset(std::size_t in_block) const { return dense ? in_block + in_block / 10 : 2 * in_block; }
};

Layout layout_for(std::size_t columns, std::size_t room) {
  if (2 * columns <= room + 1) return {columns, false};
  const std::size_t fits = room - room / 11;
  // Whole tens, so that numbers stay in their places from block to block.
  return {columns <= fits ? columns : std::max<std::size_t>(10, fits / 10 * 10), true};
}

/// One matrix, under a heading that the caller writes.
class Grid {
 public:
  Grid(const ConsoleOptions& options, const Matrix& matrix) : options_(options), matrix_(matrix) {
    for (const std::string& from : matrix.from) rows_.push_back(cut(from));
    for (const std::string& to : matrix.to) columns_.push_back(cut(to));
    for (const std::string& row : rows_) label_ = std::max(label_, columns(row));
  }

  std::string text() const {
    if (names_fit()) return named();
    return numbered();
  }

 private:
  static constexpr std::size_t kIndent = 2 * kMargin;

  bool names_fit() const {
    std::size_t width = kIndent + label_;
    for (const std::string& name : columns_) width += 2 + columns(name);
    return columns_.size() <= kMostNamedColumns && width <= options_.width;
  }

  std::string sign(std::size_t row, std::size_t column) const {
    const char is = matrix_.cells[row][column];
    return painted(options_, colour_of_sign(is), std::string(1, is));
  }

  std::string named() const {
    std::string text = std::string(kIndent + label_, ' ');
    for (const std::string& name : columns_) text += "  " + name;
    text += '\n';
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      std::string line = std::string(kIndent, ' ') + padded(rows_[row], label_);
      for (std::size_t column = 0; column < columns_.size(); ++column)
        line += "  " + sign(row, column) + std::string(columns(columns_[column]) - 1, ' ');
      trim_end(line);
      text += line + '\n';
    }
    return text;
  }

  std::string number_of(const std::string& from) const {
    const auto column = std::ranges::find(matrix_.to, from);
    return column == matrix_.to.end() ? "" : std::to_string(column - matrix_.to.begin() + 1);
  }

  std::string numbered() const {
    const std::size_t digits = std::to_string(columns_.size()).size();
    const std::size_t before = kIndent + digits + 1 + label_ + 2;
    const std::size_t room = std::max<std::size_t>(options_.width, before + 10) - before;
    const Layout layout = layout_for(columns_.size(), room);
    std::string text;
    for (std::size_t first = 0; first < columns_.size(); first += layout.per_block) {
      const std::size_t count = std::min(layout.per_block, columns_.size() - first);
      if (first > 0) text += '\n';
      text += numbers(first, count, digits, before, layout);
      for (std::size_t row = 0; row < rows_.size(); ++row) {
        text += std::string(kIndent, ' ') + right_aligned(number_of(matrix_.from[row]), digits) + ' ' +
                padded(rows_[row], label_) + "  " + signs(row, first, count, layout) + '\n';
      }
    }
    return text + without_row();
  }

  /// The numbers of a block's columns, read downwards.
  static std::string numbers(std::size_t first, std::size_t count, std::size_t digits, std::size_t before,
                             const Layout& layout) {
    std::string text;
    for (std::size_t digit = 0; digit < digits; ++digit) {
      std::string line(before, ' ');
      for (std::size_t i = 0; i < count; ++i) {
        line.resize(before + layout.offset(i), ' ');
        line += right_aligned(std::to_string(first + i + 1), digits)[digit];
      }
      trim_end(line);
      text += line + '\n';
    }
    return text;
  }

  std::string signs(std::size_t row, std::size_t first, std::size_t count, const Layout& layout) const {
    std::string line;
    std::size_t at = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const char is = matrix_.cells[row][first + i];
      if (is == ' ') continue;
      line += std::string(layout.offset(i) - at, ' ') + sign(row, first + i);
      at = layout.offset(i) + 1;
    }
    return line;
  }

  /// The names of numbers that stand at no row.
  std::string without_row() const {
    std::string words;
    for (std::size_t column = 0; column < columns_.size(); ++column) {
      if (std::ranges::find(matrix_.from, matrix_.to[column]) != matrix_.from.end()) continue;
      // Spaces would let a number be parted from its name.
      words += fmt::format("{}{}={}", words.empty() ? "" : " ", column + 1, columns_[column]);
    }
    std::string text;
    if (words.empty()) return text;
    for (const std::string& line : wrap(words, options_.width - kIndent))
      text += std::string(kIndent, ' ') + line + '\n';
    return text;
  }

  const ConsoleOptions& options_;
  const Matrix& matrix_;
  std::vector<std::string> rows_, columns_;
  std::size_t label_ = 0;
};

bool same_picture(const Matrix& a, const Matrix& b) {
  return a.from == b.from && a.to == b.to && a.cells == b.cells;
}

/// "ping, tcp/80 over IPv4 and IPv6", "ping over IPv4; udp/53 over IPv6".
std::string heading(const std::vector<const Matrix*>& alike) {
  std::vector<std::pair<std::string, std::string>> by_family;  // in their order
  for (const auto& [family, name] : {std::pair{"ipv4", "IPv4"}, std::pair{"ipv6", "IPv6"}}) {
    std::string services;
    for (const Matrix* matrix : alike) {
      if (matrix->family == family) services += (services.empty() ? "" : ", ") + printable(matrix->with);
    }
    if (!services.empty()) by_family.emplace_back(services, name);
  }
  if (by_family.size() == 2 && by_family[0].first == by_family[1].first)
    return by_family[0].first + " over IPv4 and IPv6";
  std::string text;
  for (const auto& [services, family] : by_family)
    text += fmt::format("{}{} over {}", text.empty() ? "" : "; ", services, family);
  return text;
}

bool is_address(const std::string& name) {
  return IpAddress::parse(name).has_value();
}

/// Columns that nodes are, which all services have in common.
Matrix among_nodes(const Matrix& matrix) {
  Matrix nodes;
  nodes.with = matrix.with;
  nodes.family = matrix.family;
  nodes.from = matrix.from;
  nodes.cells.resize(matrix.from.size());
  for (std::size_t column = 0; column < matrix.to.size(); ++column) {
    if (is_address(matrix.to[column])) continue;
    nodes.to.push_back(matrix.to[column]);
    for (std::size_t row = 0; row < matrix.from.size(); ++row) nodes.cells[row] += matrix.cells[row][column];
  }
  return nodes;
}

/// What promises say of addresses beside those that nodes are known by.
std::string addresses(const ConsoleOptions& options, const std::vector<Matrix>& matrices) {
  std::map<char, MatrixLines> by_sign;
  for (const Matrix& matrix : matrices) {
    for (std::size_t column = 0; column < matrix.to.size(); ++column) {
      if (!is_address(matrix.to[column])) continue;
      for (std::size_t row = 0; row < matrix.from.size(); ++row) {
        if (const char sign = matrix.cells[row][column]; sign != ' ') by_sign[sign].add(matrix, row, column);
      }
    }
  }
  std::string text;
  for (const char sign : {'!', '?', '.', 'X'}) {
    if (by_sign.contains(sign))
      text += by_sign[sign].text(options, 2 * kMargin,
                                 painted(options, colour_of_sign(sign), std::string(1, sign)));
  }
  if (text.empty()) return text;
  return std::string(kMargin, ' ') + painted(options, Colour::bold, "addresses that promises name") + '\n' +
         text;
}

}  // namespace

std::string signs_legend() {
  return "  .  allowed: the probe arrived and was answered\n"
         "  X  denied: it is proven who or what stopped it; or a promised denial was kept\n"
         "  ?  inconclusive: neither is proven, as where the target is not there to answer\n"
         "  !  differs from the promise: what was to get through did not, or what was to be denied did\n";
}

std::string matrix_text(const ConsoleOptions& options, const std::vector<Matrix>& matrices) {
  std::vector<Matrix> nodes;
  for (const Matrix& matrix : matrices) nodes.push_back(among_nodes(matrix));
  std::erase_if(nodes, [](const Matrix& matrix) { return matrix.to.empty(); });
  std::vector<std::vector<const Matrix*>> groups;
  for (const Matrix& matrix : nodes) {
    const auto group =
        std::ranges::find_if(groups, [&](const auto& each) { return same_picture(*each.front(), matrix); });
    if (group == groups.end()) {
      groups.push_back({&matrix});
    } else {
      group->push_back(&matrix);
    }
  }
  std::string text;
  for (const auto& group : groups) {
    if (!text.empty()) text += '\n';
    const std::size_t room = std::max<std::size_t>(options.width, kMargin + 20) - kMargin;
    for (const std::string& line : wrap(heading(group), room))
      text += std::string(kMargin, ' ') + painted(options, Colour::bold, line) + '\n';
    text += Grid(options, *group.front()).text();
  }
  const std::string beside = addresses(options, matrices);
  return text + (text.empty() || beside.empty() ? "" : "\n") + beside;
}

}  // namespace plumbline::engine
