#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Private to this folder: what the kernel's own names become. Pure.
namespace plumbline::kernel::drops {

/// `name` is that of the kernel's enumerator for `reason`, or its number where it has none:
/// "SKB_DROP_REASON_NO_SOCKET" -> "NO_SOCKET". Subsystems of the kernel number their own: "subsystem 2 reason
/// 7".
std::string reason_text(std::uint32_t reason, std::string_view name);

/// As the kernel prints an address: the function's name, with its module's in brackets behind it. Empty where
/// the kernel knows only the number.
std::string function_text(std::string_view printed);

}  // namespace plumbline::kernel::drops
