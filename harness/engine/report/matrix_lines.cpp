#include "harness/engine/report/matrix_lines.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/ip.hpp"
#include "harness/engine/report/text.hpp"

namespace plumbline::engine {

void MatrixLines::add(const Matrix& matrix, std::size_t row, std::size_t column) {
  const std::string& to = matrix.to[column];
  std::string& services = services_[{printable(matrix.from[row]), printable(to)}];
  if (!services.empty()) services += ", ";
  services += printable(matrix.with);
  if (matrix.family == "ipv6" && !IpAddress::parse(to)) services += " ipv6";
}

std::string MatrixLines::text(const ConsoleOptions& options, std::size_t indent,
                              const std::string& lead) const {
  Pairs lines;  // targets of one sender by the same services, on one line
  for (const auto& [ends, services] : services_) {
    std::string& targets = lines[{ends.first, services}];
    targets += (targets.empty() ? "" : ", ") + ends.second;
  }
  std::string text;
  const std::size_t begin = indent + (lead.empty() ? 0 : 2);
  for (const auto& [sender, targets] : lines) {
    const auto& [from, services] = sender;
    std::string line =
        hanging_lines(options, fmt::format("{} -> {} ({})", from, targets, services), begin, begin + 4);
    if (!lead.empty()) line.replace(indent, 1, lead);
    text += line;
  }
  return text;
}

std::string hanging_lines(const ConsoleOptions& options, const std::string& line, std::size_t indent,
                          std::size_t hanging) {
  std::string text;
  const std::size_t room = std::max<std::size_t>(options.width, hanging + 20) - hanging;
  for (const std::string& each : wrap(line, room))
    text += std::string(text.empty() ? indent : hanging, ' ') + each + '\n';
  return text;
}

}  // namespace plumbline::engine
