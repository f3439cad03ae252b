#include "harness/kernel/process/tail.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace plumbline::kernel {

void Tail::append(std::string_view text) {
  kept_ += text;
  // Cut now and then only: each cut moves what stays.
  if (kept_.size() <= 2 * longest_) return;
  const std::size_t surplus = kept_.size() - longest_;
  kept_.erase(0, surplus);
  left_out_ += surplus;
}

std::string Tail::text() const {
  std::size_t cut = kept_.size() > longest_ ? kept_.size() - longest_ : 0;
  if (left_out_ + cut == 0) return kept_;
  const std::size_t line = kept_.find('\n', cut);
  if (line != std::string::npos && line + 1 < kept_.size()) cut = line + 1;
  return fmt::format("({} bytes before this are left out)\n{}", left_out_ + cut, kept_.substr(cut));
}

}  // namespace plumbline::kernel
