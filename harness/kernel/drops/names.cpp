#include "harness/kernel/drops/names.hpp"

#include <fmt/format.h>

namespace plumbline::kernel::drops {

std::string reason_text(std::uint32_t reason, std::string_view name) {
  constexpr std::string_view kPrefix = "SKB_DROP_REASON_";
  constexpr unsigned kSubsystemShift = 16;
  constexpr std::uint32_t kNumber = 0xffff;
  if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
  const bool is_name = !name.empty() && name.front() >= 'A' && name.front() <= 'Z';
  if (is_name) return std::string(name);
  if (const std::uint32_t subsystem = reason >> kSubsystemShift; subsystem != 0)
    return fmt::format("subsystem {} reason {}", subsystem, reason & kNumber);
  return fmt::format("reason {}", reason);
}

std::string function_text(std::string_view printed) {
  if (printed.starts_with("0x")) return {};
  return std::string(printed.substr(0, printed.find(' ')));
}

}  // namespace plumbline::kernel::drops
