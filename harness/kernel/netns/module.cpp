#include "harness/kernel/netns/module.hpp"

#include <sys/utsname.h>

#include <fstream>

namespace plumbline::kernel {
namespace {

std::string built_in_of_this_kernel() {
  utsname name{};
  if (::uname(&name) != 0) return {};
  return std::string("/lib/modules/") + static_cast<const char*>(name.release) + "/modules.builtin";
}

}  // namespace

bool has_module(std::string_view name, const ModuleLists& where) {
  std::ifstream loaded(where.loaded);
  if (!loaded) return true;
  const std::string start = std::string(name) + " ";
  for (std::string line; std::getline(loaded, line);) {
    if (line.starts_with(start)) return true;
  }
  std::ifstream built_in(where.built_in.empty() ? built_in_of_this_kernel() : where.built_in);
  const std::string end = "/" + std::string(name) + ".ko";
  for (std::string line; std::getline(built_in, line);) {
    if (line.ends_with(end)) return true;
  }
  return false;
}

}  // namespace plumbline::kernel
