#pragma once

#include <map>
#include <string>
#include <utility>

#include "harness/engine/report/reporter.hpp"

namespace plumbline::engine {

/// Cells of matrices as lines of text: "container-one -> internal, metadata (ping, tcp/80)".
class MatrixLines {
 public:
  void add(const Matrix& matrix, std::size_t row, std::size_t column);
  /// Each line begins with `indent` spaces and `lead`, which is only of colour or one column wide.
  std::string text(const ConsoleOptions& options, std::size_t indent, const std::string& lead = {}) const;

 private:
  using Pairs = std::map<std::pair<std::string, std::string>, std::string>;
  Pairs services_;  ///< by sender and target
};

/// `line` broken at spaces: its first line begins with `indent` spaces, the others with `hanging`.
std::string hanging_lines(const ConsoleOptions& options, const std::string& line, std::size_t indent,
                          std::size_t hanging);

}  // namespace plumbline::engine
