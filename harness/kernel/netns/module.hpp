#pragma once

#include <string>
#include <string_view>

namespace plumbline::kernel {

/// Where a kernel says what it is made of.
struct ModuleLists {
  std::string loaded = "/proc/modules";
  std::string built_in;  ///< empty: modules.builtin of the running kernel, below /lib/modules
};

/// Whether the kernel has that module's code, loaded or built in, so that to ask for it loads nothing. True
/// of a kernel that has no modules at all.
bool has_module(std::string_view name, const ModuleLists& where = {});

}  // namespace plumbline::kernel
