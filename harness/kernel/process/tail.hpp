#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace plumbline::kernel {

/// Private to this folder: the end of a text of any length, in bounded memory.
class Tail {
 public:
  explicit Tail(std::size_t longest) : longest_(longest) {}

  void append(std::string_view text);
  /// The last `longest` bytes, from the beginning of a line on where there is one; before these a line that
  /// says how many bytes are left out, if any are.
  std::string text() const;

 private:
  std::size_t longest_;
  std::size_t left_out_ = 0;
  std::string kept_;
};

}  // namespace plumbline::kernel
